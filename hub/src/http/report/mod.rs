//! `/api/v1/reports`: period reports, as they were published and as they would be now.

mod answer;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use super::Api;
use super::form::{self, Form};
use super::params::{Body, InPath, Nothing, Params};
use super::problem::{Problem, ProblemBody};
use crate::identity::Person;
use crate::refusal;
use crate::reports::period::ReportPeriod;
use crate::reports::{Hand, ReportError, Reports, print, workbook};
pub(super) use answer::{DraftAnswer, IssueAnswer, IssueList, Publish, PublishedAnswer};

impl Api {
    fn reports<'a>(&'a self, person: &'a Person) -> Reports<'a> {
        Reports {
            pool: &self.pool,
            audit: &self.audit,
            by: person,
            hand: Hand::Own,
        }
    }
}

/// Every issue of every period, the newest period first.
#[utoipa::path(
    get, path = "/api/v1/reports", operation_id = "listReports", tag = "reports",
    security(("session" = [])),
    responses((status = 200, body = IssueList), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<IssueList>, Problem> {
    let issues = api.reports(&person).list().await?;
    Ok(Json(IssueList {
        items: issues.into_iter().map(IssueAnswer::from).collect(),
    }))
}

/// A period's report as it would be published now, and its issues.
#[utoipa::path(
    get, path = "/api/v1/reports/{period}", operation_id = "readReport", tag = "reports",
    security(("session" = [])),
    params(("period" = String, Path, description = "A month, quarter, half or year: 2024-03, 2024-Q1, 2024-H1, 2024")),
    responses(
        (status = 200, body = DraftAnswer), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody),
    ),
)]
pub(super) async fn read(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(period): InPath<String>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<DraftAnswer>, Problem> {
    let draft = api.reports(&person).draft(named(&period)?).await?;
    Ok(Json(draft.into()))
}

/// An issue as it was published; a workbook or a page to print by `Accept`, which is recorded.
#[utoipa::path(
    get, path = "/api/v1/reports/{period}/issues/{issue}", operation_id = "readReportIssue", tag = "reports",
    security(("session" = [])),
    params(("period" = String, Path, description = "Period"), ("issue" = i32, Path, description = "1 for the first")),
    responses(
        (status = 200, content(
            (PublishedAnswer = "application/json"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (String = "text/html"),
        )),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 406, body = ProblemBody),
    ),
)]
pub(super) async fn issue(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath((period, number)): InPath<(String, i32)>,
    Params(Nothing {}): Params<Nothing>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let form = form::wanted(&headers, &[Form::Json, Form::Xlsx, Form::Html])?;
    let period = named(&period)?;
    let reports = api.reports(&person);
    let (issue, document) = reports.issue(period, number).await?;
    if form == Form::Json {
        return Ok(Json(PublishedAnswer::of(issue, document)).into_response());
    }
    let name = format!("report-{period}-{number}");
    let file = match form {
        Form::Html => form::attached(&name, form, print::page(&issue, &document).into_bytes()),
        _ => form::workbook(&name, workbook::pages(&issue, &document)).await?,
    };
    reports.exported(form.extension(), period, number).await?;
    Ok(file)
}

/// Freezes a report whose period is over: for the first time, or with a reason in place of the issue that was read.
#[utoipa::path(
    post, path = "/api/v1/reports/{period}/issues", operation_id = "publishReport", tag = "reports",
    security(("session" = [])),
    params(("period" = String, Path, description = "Period")), request_body = Publish,
    responses(
        (status = 201, body = PublishedAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(super) async fn publish(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(period): InPath<String>,
    Body(publish): Body<Publish>,
) -> Result<(StatusCode, Json<PublishedAnswer>), Problem> {
    let period = named(&period)?;
    let publication = publish.read()?;
    let (issue, document) = api.reports(&person).publish(period, &publication).await?;
    let answer = PublishedAnswer::of(issue, document);
    Ok((StatusCode::CREATED, Json(answer)))
}

/// A period that there can be no report of is not found.
fn named(period: &str) -> Result<ReportPeriod, Problem> {
    period.parse().map_err(|_| Problem::not_found())
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        match &error {
            ReportError::NotFound => Self::not_found(),
            ReportError::NotOver => Self::period_not_over(),
            ReportError::NotTheNewest => Self::not_the_newest(),
            ReportError::Damaged { .. } | ReportError::Ended(_) => refusal::fault(&error).into(),
            ReportError::Audit(error) => refusal::Refusal::from(error).into(),
            ReportError::Database(error) => error.into(),
        }
    }
}
