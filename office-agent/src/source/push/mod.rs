//! A source that calls: the case system hands rows over on loopback and is answered when they are durable.
//!
//! The endpoint has no sign-in, so what a browser may have sent for somebody else is refused: see `guard`.

mod grpc;
mod guard;
mod http;
mod value;

pub(crate) use guard::{addressed_to_loopback, guarded};

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use notary_proto::hub::v1 as wire;
use tower::limit::GlobalConcurrencyLimitLayer;

use crate::config::SourceName;
use crate::outbox::{Disposition, Entry, Outbox, OutboxError};
use crate::pipeline::Pipeline;
use crate::source::row::{Found, Row};

pub use value::{NoValue, Reason};

/// Rows of one call.
pub const MOST_ROWS: usize = 1000;
/// Bytes of one call: a thousand wide rows several times over.
pub const MOST_BYTES: usize = 16 << 20;
/// Calls at once, which bounds the memory they take together.
const AT_ONCE: usize = 4;
/// How long one call may take. A caller that stops in the middle would keep its place among the few for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes the rows of all sources of kind `push`. Clones share it.
#[derive(Clone)]
pub struct PushEndpoint {
    sources: Arc<BTreeMap<SourceName, Pipeline>>,
    outbox: Outbox,
    patience: Duration,
}

/// Why a call was not taken. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// No such source.
    #[error(
        "no [[source]] of kind \"push\" has the name of the address; `check-config` lists them"
    )]
    UnknownSource,
    /// Too much at once.
    #[error("{0} rows at once; send at most {MOST_ROWS}")]
    TooManyRows(usize),
    /// A value that no column has.
    #[error("row {row}: {value}")]
    NoValue {
        /// Index in the call.
        row: usize,
        /// What and where.
        value: NoValue,
    },
    /// The rows could not be made durable.
    #[error("the rows are not stored: {0}; send them again")]
    Outbox(#[from] OutboxError),
    /// Mapping was cut short by the agent's end.
    #[error("the agent is stopping; send the rows again")]
    Stopping,
}

/// What became of the rows of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Pushed {
    /// Rows that are now in the outbox.
    pub accepted: u32,
    /// Rows whose content the outbox had already, or of whose case it had a higher revision.
    pub unchanged: u32,
    /// Rows that were refused.
    pub rejects: Vec<RowReject>,
}

/// Why a row was refused.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RowReject {
    /// Index in the call, from 0.
    pub row: u32,
    /// Stable rule id.
    pub rule_id: String,
    /// Canonical field at fault.
    pub field: String,
}

impl PushEndpoint {
    /// An endpoint for sources with their pipelines.
    pub fn new(outbox: Outbox, sources: impl IntoIterator<Item = (SourceName, Pipeline)>) -> Self {
        Self {
            sources: Arc::new(sources.into_iter().collect()),
            outbox,
            patience: PATIENCE,
        }
    }

    /// HTTP and gRPC on the same port, guarded; to be merged into what else listens there.
    pub fn router(self) -> Router {
        let calls = GlobalConcurrencyLimitLayer::new(AT_ONCE);
        let in_time = from_fn_with_state(self.patience, in_time);
        let router = http::router(self.clone()).merge(grpc::router(self));
        // The wait for a place among the calls does not count.
        guarded(router.layer(in_time).layer(calls))
    }

    /// Takes rows; they are durable, or named as rejects, when this returns.
    async fn push(&self, source: &str, rows: Vec<Row>) -> Result<Pushed, PushError> {
        let (source, pipeline) = self.source(source)?;
        if rows.len() > MOST_ROWS {
            return Err(PushError::TooManyRows(rows.len()));
        }
        let pipeline = pipeline.clone();
        let map = move || {
            let found = rows.into_iter().map(Found::Row);
            found.map(|row| pipeline.entry(row)).collect::<Vec<_>>()
        };
        let entries = tokio::task::spawn_blocking(map)
            .await
            .map_err(|_| PushError::Stopping)?;
        let rejects: Vec<_> = entries.iter().map(reject).collect();
        let dispositions = self.outbox.append(source, entries, None).await?;
        let pushed = Pushed::of(rejects, &dispositions);
        if pushed.rejects.is_empty() {
            // A row without a key is known by where it came from, which here is the source alone.
            let here = vec![location(source)];
            self.outbox.good_rows_at(source, here).await?;
        }
        tracing::info!(%source, accepted = pushed.accepted, unchanged = pushed.unchanged,
            rejected = pushed.rejects.len(), "rows pushed");
        Ok(pushed)
    }

    fn source(&self, name: &str) -> Result<(&SourceName, &Pipeline), PushError> {
        name.parse()
            .ok()
            .and_then(|name: SourceName| self.sources.get_key_value(&name))
            .ok_or(PushError::UnknownSource)
    }
}

/// Cuts a call short. What was stored all the same is recognised when it is sent again.
async fn in_time(State(patience): State<Duration>, request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(patience, next.run(request)).await;
    answer.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

/// Where rows of a push source stand.
fn location(source: &SourceName) -> String {
    format!("push:{source}")
}

fn reject(entry: &Entry) -> Option<(String, String)> {
    match entry {
        Entry::Case(_) => None,
        Entry::Rejected(wire::RejectedRecord { rule_id, field, .. }) => {
            Some((rule_id.clone(), field.clone()))
        }
    }
}

impl Pushed {
    fn of(rejects: Vec<Option<(String, String)>>, dispositions: &[Disposition]) -> Self {
        let mut pushed = Self::default();
        for (row, (reject, disposition)) in (0..).zip(rejects.into_iter().zip(dispositions)) {
            match (reject, disposition) {
                (Some((rule_id, field)), _) => pushed.rejects.push(RowReject {
                    row,
                    rule_id,
                    field,
                }),
                (None, Disposition::Stored) => pushed.accepted += 1,
                (None, Disposition::Unchanged | Disposition::Behind) => pushed.unchanged += 1,
            }
        }
        pushed
    }
}

impl fmt::Debug for PushEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushEndpoint")
            .field("sources", &self.sources.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
