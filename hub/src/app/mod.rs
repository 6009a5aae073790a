//! The running hub: what is built in which order, and taken down in the opposite one.

mod addresses;
mod database;
mod doors;
mod rotation;
mod services;
mod watch;

pub use addresses::Addresses;
pub use database::{Database, DatabaseError};

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use time::OffsetDateTime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::audit::archive::ArchiveError;
use crate::audit::{Audit, Checkpoints, key_file};
use crate::background::kept;
use crate::config::Config;
use crate::entrance::Entrance;
use crate::export::Exports;
use crate::export::subject::Known;
use crate::grpc;
use crate::grpc::health::{Health, Standing};
use crate::http;
use crate::identity::Sessions;
use crate::identity::authority::AuthorityError;
use crate::identity::oidc::{Provider, TrustError};
use crate::identity::pki::{Pki, PkiError};
use crate::identity::revocation::Revocations;
use crate::identity::second_factor::SecondFactor;
use crate::identity::server_certificate::ServerCertificate;
use crate::identity::token_key_file;
use crate::ingest::{Ingest, IngestConfig, Writers};
use crate::linking::model::Models;
use crate::linking::{Linking, Workers};
use crate::rules::{Rules, RulesError};
use crate::statistics::calendar::Calendar;
use crate::statistics::{feeds, fold, nightly, verify};
use crate::supervision::edition;
use crate::supervision::worker::Supervision;
use crate::telemetry::exporter;
use crate::traffic::Traffic;
use crate::transport::{Stop, TlsSetupError, TrustedProxies, forwarded};
use doors::Doors;
pub use rotation::{SettleError, settle};
use services::Services;

