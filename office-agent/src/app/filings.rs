//! `POST /v1/filings`: a case system, or another program of the office, hands in what is not a case, in the form of
//! `office-agent file`. It is answered when the hub has recorded it: nothing is kept here, and the same content again has
//! no second effect. Like pushed cases it needs no sign-in and no browser is answered.

use std::sync::Arc;

use axum::extract::rejection::StringRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::Serialize;
use zeroize::Zeroizing;

use super::refusal::Refusal;
use crate::config::Config;
use crate::filing::{self, Receipt};
use crate::identity::Identities;
use crate::source::push::guarded;

/// Largest body, bytes: the special paper of a large office's year.
const BODY: usize = 1 << 20;
/// Filings of one call; each is a call of the hub.
const MOST: usize = 100;

/// With what filings are handed in.
#[derive(Clone)]
pub(super) struct Filings {
    pub(super) config: Arc<Config>,
    pub(super) identities: Identities,
}

/// What the hub says of each, in the order of the call.
#[derive(Serialize)]
struct Filed {
    receipts: Vec<Receipt>,
}

impl Filings {
    pub(super) fn router(self) -> Router {
        let router = Router::new()
            .route("/v1/filings", post(file).layer(DefaultBodyLimit::max(BODY)))
            .with_state(self);
        guarded(router)
    }
}

async fn file(
    State(filings): State<Filings>,
    body: Result<String, StringRejection>,
) -> Result<Json<Filed>, Refusal> {
    let body = Zeroizing::new(body.map_err(|rejection| Refusal::of_body(rejection.status()))?);
    let ready = filing::read(&body)?;
    if ready.len() > MOST {
        return Err(Refusal::of_body(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let identity = Arc::clone(&filings.identities.borrow());
    let receipts = filing::hand_in(&filings.config, &identity, &ready).await?;
    tracing::info!(filings = receipts.len(), "filings handed in");
    Ok(Json(Filed { receipts }))
}
