//! The loopback endpoint: status, health and metrics; pushes are merged in. It has no sign-in, so it answers
//! nobody who reaches it under a name that is not this machine's own (DNS rebinding from a browser).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::middleware::{Next, from_fn};
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

/// Lets through only what was addressed to this machine.
pub(super) fn guarded(router: Router) -> Router {
    router.layer(from_fn(own_name_only))
}

async fn own_name_only(request: Request, next: Next) -> Response {
    let named = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| {
            request
                .uri()
                .authority()
                .map(|authority| authority.as_str())
        });
    if named.is_some_and(|host| !is_own(host)) {
        return (StatusCode::FORBIDDEN, "only under a loopback name\n").into_response();
    }
    next.run(request).await
}

fn is_own(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    matches!(name, Some("localhost" | "127.0.0.1" | "::1"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_own_names_are_answered() {
        for own in [
            "localhost",
            "localhost:7800",
            "127.0.0.1:7800",
            "[::1]:7800",
        ] {
            assert!(is_own(own), "{own}");
        }
        for other in ["evil.example", "127.0.0.1.evil.example:7800", "", "[::2]:1"] {
            assert!(!is_own(other), "{other}");
        }
    }
}
