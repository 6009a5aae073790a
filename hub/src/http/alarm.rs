//! `/api/v1/alarms`: look-ups that are no notary's work.

use axum::extract::State;
use axum::{Extension, Json};
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Api;
use super::page::{self, Page};
use super::params::{Body, InPath, Params, grounds};
use super::problem::{Problem, ProblemBody};
use crate::alarm::AlarmError;
use crate::identity::Person;
use crate::store::alarm::Alarm;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// 1 to 200; 50 when absent.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// An alarm.
#[derive(Serialize, ToSchema)]
pub(super) struct AlarmAnswer {
    alarm_id: Uuid,
    /// honey, many_subjects, many_misses, one_reference or office_subjects.
    kind: &'static str,
    #[schema(value_type = String)]
    office_id: OfficeId,
    /// Absent when it is about all of the office's notaries together.
    account_id: Option<Uuid>,
    /// Audit entry of the look-up that raised it.
    audit_entry: i64,
    #[serde(with = "time::serde::rfc3339")]
    raised_at: OffsetDateTime,
    lifted_by: Option<Uuid>,
    #[serde(with = "time::serde::rfc3339::option")]
    lifted_at: Option<OffsetDateTime>,
    lifted_reason: Option<String>,
}

/// Why it may be lifted, in one's own words.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LiftAlarm {
    /// 1 to 500 characters; no phone or document numbers.
    reason: String,
}

/// Alarms about look-ups, the newest first.
#[utoipa::path(
    get, path = "/api/v1/alarms", operation_id = "listAlarms", security(("session" = [])), params(Filter),
    responses(
        (status = 200, body = Page<AlarmAnswer>), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
    ),
)]
pub(super) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(filter): Params<Filter>,
) -> Result<Json<Page<AlarmAnswer>>, Problem> {
    let limit = page::limit(filter.limit)?;
    let behind = match page::key::<1>(filter.cursor.as_deref())? {
        None => None,
        Some([alarm_id]) => Some(alarm_id.parse().map_err(|_| page::bad_cursor())?),
    };
    let alarms = api.alarms.list(&person, behind, limit + 1).await?;
    let page = Page::cut(alarms, limit, |last| [last.alarm_id.to_string()]);
    Ok(Json(page.map(AlarmAnswer::from)))
}

/// Lifts an alarm that somebody has looked into. Doing it again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/alarms/{alarm_id}/lift", operation_id = "liftAlarm", security(("session" = [])),
    params(("alarm_id" = Uuid, Path, description = "As listed")), request_body = LiftAlarm,
    responses(
        (status = 200, body = AlarmAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
    ),
)]
pub(super) async fn lift(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(alarm_id): InPath<Uuid>,
    Body(body): Body<LiftAlarm>,
) -> Result<Json<AlarmAnswer>, Problem> {
    let grounds = grounds("reason", &body.reason)?;
    let alarm = api.alarms.lift(&person, alarm_id, &grounds).await?;
    Ok(Json(alarm.into()))
}

impl From<Alarm> for AlarmAnswer {
    fn from(alarm: Alarm) -> Self {
        Self {
            alarm_id: alarm.alarm_id,
            kind: alarm.kind.code(),
            office_id: alarm.office_id,
            account_id: alarm.account_id,
            audit_entry: alarm.audit_entry,
            raised_at: alarm.raised_at,
            lifted_by: alarm.lifted_by,
            lifted_at: alarm.lifted_at,
            lifted_reason: alarm.lifted_reason,
        }
    }
}

impl From<AlarmError> for Problem {
    fn from(error: AlarmError) -> Self {
        match error {
            AlarmError::NotFound => Self::not_found(),
            AlarmError::Database(problem) => problem.into(),
            AlarmError::Audit(problem) => problem.into(),
        }
    }
}
