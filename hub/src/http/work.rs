//! `/api/v1/work/set-aside`: work beside the answers that failed again and again.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Api;
use super::page::{self, Page};
use super::params::{InPath, Params};
use super::problem::{Problem, ProblemBody};
use crate::background::Cause;
use crate::background::set_aside::{self, Kind, PutBackError, SetAside};
use crate::identity::Person;
use crate::store::job::set_aside as store;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// 1 to 200; 50 when absent.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Work that failed again and again and is set aside. It is tried again by itself a day later.
#[derive(Serialize, ToSchema)]
#[schema(as = SetAsideWork)]
pub(super) struct SetAsideAnswer {
    work_id: Uuid,
    kind: Kind,
    kind_zh: &'static str,
    /// Absent: persons of no office in particular.
    #[schema(value_type = Option<String>)]
    office_id: Option<OfficeId>,
    /// Absent: what the office filed, or persons alone.
    source_case_id: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
    /// Why the last attempt came to nothing; absent where a former version set it aside.
    cause: Option<Cause>,
    cause_zh: Option<&'static str>,
}

/// Work that is set aside, the newest first.
#[utoipa::path(
    get, path = "/api/v1/work/set-aside", operation_id = "listSetAsideWork", security(("session" = [])), params(Filter),
    responses(
        (status = 200, body = Page<SetAsideAnswer>), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
    ),
)]
pub(super) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(filter): Params<Filter>,
) -> Result<Json<Page<SetAsideAnswer>>, Problem> {
    let limit = page::limit(filter.limit)?;
    let behind = page::behind(filter.cursor.as_deref())?;
    let mut reading = api.reading(&person).await?;
    let work = store::list(&mut reading, behind, limit + 1).await?;
    let page = Page::cut(work, limit, |last| page::place(last.since, last.work_id));
    Ok(Json(page.map(SetAsideAnswer::from)))
}

/// Puts work back: it is tried anew, as if it came just now.
#[utoipa::path(
    post, path = "/api/v1/work/set-aside/{work_id}/put-back", operation_id = "putWorkBack", security(("session" = [])),
    params(("work_id" = Uuid, Path, description = "As listed")),
    responses(
        (status = 204), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
    ),
)]
pub(super) async fn put_back(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(work_id): InPath<Uuid>,
) -> Result<StatusCode, Problem> {
    set_aside::put_back(&api.pool, &api.audit, &person, work_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<SetAside> for SetAsideAnswer {
    fn from(work: SetAside) -> Self {
        Self {
            work_id: work.work_id,
            kind: work.kind,
            kind_zh: work.kind.label_zh(),
            office_id: work.office_id,
            source_case_id: work.source_case_id,
            since: work.since,
            cause: work.cause,
            cause_zh: work.cause.map(Cause::label_zh),
        }
    }
}

impl From<PutBackError> for Problem {
    fn from(error: PutBackError) -> Self {
        match error {
            PutBackError::NotFound => Self::not_found(),
            PutBackError::Audit(problem) => problem.into(),
            PutBackError::Database(problem) => problem.into(),
        }
    }
}
