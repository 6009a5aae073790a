//! Whether a call's tokens are made with the city's key. Tokens of another one would be found nowhere, and nobody would
//! know.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use sqlx::PgPool;
use tonic::Status;

use super::error::database;
use super::guard::refuse;
use crate::recent::Recent;
use crate::refusal::Refusal;
use crate::store::token_key::{self, InForce, NotEntered, Standing, Told};

/// Metadata that names the token key which a call's tokens are made with.
const TOKEN_KEY_ID: &str = "token-key-id";
/// Calls that look for tokens, or compare what was made of them.
const WITH_TOKENS: [&str; 4] = [
    "/notary.hub.v1.LookupService/CheckApplication",
    "/notary.hub.v1.LookupService/BatchCheck",
    "/notary.hub.v1.LookupService/FindPerson",
    "/notary.hub.v1.SyncService/Digest",
];
/// How long a key that was read speaks for the moment before a call.
const FRESH: Duration = Duration::from_secs(1);

/// The key in force. No key comes into force again once another followed it: the same one read at any time before a
/// call and again behind it was in force all along. Of calls that end together, one reads for all.
#[derive(Clone, Debug)]
pub(super) struct TokenKey {
    pool: PgPool,
    standing: Arc<Recent<Standing>>,
}

impl TokenKey {
    pub(super) fn new(pool: PgPool) -> Self {
        Self {
            pool,
            standing: Arc::default(),
        }
    }

    async fn read(&self) -> Result<Standing, Status> {
        let standing = token_key::standing(&self.pool).await;
        standing.map_err(|error| database(&error))
    }

    /// The key as it is from now on.
    async fn anew(&self) -> Result<Standing, Status> {
        self.standing.since(Instant::now(), self.read()).await
    }

    async fn before(&self, told: Told) -> Result<Option<InForce>, Status> {
        let standing = self.standing.within(FRESH, self.read()).await?;
        match standing.admits(told.0) {
            true => Ok(standing.present),
            // The caller may know of a change that was not read yet.
            false => admitted(self.anew().await?, told),
        }
    }

    async fn behind(&self, told: Told, before: Option<InForce>) -> Result<(), Status> {
        match admitted(self.anew().await?, told)? == before {
            true => Ok(()),
            false => Err(Refusal::from(&NotEntered::Changing).into()),
        }
    }
}

fn admitted(standing: Standing, told: Told) -> Result<Option<InForce>, Status> {
    match standing.admits(told.0) {
        true => Ok(standing.present),
        false => Err(Refusal::from(&NotEntered::OtherKey).into()),
    }
}

/// Looked at before and behind a call that looks for tokens: the city may go over to another key meanwhile. Whoever
/// stores them looks in the transaction that stores them, by what the call's metadata says.
pub(super) async fn is_the_citys(
    State(key): State<TokenKey>,
    mut request: Request,
    next: Next,
) -> Response {
    let told = told_key(request.headers());
    request.extensions_mut().insert(told);
    if !WITH_TOKENS.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let before = match key.before(told).await {
        Ok(before) => before,
        Err(status) => return refuse(status),
    };
    let response = next.run(request).await;
    match key.behind(told, before).await {
        Ok(()) => response,
        Err(status) => refuse(status),
    }
}

/// The key that the call's tokens are made with, as its metadata has it.
fn told_key(headers: &HeaderMap) -> Told {
    let told = headers.get(TOKEN_KEY_ID).and_then(|id| id.to_str().ok());
    Told(told.and_then(|id| id.parse().ok()))
}

/// The same of a call that has come to its handler.
pub(super) fn told_by<T>(request: &tonic::Request<T>) -> Told {
    request.extensions().get().copied().unwrap_or_default()
}
