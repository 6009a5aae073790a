//! The running hub: what is built in which order, and taken down in the opposite one.

mod addresses;
mod background;
mod database;
mod doors;
mod parts;
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
use tokio_util::task::TaskTracker;

use crate::audit::archive::ArchiveError;
use crate::config::Config;
use crate::grpc;
use crate::grpc::health::Standing;
use crate::http;
use crate::identity::account::oidc::TrustError;
use crate::identity::pki::authority::AuthorityError;
use crate::identity::pki::server_certificate::ServerCertificate;
use crate::identity::pki::token_key_file;
use crate::identity::pki::{Pki, PkiError, ca};
use crate::ingest::Writers;
use crate::linking::{Linking, Workers};
use crate::rules::RulesError;
use crate::statistics::calendar::Calendar;
use crate::statistics::verify;
use crate::supervision::edition;
use crate::telemetry::exporter;
use crate::transport::{Stop, TlsSetupError, TrustedProxies, forwarded};
use background::Tasks;
use doors::Doors;
use parts::Parts;
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
    services: Services,
    database: Database,
    listeners: TaskTracker,
    writers: Writers,
    linkers: Workers,
    background: Tasks,
    stop: Stop,
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
        // A folder that cannot be written is read as it is.
        if let Err(error) = ca::settle(&config) {
            tracing::warn!(%error, "the pki folder could not be made what ca.toml says");
        }
        let mut pki = Pki::load(&config)?;
        let now = OffsetDateTime::now_utc();
        let certificate = ServerCertificate::load_or_make(&config, &pki.authority, now)?;
        let certificate = Arc::new(certificate);
        let database = Database::open_as_owner(&config).await?;
        database.reserve().await?;
        // A step that was committed is taken to its end here.
        rotation::settle(&config, &database.general).await?;
        pki.token_keys = token_key_file::load(&config.pki_dir())?;
        watch::calendar(&Calendar::builtin(), now);
        count_again_if_due(&database).await?;
        let background = Tasks::default();
        let (parts, engines, writers) = Parts::build(&config, &database, pki, &background).await?;
        let services = Services::new(&config, &database, parts);
        let parts = &services.parts;
        let (authority, revocations) = (&parts.authority, parts.revocations.clone());
        let doors = Doors::bind(&config, authority, Arc::clone(&certificate), revocations).await?;
        let addresses = doors.addresses;

        background::begin(
            &background,
            &config,
            &database,
            &services,
            &certificate,
            engines,
        );
        let (models, rules) = (parts.models.clone(), parts.rules.clone());
        let linking = Linking::new(database.linking.clone(), models, rules);
        let linkers = linking.start(config.linking.workers, &parts.traffic);
        let (listeners, stop) = (TaskTracker::new(), Stop::default());
        let proxies = TrustedProxies::new(&config.people.trusted_proxies);
        let people = services
            .people()
            .layer(from_fn_with_state(proxies, forwarded));
        let door = doors.open(services.agents().router(), people, &stop, &listeners);
        let told = (exporter::Door::new(door), metrics, parts.health.clone());
        background.keep("exporter", told, |(door, metrics, health), stop| {
            exporter::serve(door, metrics, health, stop)
        });
        parts.health.set(Standing::Serving).await;
        addresses
            .announce(&config.addresses_file())
            .map_err(announce_failed(&config))?;
        log_ready(&addresses);
        Ok(Self {
            config,
            addresses,
            services,
            database,
            listeners,
            writers,
            linkers,
            background,
            stop,
        })
    }

    /// What its REST interface is made of, for whoever puts another gate before the same routes.
    pub fn rest(&self) -> http::Api {
        self.services.rest()
    }

    /// The same of what offices' agents call.
    pub fn agents(&self) -> grpc::Agents {
        self.services.agents()
    }

    /// Where it listens.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Drains: not serving → no new connections or calls → open calls end, within the grace period → what was taken
    /// in is committed, persons are linked as far as work is under way → what runs beside them ends → the database goes last.
    pub async fn stop(self) -> Result<(), AppError> {
        let parts = &self.services.parts;
        parts.health.set(Standing::Draining).await;
        self.stop.drain.cancel();
        self.listeners.close();
        let grace = self.config.limits.drain.into();
        if timeout(grace, self.listeners.wait()).await.is_err() {
            tracing::warn!("some calls did not end within the grace period and are cut");
            self.stop.kill.cancel();
            self.listeners.wait().await;
        }
        parts.entrance.close().await;
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
    let scored = crate::filing::score::again_if_due(&database.general).await;
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