/// Why the hub does not run.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error(transparent)]
    Certificate(#[from] AuthorityError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Provider(#[from] TrustError),
    #[error("keep checkpoints of the audit log: {0}")]
    Checkpoints(#[from] ArchiveError),
    #[error(transparent)]
    Rules(#[from] RulesError),
    #[error(transparent)]
    TokenKey(#[from] SettleError),
    #[error(transparent)]
    SupervisionRules(#[from] edition::EditionError),
    #[error("read what is revoked: {0}")]
    Revocations(#[source] sqlx::Error),
    #[error("count the statistics again: {0}")]
    Counting(#[source] sqlx::Error),
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    #[error("listen on {address} ([{section}] listen): {source}")]
    Listen {
        section: &'static str,
        address: SocketAddr,
        source: io::Error,
    },
    #[error("announce the addresses in {file}: {source}")]
    Announce { file: String, source: io::Error },
    #[error("set the metrics up: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    #[error("set signals up: {0}")]
    Signals(io::Error),
    #[error("a second signal ended the hub before it had drained")]
    Forced,
}

/// A hub that serves.
#[derive(Debug)]
pub struct App {
    config: Config,
    addresses: Addresses,
    rest: http::Api,
    agents: grpc::Agents,
    health: Health,
    database: Database,
    listeners: TaskTracker,
    entrance: Arc<Entrance>,
    writers: Writers,
    linkers: Workers,
    background: Tasks,
    stop: Stop,
}

/// Tasks that end together.
#[derive(Debug, Default)]
struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Runs a worker, and begins it again should a defect end it.
    fn keep<F>(
        &self,
        worker: &'static str,
        mut begin: impl FnMut(CancellationToken) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, told) = (self.stop.clone(), self.stop.clone());
        self.tracker
            .spawn(kept(worker, stop, move || begin(told.clone())));
    }

    /// Asks all to end and waits until they have.
    async fn end(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// Runs the hub until SIGTERM or SIGINT, then drains it. A second signal ends it at once.
pub async fn serve(config: Config) -> Result<(), AppError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(AppError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(AppError::Signals)?;
    let mut asked_to_stop = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let app = tokio::select! {
        app = App::start(config) => app?,
        // Before the hub serves there is nothing to drain.
        () = asked_to_stop() => return Ok(()),
    };
    watch::tell_service_manager(sd_notify::NotifyState::Ready);
    asked_to_stop().await;
    watch::tell_service_manager(sd_notify::NotifyState::Stopping);
    tracing::info!("draining");
    tokio::select! {
        stopped = app.stop() => stopped?,
        () = asked_to_stop() => return Err(AppError::Forced),
    }
    tracing::info!("stopped");
    Ok(())
}

impl App {
    /// Builds everything and begins to serve.
    pub async fn start(config: Config) -> Result<Self, AppError> {
        Addresses::withdraw(&config.addresses_file()).map_err(announce_failed(&config))?;
        let metrics = exporter::install()?;
        let mut pki = Pki::load(&config)?;
        let authority = Arc::new(pki.authority);
        let now = OffsetDateTime::now_utc();
        let certificate = Arc::new(ServerCertificate::load_or_make(&config, &authority, now)?);
        let database = Database::open_as_owner(&config).await?;
        // A step that was committed is taken to its end here.
        rotation::settle(&config, &database.general).await?;
        pki.token_keys = token_key_file::load(&config.pki_dir())?;
        let (revocations, reader) = Revocations::load(database.general.clone())
            .await
            .map_err(AppError::Revocations)?;
        let rules = Rules::load(&database.general).await?;
        let supervision_rules = edition::Current::load(&database.general).await?;
        watch::calendar(&Calendar::builtin(), now);
        count_again_if_due(&database).await?;
        let health = Health::new().await;
        let traffic = Traffic::new(config.background.share_percent);
        let (ingest, writers) = Ingest::start(
            database.writers.clone(),
            rules.clone(),
            Calendar::builtin(),
            traffic.clone(),
            IngestConfig {
                writers: config.ingest.writers,
                first_token_key: pki.token_keys.present.id(),
            },
        );
        let checkpoint_key = Arc::new(key_file::load_or_make(&config)?);
        let (audit, log) = Audit::new(database.audit.clone(), Arc::clone(&checkpoint_key));
        let checkpoints = Arc::new(Checkpoints::open(
            database.general.clone(),
            checkpoint_key,
            config.checkpoint_dir(),
        )?);
        let sessions = Arc::new(Sessions::new(
            database.general.clone(),
            pki.session_keys,
            config.identity.session_ttl.into(),
            revocations.clone(),
            SecondFactor::new(
                pki.account_keys.second_factors,
                config.identity.second_factor.clone(),
            ),
            pki.account_keys.passwords,
        ));
        let provider = match &config.oidc {
            Some(oidc) => {
                let second_factor = config.identity.second_factor.clone();
                Some(Arc::new(Provider::new(oidc, second_factor)?))
            }
            None => None,
        };
        let entrance = Arc::new(Entrance::new(
            database.general.clone(),
            Arc::clone(&sessions),
            audit.clone(),
        ));
        let models = Models::default();
        let background = Tasks::default();
        let exports = Exports::new(
            audit.clone(),
            Known {
                pool: database.general.clone(),
                rules: supervision_rules.clone(),
            },
            config.exports.keep.into(),
            background.tracker.clone(),
            background.stop.clone(),
        );
        let services = Services::new(
            &config,
            &database,
            Arc::clone(&authority),
            pki.token_keys,
            Arc::clone(&sessions),
            provider,
            Arc::clone(&entrance),
            revocations.clone(),
            health.clone(),
            ingest,
            audit,
            models.clone(),
            Arc::clone(&checkpoints),
            rules.clone(),
            supervision_rules.clone(),
            exports.clone(),
            traffic.clone(),
        );
        let doors = Doors::bind(&config, &authority, Arc::clone(&certificate), revocations).await?;
        let addresses = doors.addresses;

        background.keep("revocations", move |stop| reader.clone().run(stop));
        // It ends behind the log, when everything is recorded.
        let (grown, of_audit) = (log.grown(), config.audit.clone());
        background.keep("checkpoints", move |_| {
            let (every, entries) = (of_audit.checkpoint_every, of_audit.checkpoint_entries);
            Arc::clone(&checkpoints).run(every.into(), entries.get().into(), grown.clone())
        });
        // A defect ends none of its rounds but the one in which it happens.
        background.tracker.spawn(log.run(background.stop.clone()));
        let door = Arc::clone(&entrance);
        background.keep("entrance", move |stop| Arc::clone(&door).run(stop));
        let (followed, general) = (rules.clone(), database.general.clone());
        background.keep("rules", move |stop| {
            followed.clone().follow(general.clone(), stop)
        });
        let general = database.general.clone();
        background.keep("supervision_rules", move |stop| {
            supervision_rules.clone().follow(general.clone(), stop)
        });
        let (pools, told) = (database.pools(), health.clone());
        background.keep("database", move |stop| {
            watch::database(pools.clone(), told.clone(), stop)
        });
        background.keep("service_manager", watch::service_manager);
        background.keep("exports", move |stop| exports.clone().sweep(stop));
        let figures = database.general.clone();
        background.keep("next_tokens", move |stop| {
            watch::next_tokens(figures.clone(), stop)
        });
        let figures = database.general.clone();
        background.keep("slots", move |stop| watch::slots(figures.clone(), stop));
        let figures = database.general.clone();
        background.keep("nightly", move |stop| {
            nightly::run(figures.clone(), Calendar::builtin(), stop)
        });
        let figures = database.general.clone();
        background.keep("feeds", move |stop| {
            feeds::run(figures.clone(), Calendar::builtin(), stop)
        });
        let (figures, yields) = (database.general.clone(), traffic.clone());
        background.keep("fold", move |stop| {
            fold::run(figures.clone(), yields.clone(), stop)
        });
        let keys = rotation::Keys {
            config: config.clone(),
            pool: database.general.clone(),
            authority: Arc::clone(&authority),
            certificate: Arc::clone(&certificate),
            sessions,
            enrolment: services.enrolment(),
        };
        background.keep("keys", move |stop| keys.clone().follow(stop));
        let own = config.clone();
        background.keep("server_certificate", move |stop| {
            let (authority, certificate) = (Arc::clone(&authority), Arc::clone(&certificate));
            watch::server_certificate(own.clone(), authority, certificate, stop)
        });
        let supervision = Supervision {
            pool: database.supervision.clone(),
            ..services.supervision()
        };
        let yields = traffic.clone();
        background.keep("supervision", move |stop| {
            supervision.clone().run(yields.clone(), stop)
        });
        let linking = Linking::new(database.linking.clone(), models, rules);
        let linkers = linking.start(config.linking.workers, &traffic);
        let listeners = TaskTracker::new();
        let doors_stop = Stop::default();
        let metrics_door = doors.open(
            services.agents().router(),
            services.people().layer(from_fn_with_state(
                TrustedProxies::new(&config.people.trusted_proxies),
                forwarded,
            )),
            &doors_stop,
            &listeners,
        );
        let (metrics_door, told) = (exporter::Door::new(metrics_door), health.clone());
        background.keep("exporter", move |stop| {
            exporter::serve(metrics_door.clone(), metrics.clone(), told.clone(), stop)
        });
        health.set(Standing::Serving).await;
        addresses
            .announce(&config.addresses_file())
            .map_err(announce_failed(&config))?;
        log_ready(&addresses);
        Ok(Self {
            config,
            addresses,
            rest: services.rest(),
            agents: services.agents(),
            health,
            database,
            listeners,
            entrance,
            writers,
            linkers,
            stop: doors_stop,
            background,
        })
    }

    /// What its REST interface is made of, for whoever puts another gate before the same routes.
    pub fn rest(&self) -> http::Api {
        self.rest.clone()
    }

    /// The same of what offices' agents call.
    pub fn agents(&self) -> grpc::Agents {
        self.agents.clone()
    }

    /// Where it listens.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Drains: not serving → no new connections or calls → open calls end, within the grace period → what was taken
    /// in is committed, persons are linked as far as work is under way → what runs beside them ends → the database goes last.
    pub async fn stop(self) -> Result<(), AppError> {
        self.health.set(Standing::Draining).await;
        self.stop.drain.cancel();
        self.listeners.close();
        let grace = self.config.limits.drain.into();
        if timeout(grace, self.listeners.wait()).await.is_err() {
            tracing::warn!("some calls did not end within the grace period and are cut");
            self.stop.kill.cancel();
            self.listeners.wait().await;
        }
        self.entrance.close().await;
        self.writers.shutdown(grace).await;
        self.linkers.shutdown().await;
        self.background.end().await;
        self.database.close().await?;
        // The next hub does the same at its start; a file that cannot be removed harms nobody now.
        let _ = Addresses::withdraw(&self.config.addresses_file());
        Ok(())
    }
}

/// Cells counted by other rules or another calendar than this hub's are counted again before anything is stored.
async fn count_again_if_due(database: &Database) -> Result<(), AppError> {
    let due = verify::rebuild_if_due(&database.general, &Calendar::builtin()).await;
    if let Some(cells) = due.map_err(AppError::Counting)? {
        tracing::info!(
            cells,
            "the statistics were counted again by this hub's rules and calendar"
        );
    }
    let scored = crate::store::filing::score_again_if_due(&database.general).await;
    scored.map_err(AppError::Counting)
}

fn announce_failed(config: &Config) -> impl FnOnce(io::Error) -> AppError {
    let file = config.addresses_file().display().to_string();
    move |source| AppError::Announce { file, source }
}

fn log_ready(addresses: &Addresses) {
    tracing::info!(
        agents = %addresses.agents,
        people = %addresses.people,
        metrics = %addresses.metrics,
        version = env!("CARGO_PKG_VERSION"),
        "ready"
    );
}
