//! Verifying the log part by part.

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::proof::TreeAnswer;
use crate::audit::{Action, Break, Outcome, window};
use crate::http::Api;
use crate::http::params::Params;
use crate::http::problem::{Problem, ProblemBody};
use crate::identity::Person;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Begin {
    /// Number of the last entry that was verified before: `through` of the answer before; 0 when absent.
    after: Option<i64>,
}

/// What walking a part of the log came to.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct VerificationAnswer {
    /// Nothing in this part is at fault.
    intact: bool,
    /// The part begins behind this entry, which is taken for granted.
    after: i64,
    /// Number of the last entry that fits.
    through: i64,
    /// Number of the last entry of this part that a kept checkpoint vouches for; `after` when none does.
    vouched: i64,
    /// Entries of the log when it was asked.
    entries: i64,
    /// The tree up to `through`.
    tree: TreeAnswer,
    first_broken: Option<Broken>,
}

/// The first entry that does not fit.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Broken {
    /// The first one it can be.
    entry_no: i64,
    /// The last one it can be.
    through: i64,
    /// changed, missing, inserted, reordered, truncated or forked.
    fault: &'static str,
}

/// Verifies a part of the log against its hashes and the checkpoints this hub keeps, and names the first entry that does
/// not fit. Ask again with `after` until `through` is `entries`. `notary-hub audit verify` verifies the whole.
#[utoipa::path(
    get, path = "/api/v1/audit/verification", operation_id = "verifyAudit", tag = "audit",
    security(("session" = [])), params(Begin),
    responses(
        (status = 200, body = VerificationAnswer), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn verify(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(begin): Params<Begin>,
) -> Result<Json<VerificationAnswer>, Problem> {
    let after = begin.after.unwrap_or(0).max(0);
    let window = window::verify(&api.pool, &api.checkpoints, after).await?;
    let verification = window.verification;
    let intact = verification.broken.is_none();
    let detail = json!({ "after": after, "through": verification.through, "intact": intact });
    api.record(&person, Action::VerifyAudit, Outcome::Done, detail)
        .await?;
    Ok(Json(VerificationAnswer {
        intact,
        after: window.after,
        through: verification.through,
        vouched: verification.vouched,
        entries: window.entries,
        tree: verification.head.into(),
        first_broken: verification.broken.map(Broken::from),
    }))
}

impl From<Break> for Broken {
    fn from(broken: Break) -> Self {
        Self {
            entry_no: broken.entry_no,
            through: broken.through,
            fault: broken.fault.code(),
        }
    }
}
