//! Corrections of filings: what one said, revision by revision, and another in place of the newest.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::audit::{Action, Outcome};
use crate::filing::CorrectError;
use crate::filing::body::Body as Fields;
use crate::filing::correct::{self, Correction};
use crate::http::Api;
use crate::http::auth::of_own_office;
use crate::http::params::{Body, InPath, grounds};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::review::answered;
use crate::identity::Person;
use crate::store::filing::revision::{self, Revision};

/// What a filing said from a time on.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FilingRevision {
    /// 1 for the first.
    revision: i32,
    body: Fields,
    text: String,
    #[serde(with = "time::serde::rfc3339")]
    recorded_at: OffsetDateTime,
    /// Absent: the office's agent.
    filed_by: Option<Uuid>,
    /// Why it was corrected; absent of the first.
    reason: Option<String>,
}

/// Everything that a filing said, the newest first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FilingRevisions {
    items: Vec<FilingRevision>,
}

/// What is to stand in place of what a filing counts. Its kind and its period stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CorrectFiling {
    /// The newest revision as it was read, in whose place this one is put.
    in_place_of: i32,
    /// 1 to 500 characters; no phone or document numbers.
    reason: String,
    /// At most 2000 characters; no personal data beyond need.
    #[serde(default)]
    text: String,
    /// The kind with its fields.
    body: Fields,
}

/// What a filing says and said before it was corrected; a notary's office alone.
#[utoipa::path(
    get, path = "/api/v1/supervision/filings/{office_id}/{filing_id}/revisions", operation_id = "listFilingRevisions",
    security(("session" = [])),
    params(("office_id" = String, Path, description = "Office"), ("filing_id" = Uuid, Path, description = "Filing")),
    responses(
        (status = 200, body = FilingRevisions), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath((office_id, filing_id)): InPath<(OfficeId, Uuid)>,
) -> Result<Json<FilingRevisions>, Problem> {
    of_own_office(&api, &person, office_id).await?;
    let mut reading = api.reading(&person).await?;
    let revisions = revision::list(&mut reading, office_id, filing_id).await?;
    let detail = json!({ "office": office_id, "filing": filing_id });
    api.record(&person, Action::ReadFiling, Outcome::Done, detail)
        .await?;
    match revisions.is_empty() {
        true => Err(Problem::not_found()),
        false => Ok(Json(FilingRevisions {
            items: revisions.into_iter().map(FilingRevision::from).collect(),
        })),
    }
}

/// Corrects what the own office counted for a time, with a reason; what the filing said before is kept. 200 when the same
/// person has corrected it so before.
#[utoipa::path(
    post, path = "/api/v1/supervision/filings/{office_id}/{filing_id}/revisions", operation_id = "correctFiling",
    security(("session" = [])),
    params(("office_id" = String, Path, description = "Office"), ("filing_id" = Uuid, Path, description = "Filing")),
    request_body = CorrectFiling,
    responses(
        (status = 200, body = FilingRevision), (status = 201, body = FilingRevision), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn correct(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath((office_id, filing_id)): InPath<(OfficeId, Uuid)>,
    Body(new): Body<CorrectFiling>,
) -> Result<(StatusCode, Json<FilingRevision>), Problem> {
    of_own_office(&api, &person, office_id).await?;
    let correction = Correction {
        office_id,
        filing_id,
        in_place_of: new.in_place_of,
        grounds: grounds("reason", &new.reason)?,
        body: new.body,
        text: new.text,
        corrected_by: person.account_id,
    };
    let correction = correction.checked()?;
    let corrected =
        correct::correct(&api.supervision, &api.audit, person.scope(), &correction).await?;
    let (status, revision) = answered(corrected);
    Ok((status, Json(revision.into())))
}

impl From<Revision> for FilingRevision {
    fn from(revision: Revision) -> Self {
        Self {
            revision: revision.number,
            body: revision.body,
            text: revision.text,
            recorded_at: revision.recorded_at,
            filed_by: revision.filed_by,
            reason: revision.reason,
        }
    }
}

impl From<CorrectError> for Problem {
    fn from(error: CorrectError) -> Self {
        match error {
            CorrectError::Field(error) => error.into(),
            CorrectError::NotFound => Self::not_found(),
            CorrectError::NotTheNewest => Self::corrected_meanwhile(),
            CorrectError::Audit(problem) => problem.into(),
            CorrectError::Database(problem) => problem.into(),
        }
    }
}
