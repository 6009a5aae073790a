//! `/api/v1/audit`: the log of who asked what, for supervisors, and proofs of it.

mod filter;
pub(super) mod proof;
pub(super) mod verification;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use data_encoding::HEXLOWER;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::Api;
use super::exports::{self, ExportAnswer, StartExport};
use super::form::{self, Form};
use super::page::{self, Page};
use super::params::{Body, Params};
use super::problem::{Problem, ProblemBody};
use crate::audit::{Action, Outcome, Recorded};
use crate::export::subject::Subject;
use crate::identity::Person;
use crate::store;
use filter::Filter;

/// One entry.
#[derive(Serialize, ToSchema)]
pub(super) struct EntryAnswer {
    entry_no: i64,
    #[serde(with = "time::serde::rfc3339")]
    recorded_at: OffsetDateTime,
    actor: String,
    office_id: Option<String>,
    action: String,
    /// Null of an action that this hub does not know yet.
    action_zh: Option<&'static str>,
    /// hit, no_hit, denied, begun, done or failed.
    outcome: String,
    purpose: Option<String>,
    case_reference: Option<String>,
    /// Tokens and codes; never a name or a number.
    #[schema(value_type = Object)]
    detail: Value,
    /// Hex; absent of entries from before the log was a tree.
    leaf_hash: Option<String>,
    /// Hex; of entries from before the log was a tree.
    chain_hash: Option<String>,
    /// What was recorded is gone, by a retention that is recorded; its hashes are not.
    pruned: bool,
}

/// Entries that fit every given filter, the newest first. Reading them is an entry of its own. All of some days, the oldest
/// first, as CSV or XLSX by `Accept`; where there are many, that is to be begun by `/audit/entries/exports`.
#[utoipa::path(
    get, path = "/api/v1/audit/entries", operation_id = "listAuditEntries",
    security(("session" = [])), params(Filter),
    responses(
        (status = 200, content(
            (Page<EntryAnswer> = "application/json"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 406, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(super) async fn entries(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    headers: HeaderMap,
    Params(filter): Params<Filter>,
) -> Result<Response, Problem> {
    let form = form::wanted(&headers, &[Form::Json, Form::Csv, Form::Xlsx])?;
    let days = filter.days()?;
    if let Some(form) = form.file() {
        page::whole(filter.limit, filter.cursor.as_deref())?;
        filter.days_alone()?;
        return form::at_once(&api, &person, &Subject::Audit(days), form).await;
    }
    let limit = page::limit(filter.limit)?;
    let wanted = filter.wanted()?;
    let before = match page::key::<1>(filter.cursor.as_deref())? {
        None => i64::MAX,
        Some([entry_no]) => entry_no.parse().map_err(|_| page::bad_cursor())?,
    };
    let mut reading = api.reading(&person).await?;
    let (after, through) = days.entries(&mut reading).await?;
    let before = before.min(through.saturating_add(1));
    let entries = store::audit::before(&mut *reading, wanted, before, after, limit + 1).await?;
    api.record(&person, Action::ReadAudit, Outcome::Done, filter.asked())
        .await?;
    let entries = entries.into_iter().map(EntryAnswer::from).collect();
    let page = Page::cut(entries, limit, |last: &EntryAnswer| {
        [last.entry_no.to_string()]
    });
    Ok(Json(page).into_response())
}

/// Begins to make a file of many entries.
#[utoipa::path(
    post, path = "/api/v1/audit/entries/exports", operation_id = "exportAuditEntries",
    security(("session" = [])), params(Filter), request_body = StartExport,
    responses(
        (status = 202, body = ExportAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(super) async fn export_all(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(filter): Params<Filter>,
    Body(wanted): Body<StartExport>,
) -> Result<(StatusCode, Json<ExportAnswer>), Problem> {
    page::whole(filter.limit, filter.cursor.as_deref())?;
    filter.days_alone()?;
    let subject = Subject::Audit(filter.days()?);
    exports::start(&api, &person, subject, wanted).await
}

impl From<Recorded> for EntryAnswer {
    fn from(recorded: Recorded) -> Self {
        let leaf_hash = recorded.leaf_hash().map(|hash| HEXLOWER.encode(&hash));
        Self {
            entry_no: recorded.entry_no,
            recorded_at: recorded.recorded_at,
            actor: recorded.actor,
            office_id: recorded.office_id,
            action_zh: Action::from_code(&recorded.action).map(Action::name_zh),
            action: recorded.action,
            outcome: recorded.outcome,
            purpose: recorded.purpose,
            case_reference: recorded.case_reference,
            detail: recorded.detail,
            leaf_hash,
            chain_hash: recorded.chain_hash.map(|hash| HEXLOWER.encode(&hash)),
            pruned: recorded.pruned,
        }
    }
}
