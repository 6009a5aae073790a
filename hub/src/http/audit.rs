//! `/api/v1/audit`: the log of who asked what, for supervisors.

use axum::extract::State;
use axum::{Extension, Json};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::office::Nothing;
use super::page::{self, Page};
use super::params::Params;
use super::problem::{Problem, ProblemBody};
use crate::audit::{self, Action, Outcome, Recorded};
use crate::identity::Person;
use crate::store;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// 1 to 200; 50 when absent.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One entry.
#[derive(Serialize, ToSchema)]
pub(super) struct EntryAnswer {
    entry_no: i64,
    #[serde(with = "time::serde::rfc3339")]
    recorded_at: OffsetDateTime,
    actor: String,
    office_id: Option<String>,
    action: String,
    /// hit, no_hit, denied or done.
    outcome: String,
    purpose: Option<String>,
    case_reference: Option<String>,
    /// Tokens and codes; never a name or a number.
    #[schema(value_type = Object)]
    detail: Value,
    /// Hex.
    chain_hash: String,
}

/// What walking the chain came to.
#[derive(Serialize, ToSchema)]
pub(super) struct VerificationAnswer {
    intact: bool,
    /// Entries that fit, from the first on.
    entries: i64,
    /// Chain value of the last one that fits, hex.
    head: String,
    first_broken: Option<Broken>,
}

/// The first entry that does not fit.
#[derive(Serialize, ToSchema)]
pub(super) struct Broken {
    entry_no: i64,
    /// missing or changed.
    fault: &'static str,
}

/// Entries, the newest first. Reading them is an entry of its own.
#[utoipa::path(
    get, path = "/api/v1/audit/entries", security(("session" = [])), params(Filter),
    responses(
        (status = 200, body = Page<EntryAnswer>), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
    ),
)]
pub(super) async fn entries(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(filter): Params<Filter>,
) -> Result<Json<Page<EntryAnswer>>, Problem> {
    let limit = page::limit(filter.limit)?;
    let before = match page::key::<1>(filter.cursor.as_deref())? {
        None => i64::MAX,
        Some([entry_no]) => entry_no.parse().map_err(|_| page::bad_cursor())?,
    };
    let entries = store::audit::before(&api.pool, before, limit + 1).await?;
    api.record(&person, Action::ReadAudit, Outcome::Done, json!({}))
        .await?;
    let entries = entries.into_iter().map(EntryAnswer::from).collect();
    Ok(Json(Page::cut(entries, limit, |last: &EntryAnswer| {
        [last.entry_no.to_string()]
    })))
}

/// Walks the whole chain and names the first entry that does not fit.
#[utoipa::path(
    get, path = "/api/v1/audit/verification", security(("session" = [])),
    responses(
        (status = 200, body = VerificationAnswer), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody),
    ),
)]
pub(super) async fn verification(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<VerificationAnswer>, Problem> {
    let verification = audit::verify(&api.pool).await?;
    let intact = verification.broken.is_none();
    let detail = json!({ "entries": verification.entries, "intact": intact });
    api.record(&person, Action::VerifyAudit, Outcome::Done, detail)
        .await?;
    Ok(Json(VerificationAnswer {
        intact,
        entries: verification.entries,
        head: HEXLOWER.encode(&verification.head),
        first_broken: verification.broken.map(|broken| Broken {
            entry_no: broken.entry_no,
            fault: broken.fault.code(),
        }),
    }))
}

impl From<Recorded> for EntryAnswer {
    fn from(recorded: Recorded) -> Self {
        Self {
            entry_no: recorded.entry_no,
            recorded_at: recorded.recorded_at,
            actor: recorded.actor,
            office_id: recorded.office_id,
            action: recorded.action,
            outcome: recorded.outcome,
            purpose: recorded.purpose,
            case_reference: recorded.case_reference,
            detail: recorded.detail,
            chain_hash: HEXLOWER.encode(&recorded.chain_hash),
        }
    }
}
