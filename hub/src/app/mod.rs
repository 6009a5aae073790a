//! The running hub: what is built in which order, and taken down in the opposite one.

mod addresses;
mod database;
mod watch;

pub use addresses::Addresses;
pub use database::{Database, DatabaseError};

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{self, Config};
use crate::grpc;
use crate::grpc::health::{Health, Standing};
use crate::identity::account::Sessions;
use crate::identity::authority::{Authority, AuthorityError};
use crate::identity::enrol::Enrolment;
use crate::identity::pki::{Pki, PkiError};
use crate::identity::revocation::Revocations;
use crate::identity::server_certificate::ServerCertificate;
use crate::telemetry::exporter;
use crate::transport::{Audience, Listener, Stop, TlsSetupError, agents_tls, people_tls};

/// Why the hub does not run.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error(transparent)]
    Certificate(#[from] AuthorityError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("read what is revoked: {0}")]
    Revocations(#[source] sqlx::Error),
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
    addresses: Addresses,
    health: Health,
    database: Database,
    stop: Stop,
    listeners: TaskTracker,
    /// Ends what runs beside the listeners.
    background_stop: CancellationToken,
    background: TaskTracker,
    grace: Duration,
    addresses_file: PathBuf,
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
        let now = OffsetDateTime::now_utc();
        let pki = Pki::load(&config)?;
        let authority = Arc::new(pki.authority);
        let certificate = Arc::new(ServerCertificate::load_or_make(&config, &authority, now)?);
        let database = Database::open_as_owner(&config).await?;
        let (revocations, revocations_reader) = Revocations::load(database.general.clone())
            .await
            .map_err(AppError::Revocations)?;

        let health = Health::new().await;
        let stop = Stop::default();
        let (background, background_stop) = (TaskTracker::new(), CancellationToken::new());
        background.spawn(revocations_reader.run(background_stop.clone()));
        background.spawn(watch::database(
            database.general.clone(),
            health.clone(),
            background_stop.clone(),
        ));
        background.spawn(watch::service_manager(background_stop.clone()));
        background.spawn(watch::server_certificate(
            config.clone(),
            Arc::clone(&authority),
            Arc::clone(&certificate),
            background_stop.clone(),
        ));

        let enrolment = Arc::new(Enrolment::new(
            database.general.clone(),
            Arc::clone(&authority),
            pki.token_key,
        ));
        let sessions = Arc::new(Sessions::new(
            database.general.clone(),
            pki.session_keys,
            config.identity.session_ttl.into(),
        ));
        let agents_router = grpc::Agents {
            enrolment: Arc::clone(&enrolment),
            revocations: revocations.clone(),
            health: health.clone(),
        }
        .router();
        let people_router = grpc::People {
            enrolment,
            sessions,
            health: health.clone(),
        }
        .router();

        let (agents, people) = listen(&config, &authority, certificate, revocations).await?;
        let metrics_listener = bind("metrics", config.metrics.listen).await?;
        let addresses = Addresses {
            agents: bound("agents", &config.agents, agents.local_addr())?,
            people: bound("people", &config.people, people.local_addr())?,
            metrics: bound("metrics", &config.metrics, metrics_listener.local_addr())?,
        };
        let listeners = TaskTracker::new();
        listeners.spawn(agents.serve(agents_router, stop.clone()));
        listeners.spawn(people.serve(people_router, stop.clone()));
        background.spawn(exporter::serve(
            metrics_listener,
            metrics,
            health.clone(),
            background_stop.clone(),
        ));
        health.set(Standing::Serving).await;
        addresses
            .announce(&config.addresses_file())
            .map_err(announce_failed(&config))?;
        tracing::info!(
            agents = %addresses.agents,
            people = %addresses.people,
            metrics = %addresses.metrics,
            version = env!("CARGO_PKG_VERSION"),
            "ready"
        );
        Ok(Self {
            addresses,
            health,
            database,
            stop,
            listeners,
            background_stop,
            background,
            grace: config.limits.drain.into(),
            addresses_file: config.addresses_file(),
        })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Drains: not serving → no new connections or calls → open calls end, within the grace period → what runs
    /// beside them ends → the database goes last.
    pub async fn stop(self) -> Result<(), AppError> {
        self.health.set(Standing::Draining).await;
        self.stop.drain.cancel();
        self.listeners.close();
        if tokio::time::timeout(self.grace, self.listeners.wait())
            .await
            .is_err()
        {
            tracing::warn!("some calls did not end within the grace period and are cut");
            self.stop.kill.cancel();
            self.listeners.wait().await;
        }
        self.background_stop.cancel();
        self.background.close();
        self.background.wait().await;
        self.database.close().await?;
        // The next hub does the same at its start; a file that cannot be removed harms nobody now.
        let _ = Addresses::withdraw(&self.addresses_file);
        Ok(())
    }
}

fn announce_failed(config: &Config) -> impl FnOnce(io::Error) -> AppError {
    let file = config.addresses_file().display().to_string();
    move |source| AppError::Announce { file, source }
}

async fn listen(
    config: &Config,
    authority: &Authority,
    certificate: Arc<ServerCertificate>,
    revocations: Revocations,
) -> Result<(Listener, Listener), AppError> {
    let oldest = config.tls.minimum_version;
    let trust_domain = authority.trust_domain();
    let tls = agents_tls(
        certificate.clone(),
        authority.certificate(),
        trust_domain,
        oldest,
    )?;
    let audience = Audience::Agents {
        trust_domain: trust_domain.clone(),
        revocations,
    };
    let limits = || config.limits.clone();
    let failed = |section, address| {
        move |source| AppError::Listen {
            section,
            address,
            source,
        }
    };
    let address = config.agents.listen;
    let agents = Listener::bind(address, audience, tls, limits())
        .await
        .map_err(failed("agents", address))?;
    let address = config.people.listen;
    let tls = people_tls(certificate, oldest)?;
    let people = Listener::bind(address, Audience::People, tls, limits())
        .await
        .map_err(failed("people", address))?;
    Ok((agents, people))
}

async fn bind(section: &'static str, address: SocketAddr) -> Result<TcpListener, AppError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| AppError::Listen {
            section,
            address,
            source,
        })
}

fn bound(
    section: &'static str,
    configured: &config::Listener,
    bound: io::Result<SocketAddr>,
) -> Result<SocketAddr, AppError> {
    bound
        .map(config::Listener::reachable)
        .map_err(|source| AppError::Listen {
            section,
            address: configured.listen,
            source,
        })
}
