//! Filings: the form of the console, and the list.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::{Date, OffsetDateTime};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::day;
use super::finding::Span;
use crate::audit::{Action, Outcome};
use crate::filing::body::Body as Fields;
use crate::filing::day::iso_date;
use crate::filing::{self, Filing, FilingError, FilingKind, Raw, SubmitError};
use crate::http::Api;
use crate::http::page::{self, Page};
use crate::http::params::{Body, Params};
use crate::http::problem::{Problem, ProblemBody};
use crate::identity::Person;
use crate::refusal::{Reason, Refusal};
use crate::store::filing::{self as store, Filed, FilingCount};
use crate::store::token_key::Told;

/// Which filings are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Filter {
    office: Option<String>,
    kind: Option<FilingKind>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// A filing to be handed in for the own office.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct NewFiling {
    /// Chosen by the sender; the same again has no second effect.
    filing_id: Uuid,
    /// The office's own case it concerns.
    #[serde(default)]
    source_case_id: String,
    /// At most 2000 characters; no personal data beyond need.
    #[serde(default)]
    text: String,
    /// The kind with its fields.
    body: Fields,
}

/// A filing was recorded.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ReceiptAnswer {
    filing_id: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    recorded_at: OffsetDateTime,
    #[serde(with = "iso_date::option")]
    #[schema(value_type = Option<String>, format = Date)]
    due_on: Option<Date>,
    late: bool,
}

/// A filing.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FilingAnswer {
    #[schema(value_type = String)]
    office_id: OfficeId,
    filing_id: Uuid,
    kind_zh: &'static str,
    body: Fields,
    source_case_id: Option<String>,
    text: String,
    #[serde(with = "time::serde::rfc3339")]
    recorded_at: OffsetDateTime,
    #[serde(with = "iso_date::option")]
    #[schema(value_type = Option<String>, format = Date)]
    due_on: Option<Date>,
    late: bool,
    /// The day on which the hub received the outcome of a complaint or a review.
    #[serde(with = "iso_date::option")]
    #[schema(value_type = Option<String>, format = Date)]
    closed_on: Option<Date>,
    /// Absent: the office's agent.
    filed_by: Option<Uuid>,
    /// 1 until it is corrected; what it said before is at its `revisions`.
    revision: i32,
    #[serde(with = "time::serde::rfc3339::option")]
    corrected_at: Option<OffsetDateTime>,
}

/// Filings, the newest first; a notary's office alone.
#[utoipa::path(
    get, path = "/api/v1/supervision/filings", operation_id = "listFilings", security(("session" = [])), params(Filter),
    responses(
        (status = 200, body = Page<FilingAnswer>), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(filter): Params<Filter>,
) -> Result<Json<Page<FilingAnswer>>, Problem> {
    let limit = page::limit(filter.limit)?;
    let office = page::parsed("office", filter.office.as_deref(), "an office id")?;
    let office: Option<OfficeId> = person.office_id().or(office);
    let behind = page::behind(filter.cursor.as_deref())?;
    let mut reading = api.reading(&person).await?;
    let filings = store::list(&mut reading, office, filter.kind, behind, limit + 1).await?;
    let detail = json!({ "office": office, "kind": filter.kind });
    api.record(&person, Action::ListFilings, Outcome::Done, detail)
        .await?;
    let page = Page::cut(filings, limit, |last| {
        page::place(last.recorded_at, last.filing_id)
    });
    Ok(Json(page.map(FilingAnswer::from)))
}

/// Filings by office and kind.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FilingCounts {
    items: Vec<FilingCount>,
}

/// How many filings came, and how many of them late; a notary's office alone.
#[utoipa::path(
    get, path = "/api/v1/supervision/filings/counts", operation_id = "countFilings", security(("session" = [])), params(Span),
    responses(
        (status = 200, body = FilingCounts), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn counts(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(span): Params<Span>,
) -> Result<Json<FilingCounts>, Problem> {
    let Span { office, from, to } = span;
    let office = page::parsed("office", office.as_deref(), "an office id")?;
    let office = person.office_id().or(office);
    let (from, to) = (day("from", from.as_deref())?, day("to", to.as_deref())?);
    let mut reading = api.reading(&person).await?;
    let items = store::counts(&mut reading, office, from, to).await?;
    Ok(Json(FilingCounts { items }))
}

/// Hands a filing in. The same `filing_id` again has no second effect.
#[utoipa::path(
    post, path = "/api/v1/supervision/filings", operation_id = "submitFiling", security(("session" = [])), request_body = NewFiling,
    responses(
        (status = 201, body = ReceiptAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn submit(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Body(new): Body<NewFiling>,
) -> Result<(StatusCode, Json<ReceiptAnswer>), Problem> {
    let Some(office_id) = person.office_id() else {
        return Err(Reason::PermissionDenied
            .because("an office files, not the bureau")
            .into());
    };
    let raw = Raw {
        filing_id: new.filing_id.to_string(),
        source_case_id: new.source_case_id,
        text: new.text,
    };
    let filing = Filing::parse(office_id, new.body, raw, Some(person.account_id))?;
    // No form of this door has tokens.
    let told = Told::default();
    let receipt =
        filing::submit(&api.supervision, &api.audit, person.scope(), told, &filing).await?;
    let answer = ReceiptAnswer {
        filing_id: filing.filing_id,
        recorded_at: receipt.recorded_at,
        due_on: receipt.due_on,
        late: receipt.late,
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

impl From<Filed> for FilingAnswer {
    fn from(filed: Filed) -> Self {
        Self {
            office_id: filed.office_id,
            filing_id: filed.filing_id,
            kind_zh: filed.body.kind().label_zh(),
            body: filed.body,
            source_case_id: filed.source_case_id,
            text: filed.text,
            recorded_at: filed.recorded_at,
            due_on: filed.due_on,
            late: filed.late,
            closed_on: filed.closed_on,
            filed_by: filed.filed_by,
            revision: filed.revision,
            corrected_at: filed.corrected_at,
        }
    }
}

impl From<FilingError> for Problem {
    fn from(error: FilingError) -> Self {
        let because = error.to_string();
        let refusal = error
            .reason
            .because(because)
            .field(error.field, error.expected);
        Self::told(refusal, error.detail_zh)
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Field(error) => error.into(),
            SubmitError::NothingToClose => Self::answer(
                "about",
                "an earlier complaint or review of the office",
                "没有找到本处此前报送的该件投诉或复查。",
            ),
            SubmitError::IdTaken => filing::id_taken().into(),
            SubmitError::Key(error) => Refusal::from(&error).into(),
            SubmitError::Audit(problem) => problem.into(),
            SubmitError::Database(problem) => problem.into(),
        }
    }
}
