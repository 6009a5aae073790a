//! The running agent: builds its parts, runs them, and on SIGTERM lets them finish.

mod addresses;
mod counter;
mod filings;
mod go_over;
mod local;
mod refusal;
mod service;
mod sources;

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use metrics::gauge;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

pub use addresses::Addresses;
pub(crate) use go_over::identity_under_one_key;
pub(crate) use sources::{mapping, pipeline};

use crate::config::{Config, SourceName};
use crate::dial::Dialer;
use crate::identity::{self, Identities, IdentityError, Renewal};
use crate::mapping::MappingError;
use crate::outbox::{self, Outbox, OutboxError};
use crate::reconcile;
use crate::source::push::{PushEndpoint, guarded};
use crate::source::{self, SourceStates};
use crate::status::Compared;
use crate::sync::{Sync, SyncState, Timing};
use crate::telemetry::metrics::{self as names, CERTIFICATE_END};
use counter::Counter;
use filings::Filings;
use local::Local;

/// How often acknowledged records are looked through for those that may go, and refused ones for those to try again.
const TRIM_EVERY: Duration = Duration::from_secs(3600);

/// How long a call on loopback may go on when everything else ends: its caller may never finish it.
const LAST_CALLS: Duration = Duration::from_secs(3);
/// How long everything may take to end; longer than the stream waits for its last acknowledgements. What is cut short
/// is done again at the next start.
const LEAVE: Duration = Duration::from_secs(15);

/// Why the agent does not run.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// No identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// No outbox.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// Another agent has the data directory.
    #[error("another office-agent runs on {}; stop it first", .0.display())]
    Running(PathBuf),
    /// The loopback endpoint cannot be opened.
    #[error("listen on {address}: {source}; set local.listen to a free loopback port")]
    Listen {
        /// Address wanted.
        address: std::net::SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Something of the machine.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the machine said.
        source: io::Error,
    },
    /// A mapping file cannot be used.
    #[error("source `{name}`: {problem}")]
    Mapping {
        /// The source.
        name: SourceName,
        /// What is wrong with its mapping.
        problem: MappingError,
    },
    /// A part of the agent ended that runs as long as the agent does; without it the agent would look well and do half
    /// its work.
    #[error(
        "a defect ended a part of office-agent, and so all of it; the log names the place. Report it, and start it again"
    )]
    Defect,
    /// Metrics are set up already.
    #[error("set metrics up: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

fn io(what: &'static str) -> impl FnOnce(io::Error) -> AppError {
    move |source| AppError::Io { what, source }
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot begin.
pub async fn run(config: Config) -> Result<(), AppError> {
    let config = Arc::new(config);
    let stop = CancellationToken::new();
    service::stop_on_signals(&stop).map_err(io("watch for signals"))?;
    // Whoever is not enrolled makes no files.
    identity::load(&config.data_dir)?;
    let _lock = lock(&config.data_dir)?;
    Addresses::withdraw(&config.data_dir).map_err(io("remove addresses.json"))?;
    let agent = Agent {
        metrics: names::install()?,
        outbox: Outbox::open(config.data_dir.join(outbox::FILE))?,
        listener: listen(&config).await?,
        manager: OnceLock::new(),
        config,
    };
    let Agent { config, outbox, .. } = &agent;
    // Sources and look-ups stop while the outbox goes over to another token key, so that nothing of the old one comes in
    // behind it.
    while let Some(key_id) = agent.run_under_one_key(&stop).await? {
        go_over::go_over(&config.data_dir, outbox, key_id).await?;
    }
    Addresses::withdraw(&config.data_dir).map_err(io("remove addresses.json"))?;
    if let Some(manager) = agent.manager.into_inner() {
        // A task that panicked has said so.
        let _ = manager.await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// What stays while the city goes over to another token key.
struct Agent {
    config: Arc<Config>,
    outbox: Outbox,
    metrics: PrometheusHandle,
    listener: std::net::TcpListener,
    /// Told once that the agent runs: systemd would take the end of one key's time for the service's own.
    manager: OnceLock<JoinHandle<()>>,
}

impl Agent {
    /// Runs until `all` stops, or until the city went over to the next token key; its id, then.
    async fn run_under_one_key(&self, all: &CancellationToken) -> Result<Option<u32>, AppError> {
        let Self {
            config,
            outbox,
            metrics,
            ..
        } = self;
        let stop = all.child_token();
        let identity = identity_under_one_key(&config.data_dir, outbox).await?;
        // What was asked for before the hub is reached again: rows read meanwhile are not without.
        let asked = outbox.asked_next_key().await?;
        let next_key = Arc::new(watch::Sender::new(identity.next_token_key_if(asked)));
        let pipelines = sources::pipelines(config, identity.token_key(), &next_key.subscribe())?;
        let listener = self.listener.try_clone().and_then(TcpListener::from_std);
        let listener = listener.map_err(io("listen again"))?;
        let local = listener
            .local_addr()
            .map_err(io("ask for the own address"))?;
        tracing::info!(office = %identity.office_id(), %local, hub = %config.hub.agents, "office-agent runs");

        let (current, identities) = watch::channel(Arc::new(identity));
        let state = Arc::new(watch::Sender::new(SyncState::default()));
        let states = SourceStates::default();
        let compared = watch::Sender::new(None);
        let pushes = sources::push_endpoint(outbox.clone(), &pipelines);
        let heard = (state.subscribe(), compared.subscribe());
        let router = self.doors(&identities, heard, &states, pushes);
        let certificate_ended = Arc::new(Notify::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, router, stop.clone()));
        tasks.spawn(identity::keep_renewed(
            Renewal {
                data_dir: config.data_dir.clone(),
                hub: config.hub.agents.clone(),
                current,
                ended: Arc::clone(&certificate_ended),
            },
            stop.clone(),
        ));
        let synced = state.subscribe();
        let sync = Sync {
            hub: Dialer::of(config.hub.agents.clone()),
            outbox: outbox.clone(),
            identities: identities.clone(),
            certificate_ended,
            timing: Timing::default(),
            state,
            next_key,
        };
        let (gone_over, key_wanted) = oneshot::channel();
        let stop_all = stop.clone();
        tasks.spawn(async move {
            if let Some(key_id) = sync.run(stop_all.clone()).await {
                // Nobody listens any more when the agent stops at this moment; the next start hears of the key again.
                let _ = gone_over.send(key_id);
                stop_all.cancel();
            }
        });
        tasks.spawn(reconcile::keep(
            config.hub.agents.clone(),
            outbox.clone(),
            identities.clone(),
            compared,
            stop.clone(),
        ));
        for (source, pipeline) in pipelines {
            let entry = move |found| pipeline.entry(found);
            tasks.spawn(source::run(
                source,
                entry,
                outbox.clone(),
                states.clone(),
                stop.clone(),
            ));
        }
        tasks.spawn(keep_house(
            Arc::clone(config),
            outbox.clone(),
            identities,
            synced,
            stop.clone(),
        ));
        tasks.spawn(service::upkeep(metrics.clone(), stop.clone()));

        Addresses { local }
            .announce(&config.data_dir)
            .map_err(io("write addresses.json"))?;
        let tell = || tokio::spawn(service::tell_the_manager(outbox.clone(), all.clone()));
        self.manager.get_or_init(tell);
        let ended = until_stopped(&stop, &mut tasks).await;
        stop.cancel();
        tracing::info!("stopping");
        let ending = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LEAVE, ending).await.is_err() {
            tracing::warn!("not everything ended in time; the rest is cut short");
            tasks.shutdown().await;
        }
        ended?;
        Ok(key_wanted.await.ok().filter(|_| !all.is_cancelled()))
    }

    /// What is answered on loopback.
    fn doors(
        &self,
        identities: &Identities,
        (sync, compared): (
            watch::Receiver<SyncState>,
            watch::Receiver<Option<Compared>>,
        ),
        sources: &SourceStates,
        pushes: PushEndpoint,
    ) -> Router {
        let page = Local {
            config: Arc::clone(&self.config),
            identities: identities.clone(),
            outbox: self.outbox.clone(),
            sync,
            compared,
            sources: sources.clone(),
            metrics: self.metrics.clone(),
        };
        let counter = Counter {
            config: Arc::clone(&self.config),
            identities: identities.clone(),
        };
        let filings = Filings {
            config: Arc::clone(&self.config),
            identities: identities.clone(),
        };
        guarded(page.router())
            .merge(pushes.router())
            .merge(counter.router())
            .merge(filings.router())
    }
}

/// Answers until `stop`, and calls that are open then for a little longer.
async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let serving =
        axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    let out_of_patience = async {
        stop.cancelled().await;
        tokio::time::sleep(LAST_CALLS).await;
    };
    tokio::select! {
        ended = serving => if let Err(error) = ended {
            tracing::error!(%error, "the loopback endpoint ended");
        },
        () = out_of_patience => tracing::warn!("calls on loopback were cut short"),
    }
}

