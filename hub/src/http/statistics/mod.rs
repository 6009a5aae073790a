//! `/api/v1/statistics`: tables of figures as JSON, CSV or XLSX. Method: `docs/statistics.md`.

mod answer;
pub(super) mod feed;
mod question;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::json;

use super::Api;
use super::auth::of_own_office;
use super::export::{self, Form};
use super::office::Nothing;
use super::params::Params;
use super::problem::{Problem, ProblemBody};
use crate::audit::{Action, Outcome};
use crate::export::Title;
use crate::identity::Person;
use crate::statistics::layout::Layout;
use crate::statistics::period::Grain;
use crate::statistics::query::{self, Query, QueryError};
pub(super) use answer::{Catalogue, TableAnswer};
pub(super) use question::Question;

/// A table of figures, each beside 同比 and 环比. CSV and XLSX by `Accept`; an export is recorded. A notary gets the
/// figures of the own office.
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
        (status = 406, body = ProblemBody),
    ),
)]
pub(super) async fn table(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    headers: HeaderMap,
    Params(question): Params<Question>,
) -> Result<Response, Problem> {
    let form = export::form(&headers, &[Form::Json, Form::Csv, Form::Xlsx])?;
    let rules = api.supervision.rules.rules();
    let mut query = question.query(&rules)?;
    if let Some(own) = person.office_id() {
        for asked in &query.filter.offices {
            of_own_office(&api, &person, *asked).await?;
        }
        query.filter.offices = vec![own];
    }
    let mut moment = api.reading(&person).await?;
    let table = query::table(&mut moment, &query).await?;
    drop(moment);
    let layout = Layout::of(&query, &table, &rules);
    if form == Form::Json {
        return Ok(Json(TableAnswer::of(&query, &table, layout)).into_response());
    }
    let file = export::file(form, Title::of(&query, &table), layout).await?;
    api.record(
        &person,
        Action::ExportStatistics,
        Outcome::Done,
        detail(form, &query),
    )
    .await?;
    Ok(file)
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

fn detail(form: Form, query: &Query) -> serde_json::Value {
    let day = |day| Grain::Day.label(day);
    json!({
        "form": form.extension(),
        "from": query.period.first.map(day),
        "to": query.period.last.map(day),
        "group_by": query.group_by.iter().map(|dimension| dimension.code()).collect::<Vec<_>>(),
        "measures": query.measures.iter().map(|measure| measure.code).collect::<Vec<_>>(),
        "offices": query.filter.offices,
        "matter_types": query.filter.matter_types,
    })
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
