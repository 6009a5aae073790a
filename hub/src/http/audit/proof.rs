//! Proofs that an entry is in the log, and that the log has only grown (RFC 6962).

use axum::extract::{Path, State};
use axum::{Extension, Json};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::audit::merkle::TreeHead;
use crate::audit::{Action, Outcome};
use crate::http::Api;
use crate::http::params::{Nothing, Params};
use crate::http::problem::{Problem, ProblemBody};
use crate::identity::Person;

/// That an entry is in a signed tree (RFC 6962).
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct InclusionAnswer {
    entry_no: i64,
    /// From 0.
    leaf_index: u64,
    /// Hex.
    leaf_hash: String,
    /// Hashes beside the way from the leaf to the root, hex.
    path: Vec<String>,
    /// Signed note of the tree's size and root (C2SP tlog-checkpoint).
    checkpoint: String,
}

/// Proves that an entry is in the newest checkpoint, or in one that is made for it. Asking is an entry of its own.
#[utoipa::path(
    get, path = "/api/v1/audit/entries/{entry_no}/proof", operation_id = "readAuditProof", tag = "audit",
    security(("session" = [])),
    params(("entry_no" = i64, Path, description = "Number of the entry")),
    responses(
        (status = 200, body = InclusionAnswer), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn inclusion(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Path(entry_no): Path<String>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<InclusionAnswer>, Problem> {
    let entry_no: i64 = entry_no.parse().map_err(|_| Problem::not_found())?;
    let inclusion = api.checkpoints.inclusion(entry_no).await?;
    let inclusion = inclusion.ok_or_else(Problem::not_found)?;
    let detail = json!({ "entry_no": entry_no });
    api.record(&person, Action::ProveAudit, Outcome::Done, detail)
        .await?;
    Ok(Json(InclusionAnswer {
        entry_no,
        leaf_index: inclusion.leaf_index,
        leaf_hash: HEXLOWER.encode(&inclusion.leaf_hash),
        path: hex(&inclusion.path),
        checkpoint: inclusion.checkpoint,
    }))
}

/// Sizes of two trees.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Sizes {
    /// Of an earlier checkpoint, from 1.
    from: u64,
    /// Of a later one.
    to: u64,
}

/// A tree.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct TreeAnswer {
    size: u64,
    /// Hex.
    root: String,
}

/// That one tree is the beginning of another (RFC 6962).
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ConsistencyAnswer {
    from: TreeAnswer,
    to: TreeAnswer,
    /// Hex.
    path: Vec<String>,
}

/// Proves that the log at one size is the beginning of the log at another. Asking is an entry of its own.
#[utoipa::path(
    get, path = "/api/v1/audit/consistency", operation_id = "readAuditConsistency", tag = "audit",
    security(("session" = [])), params(Sizes),
    responses(
        (status = 200, body = ConsistencyAnswer), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn consistency(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(sizes): Params<Sizes>,
) -> Result<Json<ConsistencyAnswer>, Problem> {
    let consistency = api.checkpoints.consistency(sizes.from, sizes.to).await?;
    let consistency = consistency.ok_or_else(Problem::not_found)?;
    let detail = json!({ "from": sizes.from, "to": sizes.to });
    api.record(&person, Action::ProveAudit, Outcome::Done, detail)
        .await?;
    Ok(Json(ConsistencyAnswer {
        from: consistency.from.into(),
        to: consistency.to.into(),
        path: hex(&consistency.path),
    }))
}

fn hex(hashes: &[[u8; 32]]) -> Vec<String> {
    hashes.iter().map(|hash| HEXLOWER.encode(hash)).collect()
}

impl From<TreeHead> for TreeAnswer {
    fn from(head: TreeHead) -> Self {
        Self {
            size: head.size,
            root: HEXLOWER.encode(&head.root),
        }
    }
}
