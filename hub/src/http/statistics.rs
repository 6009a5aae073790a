//! `/api/v1/statistics`: tables of figures as JSON, CSV or XLSX. Method: `docs/statistics.md`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use linkage::matter::MatterType;
use linkage::office::OfficeId;
use linkage::vocabulary::ForeignRelation;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::{Date, Month};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::export::{self, Form};
use super::params::Params;
use super::problem::{Problem, ProblemBody};
use crate::audit::{Action, Outcome};
use crate::identity::Person;
use crate::statistics::contribution::Measures;
use crate::statistics::query::{self, Dimension, Query, Row, Table, within_limit_rate};
use crate::store;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// First month, e.g. 2024-01; the first there is when absent.
    from: Option<String>,
    /// Last month, included.
    to: Option<String>,
    /// One or more of office, matter_type, month, foreign_relation, with commas; office when absent.
    group_by: Option<String>,
    /// One office alone.
    office: Option<String>,
    /// One matter of the catalogue alone.
    matter_type: Option<String>,
}

/// A table.
#[derive(Serialize, ToSchema)]
pub(super) struct TableAnswer {
    group_by: Vec<&'static str>,
    from: Option<String>,
    to: Option<String>,
    rows: Vec<RowAnswer>,
    totals: Figures,
}

/// What a row stands for, and its figures.
#[derive(Serialize, ToSchema)]
pub(super) struct RowAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    office_id: Option<OfficeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matter_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matter_type_zh: Option<&'static str>,
    /// e.g. 2024-01
    #[serde(skip_serializing_if = "Option::is_none")]
    month: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    foreign_relation: Option<&'static str>,
    #[serde(flatten)]
    figures: Figures,
}

/// Counts; fees in fen.
#[derive(Serialize, ToSchema)]
pub(super) struct Figures {
    applied: i64,
    accepted: i64,
    refused: i64,
    issued: i64,
    rejected: i64,
    terminated: i64,
    corrected: i64,
    revoked: i64,
    /// Issued within 15 working days of acceptance.
    within_limit: i64,
    /// Of those issued; absent when none was.
    within_limit_rate: Option<f64>,
    fee_charged_fen: i64,
    fee_reduced_fen: i64,
    legal_aid: i64,
}

/// A table of figures. CSV and XLSX by `Accept`; an export is recorded.
#[utoipa::path(
    get, path = "/api/v1/statistics", security(("session" = [])), params(Filter),
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
    Params(filter): Params<Filter>,
) -> Result<Response, Problem> {
    let form = export::form(&headers)?;
    let query = wanted(&filter)?;
    let mut reading = api.reading(&person).await?;
    let table = query::table(&mut *reading, &query).await?;
    if form == Form::Json {
        return Ok(Json(answer(&query, &table)).into_response());
    }
    let offices = store::office::list(&mut *reading).await?;
    let sheet = export::sheet(&query, &table, &offices);
    let file = export::file(form, &sheet)?;
    let detail = json!({
        "form": form.extension(),
        "from": query.from.map(month),
        "to": query.to.map(month),
        "group_by": codes(&query),
        "office": query.office,
        "matter_type": query.matter_type,
    });
    api.record(&person, Action::ExportStatistics, Outcome::Done, detail)
        .await?;
    Ok(file)
}

fn wanted(filter: &Filter) -> Result<Query, Problem> {
    let query = Query {
        from: filter
            .from
            .as_deref()
            .map(|m| first_of("from", m))
            .transpose()?,
        to: filter
            .to
            .as_deref()
            .map(|m| first_of("to", m))
            .transpose()?,
        group_by: group_by(filter.group_by.as_deref().unwrap_or("office"))?,
        office: filter
            .office
            .as_deref()
            .map(|id| {
                id.parse()
                    .map_err(|_| Problem::field("office", "an office id"))
            })
            .transpose()?,
        matter_type: filter.matter_type.as_deref().map(matter_type).transpose()?,
    };
    match (query.from, query.to) {
        (Some(from), Some(to)) if to < from => {
            Err(Problem::field("to", "a month not before `from`"))
        }
        _ => Ok(query),
    }
}

fn matter_type(code: &str) -> Result<MatterType, Problem> {
    code.parse()
        .map_err(|_| Problem::field("matter_type", "a code of the catalogue"))
}

fn group_by(text: &str) -> Result<Vec<Dimension>, Problem> {
    let expected = "some of office, matter_type, month, foreign_relation, each once";
    let mut dimensions = Vec::new();
    for code in text.split(',') {
        let known = Dimension::ALL.into_iter().find(|d| d.code() == code);
        match known {
            Some(dimension) if !dimensions.contains(&dimension) => dimensions.push(dimension),
            _ => return Err(Problem::field("group_by", expected)),
        }
    }
    Ok(dimensions)
}

/// `2024-01`, strictly.
fn first_of(field: &str, text: &str) -> Result<Date, Problem> {
    let read = || {
        let (year, number) = text.split_once('-')?;
        let digits =
            |text: &str, len| text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(number, 2) {
            return None;
        }
        let month = Month::try_from(number.parse::<u8>().ok()?).ok()?;
        Date::from_calendar_date(year.parse().ok()?, month, 1).ok()
    };
    read().ok_or_else(|| Problem::field(field, "a month such as 2024-01"))
}

pub(super) fn month(first: Date) -> String {
    format!("{:04}-{:02}", first.year(), u8::from(first.month()))
}

fn codes(query: &Query) -> Vec<&'static str> {
    query.group_by.iter().map(|d| d.code()).collect()
}

fn answer(query: &Query, table: &Table) -> TableAnswer {
    TableAnswer {
        group_by: codes(query),
        from: query.from.map(month),
        to: query.to.map(month),
        rows: table.rows.iter().map(row).collect(),
        totals: figures(&table.totals),
    }
}

fn row(row: &Row) -> RowAnswer {
    RowAnswer {
        office_id: row.office_id,
        matter_type: row.matter_type.map(MatterType::code),
        matter_type_zh: row.matter_type.map(MatterType::name_zh),
        month: row.month.map(month),
        foreign_relation: row.foreign_relation.map(ForeignRelation::code),
        figures: figures(&row.measures),
    }
}

fn figures(measures: &Measures) -> Figures {
    Figures {
        applied: measures.applied,
        accepted: measures.accepted,
        refused: measures.refused,
        issued: measures.issued,
        rejected: measures.rejected,
        terminated: measures.terminated,
        corrected: measures.corrected,
        revoked: measures.revoked,
        within_limit: measures.within_limit,
        within_limit_rate: within_limit_rate(measures),
        fee_charged_fen: measures.fee_charged_fen,
        fee_reduced_fen: measures.fee_reduced_fen,
        legal_aid: measures.legal_aid,
    }
}
