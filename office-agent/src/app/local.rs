//! The loopback endpoint: status, health and metrics; pushes are merged in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;

use crate::config::Config;
use crate::identity::Identities;
use crate::outbox::{Outbox, OutboxError};
use crate::source::SourceStates;
use crate::status::Status;
use crate::sync::SyncState;

/// What the endpoint tells about.
#[derive(Clone)]
pub(super) struct Local {
    pub(super) config: Arc<Config>,
    pub(super) identities: Identities,
    pub(super) outbox: Outbox,
    pub(super) sync: watch::Receiver<SyncState>,
    pub(super) sources: SourceStates,
    pub(super) metrics: PrometheusHandle,
}

impl Local {
    pub(super) fn router(self) -> Router {
        Router::new()
            .route("/v1/status", get(status))
            .route("/healthz", get(healthz))
            .route(
                "/metrics",
                get(async |State(local): State<Self>| local.metrics.render()),
            )
            .with_state(self)
    }
}

async fn status(State(local): State<Local>) -> Result<Json<Status>, Unreadable> {
    let outbox = local.outbox.summary().await?;
    let identity = Arc::clone(&local.identities.borrow());
    let sync = local.sync.borrow().clone();
    Ok(Json(Status::of_running(
        &local.config,
        &identity,
        sync,
        outbox,
        &local.sources,
    )))
}

async fn healthz(State(local): State<Local>) -> Result<&'static str, Unreadable> {
    local.outbox.backlog().await?;
    Ok("ok\n")
}

/// The outbox does not answer, and without it the agent is of no use.
struct Unreadable(OutboxError);

impl From<OutboxError> for Unreadable {
    fn from(error: OutboxError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Unreadable {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", self.0)).into_response()
    }
}
