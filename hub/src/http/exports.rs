//! `/api/v1/exports`: large files, made as jobs and found again by whoever asked for them. They are begun beside the route
//! that answers the same at once.

use axum::body::Body as Answer;
use axum::extract::State;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use axum::{Extension, Json};
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::form::attached;
use super::params::{InPath, Nothing, Params};
use super::problem::{Problem, ProblemBody};
use crate::export::FileForm;
use crate::export::desk::{Export, ExportError, Refusal};
use crate::export::subject::{Subject, SubjectKind};
use crate::identity::Person;
use crate::jobs::{JobState, Step};
use crate::local_time::local_day;
use crate::refusal::Reason;
use crate::statistics::period::Grain;

/// How long whoever finds no room waits before asking again.
const ROOM_SOON: std::time::Duration = std::time::Duration::from_secs(10);

/// A file that is to be made.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StartExport {
    form: FileForm,
}

/// A file as it stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Export)]
pub(super) struct ExportAnswer {
    export_id: Uuid,
    subject: SubjectKind,
    subject_zh: &'static str,
    form: FileForm,
    /// What is in it.
    name_zh: String,
    state: JobState,
    state_zh: &'static str,
    /// What it is at, or was when it ended.
    step: Step,
    step_zh: &'static str,
    /// Of the step.
    done: u64,
    /// 0 where it is not known.
    total: u64,
    /// Null until it is whole.
    bytes: Option<u64>,
    /// Why there is none, where whoever asked can do something about it.
    refusal: Option<Refusal>,
    refusal_zh: Option<&'static str>,
    #[serde(with = "time::serde::rfc3339")]
    started_at: OffsetDateTime,
    /// When it is removed.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// Files.
#[derive(Serialize, ToSchema)]
#[schema(as = Exports)]
pub(super) struct ExportList {
    items: Vec<ExportAnswer>,
}

/// Begins to make a file, for the handlers beside whose routes it is asked for.
pub(super) async fn start(
    api: &Api,
    person: &Person,
    subject: Subject,
    wanted: StartExport,
) -> Result<(StatusCode, Json<ExportAnswer>), Problem> {
    let export = api.exports.start(person, subject, wanted.form).await?;
    Ok((StatusCode::ACCEPTED, Json(export.into())))
}

/// One's own files, the newest first.
#[utoipa::path(
    get, path = "/api/v1/exports", operation_id = "listExports", security(("session" = [])),
    responses((status = 200, body = ExportList), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<ExportList>, Problem> {
    let exports = api.exports.list(&person).await?;
    let items = exports.into_iter().map(ExportAnswer::from).collect();
    Ok(Json(ExportList { items }))
}

/// One of one's own files, and how far it is.
#[utoipa::path(
    get, path = "/api/v1/exports/{export_id}", operation_id = "readExport", security(("session" = [])),
    params(("export_id" = Uuid, Path, description = "As listed")),
    responses(
        (status = 200, body = ExportAnswer), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody),
    ),
)]
pub(super) async fn read(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(export_id): InPath<Uuid>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<ExportAnswer>, Problem> {
    Ok(Json(api.exports.read(&person, export_id).await?.into()))
}

/// Stops one that is being made; removes one that is not.
#[utoipa::path(
    delete, path = "/api/v1/exports/{export_id}", operation_id = "removeExport", security(("session" = [])),
    params(("export_id" = Uuid, Path, description = "As listed")),
    responses(
        (status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody),
    ),
)]
pub(super) async fn remove(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(export_id): InPath<Uuid>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<StatusCode, Problem> {
    api.exports.remove(&person, export_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The file, once it is whole. Taking it is recorded.
#[utoipa::path(
    get, path = "/api/v1/exports/{export_id}/file", operation_id = "downloadExport", security(("session" = [])),
    params(("export_id" = Uuid, Path, description = "As listed")),
    responses(
        (status = 200, content(
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody),
    ),
)]
pub(super) async fn file(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(export_id): InPath<Uuid>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Response, Problem> {
    let export = api.exports.take(&person, export_id).await?;
    let day = Grain::Day.label(local_day(export.started_at));
    let name = format!("{}-{day}", export.subject.code());
    let exports = api.exports.clone();
    let parts = stream::try_unfold(0, move |ordinal| {
        let (exports, person) = (exports.clone(), person.clone());
        async move {
            let part = exports.chunk(&person, export_id, ordinal).await?;
            Ok::<_, sqlx::Error>(part.map(|part| (Bytes::from(part), ordinal + 1)))
        }
    });
    let mut response = attached(&name, export.form.into(), Answer::from_stream(parts));
    let bytes = export.bytes.unwrap_or_default();
    response
        .headers_mut()
        .insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    Ok(response)
}

impl From<Export> for ExportAnswer {
    fn from(export: Export) -> Self {
        Self {
            export_id: export.export_id,
            subject: export.subject,
            subject_zh: export.subject.label_zh(),
            form: export.form,
            name_zh: export.name,
            state: export.state,
            state_zh: export.state.label_zh(),
            step: export.step,
            step_zh: export.step.label_zh(),
            done: export.done,
            total: export.total,
            bytes: export.bytes,
            refusal: export.refusal,
            refusal_zh: export.refusal.map(Refusal::label_zh),
            started_at: export.started_at,
            expires_at: export.expires_at,
        }
    }
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::NotFound => Self::not_found(),
            ExportError::NotDone => Self::export_not_done(),
            ExportError::AnotherUnderWay => Self::export_under_way(),
            ExportError::TooMany => Self::too_many_exports(),
            ExportError::Busy => Reason::Overloaded
                .because(error.to_string())
                .retry_after(ROOM_SOON)
                .into(),
            ExportError::Audit(error) => error.into(),
            ExportError::Database(error) => error.into(),
        }
    }
}
