//! The loopback endpoint: status, health and metrics; pushes are merged in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::config::Config;
use crate::identity::Identities;
use crate::outbox::{Outbox, OutboxError};
use crate::source::SourceStates;
use crate::status::{Compared, Status};
use crate::sync::SyncState;

/// What the endpoint tells about.
#[derive(Clone)]
pub(super) struct Local {
    pub(super) config: Arc<Config>,
    pub(super) identities: Identities,
    pub(super) outbox: Outbox,
    pub(super) sync: watch::Receiver<SyncState>,
    pub(super) compared: watch::Receiver<Option<Compared>>,
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

async fn status(State(local): State<Local>) -> Result<Json<Status>, Unwell> {
    let outbox = local.outbox.summary().await?;
    let identity = Arc::clone(&local.identities.borrow());
    let sync = local.sync.borrow().clone();
    let status = Status::of_running(&local.config, &identity, sync, outbox, &local.sources);
    Ok(Json(Status {
        compared: *local.compared.borrow(),
        ..status
    }))
}

async fn healthz(State(local): State<Local>) -> Result<&'static str, Unwell> {
    local.outbox.backlog().await?;
    let ends = local.identities.borrow().not_after();
    if ends < OffsetDateTime::now_utc() {
        return Err(Unwell::CertificateEnded { ends });
    }
    match local.sync.borrow().identity_refused {
        true => Err(Unwell::IdentityRefused),
        false => Ok("ok\n"),
    }
}

/// Why the agent is of no use as it is.
#[derive(Debug, thiserror::Error)]
enum Unwell {
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    #[error("the certificate ended at {ends} and is not renewed yet; see `office-agent status`")]
    CertificateEnded { ends: OffsetDateTime },
    #[error("the hub refuses this office's identity; see `office-agent status`")]
    IdentityRefused,
}

impl IntoResponse for Unwell {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, format!("{self}\n")).into_response()
    }
}
