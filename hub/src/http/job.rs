//! `/api/v1/jobs`: long actions, found again by whoever runs the hub.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::params::{InPath, Nothing, Params};
use super::problem::{Problem, ProblemBody};
use crate::identity::Person;
use crate::jobs::{Job, JobState, Kind, Step};
use crate::store::job;

/// As many as are listed.
const MOST: i64 = 50;

/// A long action.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(super) struct JobAnswer {
    job_id: Uuid,
    kind: Kind,
    kind_zh: &'static str,
    state: JobState,
    state_zh: &'static str,
    /// What it is at, or was when it ended.
    step: Step,
    step_zh: &'static str,
    /// Of the step.
    done: u64,
    /// 0 where it is not known.
    total: u64,
    /// As the audit log names whoever did it.
    started_by: String,
    #[serde(with = "time::serde::rfc3339")]
    started_at: OffsetDateTime,
    /// When it last said how far it is.
    #[serde(with = "time::serde::rfc3339")]
    reported_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    ended_at: Option<OffsetDateTime>,
}

/// Long actions.
#[derive(Serialize, ToSchema)]
pub(super) struct Jobs {
    items: Vec<JobAnswer>,
}

/// The newest 50 long actions, whether they are under way or over.
#[utoipa::path(
    get, path = "/api/v1/jobs", operation_id = "listJobs", security(("session" = [])),
    responses((status = 200, body = Jobs), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<Jobs>, Problem> {
    let mut reading = api.reading(&person).await?;
    let jobs = job::list(&mut *reading, None, None, MOST).await?;
    let items = jobs.into_iter().map(JobAnswer::from).collect();
    Ok(Json(Jobs { items }))
}

/// A long action as it stands.
#[utoipa::path(
    get, path = "/api/v1/jobs/{job_id}", operation_id = "readJob", security(("session" = [])),
    params(("job_id" = Uuid, Path, description = "As listed")),
    responses(
        (status = 200, body = JobAnswer), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody),
    ),
)]
pub(super) async fn read(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(job_id): InPath<Uuid>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<JobAnswer>, Problem> {
    let mut reading = api.reading(&person).await?;
    let jobs = job::list(&mut *reading, None, Some(job_id), 1).await?;
    let job = jobs.into_iter().next().ok_or_else(Problem::not_found)?;
    Ok(Json(job.into()))
}

impl From<Job> for JobAnswer {
    fn from(job: Job) -> Self {
        Self {
            job_id: job.job_id,
            kind: job.kind,
            kind_zh: job.kind.label_zh(),
            state: job.state,
            state_zh: job.state.label_zh(),
            step: job.step,
            step_zh: job.step.label_zh(),
            done: job.done,
            total: job.total,
            started_by: job.started_by,
            started_at: job.started_at,
            reported_at: job.reported_at,
            ended_at: job.ended_at,
        }
    }
}
