//! `/api/v1/statistics`: tables of figures as JSON, CSV or XLSX. Method: `docs/statistics.md`.

mod answer;
pub(super) mod feed;
mod question;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use super::Api;
use super::auth::of_own_office;
use super::exports::{self, ExportAnswer, StartExport};
use super::form::{self, Form};
use super::params::{Body, Nothing, Params};
use super::problem::{Problem, ProblemBody};
use crate::export::subject::Subject;
use crate::identity::Person;
use crate::statistics::layout::Layout;
use crate::statistics::query::{self, Query, QueryError};
pub(super) use answer::{Catalogue, TableAnswer};
pub(super) use question::Question;

/// A table of figures, each beside 同比 and 环比. CSV and XLSX by `Accept`; an export is recorded, and a large one is to be
/// begun by `/statistics/exports`. A notary gets the figures of the own office.
#[utoipa::path(
    get, path = "/api/v1/statistics", operation_id = "readStatistics", tag = "statistics",
    security(("session" = [])), params(Question),
    responses(
        (status = 200, content(
            (TableAnswer = "application/json"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 406, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(super) async fn table(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    headers: HeaderMap,
    Params(question): Params<Question>,
) -> Result<Response, Problem> {
    let form = form::wanted(&headers, &[Form::Json, Form::Csv, Form::Xlsx])?;
    let query = own(&api, &person, question).await?;
    if let Some(form) = form.file() {
        let subject = Subject::Statistics(Box::new(query));
        return form::at_once(&api, &person, &subject, form).await;
    }
    let mut moment = api.reading(&person).await?;
    let table = query::table(&mut moment, &query).await?;
    drop(moment);
    let layout = Layout::of(&query, &table, &api.supervision.rules.rules());
    Ok(Json(TableAnswer::of(&query, &table, layout)).into_response())
}

/// Begins to make a large table as a file.
#[utoipa::path(
    post, path = "/api/v1/statistics/exports", operation_id = "exportStatistics", tag = "statistics",
    security(("session" = [])), params(Question), request_body = StartExport,
    responses(
        (status = 202, body = ExportAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(super) async fn export(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(question): Params<Question>,
    Body(wanted): Body<StartExport>,
) -> Result<(StatusCode, Json<ExportAnswer>), Problem> {
    let query = own(&api, &person, question).await?;
    exports::start(&api, &person, Subject::Statistics(Box::new(query)), wanted).await
}

/// What is asked for; of a notary, for the own office.
async fn own(api: &Api, person: &Person, question: Question) -> Result<Query, Problem> {
    let mut query = question.query(&api.supervision.rules.rules())?;
    if let Some(own) = person.office_id() {
        for asked in &query.filter.offices {
            of_own_office(api, person, *asked).await?;
        }
        query.filter.offices = vec![own];
    }
    Ok(query)
}

/// The measures and dimensions there are.
#[utoipa::path(
    get, path = "/api/v1/statistics/measures", operation_id = "listMeasures", tag = "statistics",
    security(("session" = [])),
    responses((status = 200, body = Catalogue), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)),
)]
pub(super) async fn measures(
    State(api): State<Api>,
    Params(Nothing {}): Params<Nothing>,
) -> Json<Catalogue> {
    Json(answer::catalogue(&api.supervision.rules.rules()))
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::TooLarge => Self::field(
                "group_by",
                &format!(
                    "at most {} rows; take fewer dimensions or a shorter period",
                    query::MOST_ROWS
                ),
            ),
            QueryError::Database(error) => error.into(),
        }
    }
}