/// Waits for `stop`, or for a defect in one of the tasks. One that ends otherwise has done its work, as of a source that is
/// pushed.
async fn until_stopped(stop: &CancellationToken, tasks: &mut JoinSet<()>) -> Result<(), AppError> {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            Some(ended) = tasks.join_next() => if ended.is_err_and(|error| error.is_panic()) {
                return Err(AppError::Defect);
            },
            else => return Ok(()),
        }
    }
}

/// One agent a data directory: two would fight for the stream, and each would read every source. Enrolling waits for
/// its end too, because a running agent would renew the identity it replaces.
pub(crate) fn lock(data_dir: &Path) -> Result<File, AppError> {
    let file = File::create(data_dir.join("agent.lock")).map_err(io("make agent.lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(AppError::Running(data_dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(io("lock agent.lock")(source)),
    }
}

async fn listen(config: &Config) -> Result<std::net::TcpListener, AppError> {
    let address = config.local.listen.get();
    let listener = TcpListener::bind(address).await;
    listener
        .and_then(TcpListener::into_std)
        .map_err(|source| AppError::Listen { address, source })
}

/// Lets old records go, offers refused ones again, and shows the certificate's end.
async fn keep_house(
    config: Arc<Config>,
    outbox: Outbox,
    identities: Identities,
    synced: watch::Receiver<SyncState>,
    stop: CancellationToken,
) {
    let retention = time::Duration::days(config.outbox.retention_days.into());
    let mut ticks = tokio::time::interval(TRIM_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let end = identities.borrow().not_after().unix_timestamp();
        gauge!(CERTIFICATE_END).set(end as f64);
        let may_trim = synced.borrow().has_clock_of_hub();
        if may_trim && let Err(error) = outbox.trim(retention).await {
            tracing::warn!(%error, "acknowledged records could not be let go");
        }
        if let Err(error) = outbox.offer_refused_again().await {
            tracing::warn!(%error, "refused records could not be offered again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_defect_in_one_part_ends_the_agent_and_the_end_of_another_does_not() {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(stop.clone().cancelled_owned());
        tasks.spawn(async {});
        let panicking = tasks.spawn(async { panic!("a defect") });
        let ended = until_stopped(&stop, &mut tasks).await;
        assert!(matches!(ended, Err(AppError::Defect)), "{ended:?}");
        assert!(panicking.is_finished() && !stop.is_cancelled());

        stop.cancel();
        assert!(until_stopped(&stop, &mut tasks).await.is_ok());
    }
}
