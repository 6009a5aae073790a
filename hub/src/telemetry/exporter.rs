//! `/metrics` and `/healthz` for the machine's own monitoring: plain HTTP on loopback.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use metrics::gauge;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::metrics::{self as names, BUILD_INFO};
use crate::grpc::health::{Health, Standing};

const SECONDS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];
const COUNTS: [f64; 9] = [1.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 2500.0, 5000.0];
/// Histograms keep raw samples until somebody takes them in.
const UPKEEP: Duration = Duration::from_secs(5);
/// How long a request may take to end when the hub stops.
const LAST_SCRAPE: Duration = Duration::from_secs(2);
/// Pause after an error of accept(2).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Installs the recorder of this process and describes every metric to it; later calls return the same.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    static INSTALLED: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*installed {
        return Ok(handle.clone());
    }
    let handle = builder()?.install_recorder()?;
    names::describe();
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(installed.insert(handle).clone())
}

/// What `/metrics` tells once everything has happened that is counted: every metric, labels aside. For checking
/// what is built on the names.
pub fn catalogue() -> Result<String, BuildError> {
    let recorder = builder()?.build_recorder();
    metrics::with_local_recorder(&recorder, names::touch);
    Ok(recorder.handle().render())
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_records".into()), &COUNTS)?
        .set_buckets_for_metric(Matcher::Suffix("_entries".into()), &COUNTS)
}

/// The listener of whoever answers, and of whoever does after a defect.
#[derive(Clone, Debug)]
pub struct Door(Arc<TcpListener>);

impl Door {
    pub fn new(listener: TcpListener) -> Self {
        Self(Arc::new(listener))
    }
}

impl axum::serve::Listener for Door {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok(accepted) => return accepted,
                // Without a free file descriptor the next try fails as well.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Answers until `stop`.
pub async fn serve(
    listener: Door,
    handle: PrometheusHandle,
    health: Health,
    stop: CancellationToken,
) {
    let upkeep = handle.clone();
    let router = Router::new()
        .route(
            "/metrics",
            get(async move |State(handle): State<PrometheusHandle>| handle.render()),
        )
        .with_state(handle)
        .route("/healthz", get(healthz).with_state(health));
    let serving =
        axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    let upkeep = async {
        let mut ticks = tokio::time::interval(UPKEEP);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            upkeep.run_upkeep();
        }
    };
    let serving = async {
        tokio::select! {
            served = serving.into_future() => served,
            // A monitor that never finishes its request does not keep the hub from stopping.
            () = async { stop.cancelled().await; tokio::time::sleep(LAST_SCRAPE).await } => Ok(()),
        }
    };
    let (served, ()) = tokio::join!(serving, upkeep);
    if let Err(error) = served {
        tracing::error!(%error, "the metrics listener ended");
    }
}

async fn healthz(State(health): State<Health>) -> (StatusCode, &'static str) {
    match health.standing().await {
        Standing::Serving => (StatusCode::OK, "serving\n"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "not serving\n"),
    }
}
