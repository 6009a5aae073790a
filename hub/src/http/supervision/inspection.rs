//! Inspections, and the notice (通报) of one to be printed.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::day;
use super::finding::SupervisionFindingAnswer;
use super::notice;
use crate::filing::day::iso_date;
use crate::http::Api;
use crate::http::html;
use crate::http::page::{self, Page};
use crate::http::params::{Body, InPath, Params, Today, grounds};
use crate::http::problem::{Problem, ProblemBody};
use crate::identity::Person;
use crate::review::Grounds;
use crate::store::supervision::inspection::{Behind, Inspection, Read, Taken, Wanted};
use crate::supervision::inspection::{Act, InspectionState, Plan};

/// Things found in one inspection.
const ITEMS: usize = 100;
/// Findings that one inspection takes in.
const FINDINGS: usize = 200;

/// Which inspections are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Filter {
    office: Option<String>,
    state: Option<InspectionState>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// An inspection to be planned.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct InspectionToPlan {
    office_id: String,
    /// What is looked at, 1 to 500 characters.
    subject: String,
    #[serde(with = "iso_date")]
    #[schema(value_type = String, format = Date)]
    planned_on: Date,
}

/// A step to be taken; `reason` has 1 to 500 characters and no phone or document numbers.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::http) enum ActToTake {
    /// 记录检查情况
    Record {
        reason: String,
        /// What was found: 1 to 100 texts of 1 to 500 characters.
        items: Vec<String>,
    },
    /// 发出通报
    Issue {
        reason: String,
        #[serde(with = "iso_date")]
        #[schema(value_type = String, format = Date)]
        due_on: Date,
    },
    /// 报整改
    Rectify { reason: String },
    /// 退回
    Return {
        reason: String,
        #[serde(with = "iso_date")]
        #[schema(value_type = String, format = Date)]
        due_on: Date,
    },
    /// 办结
    Close { reason: String },
}

/// An inspection.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct InspectionAnswer {
    inspection_id: Uuid,
    #[schema(value_type = String)]
    office_id: OfficeId,
    office_name: String,
    subject: String,
    #[serde(with = "iso_date")]
    #[schema(value_type = String, format = Date)]
    planned_on: Date,
    state: InspectionState,
    state_zh: &'static str,
    #[serde(with = "iso_date::option")]
    #[schema(value_type = Option<String>, format = Date)]
    due_on: Option<Date>,
    overdue: bool,
}

/// An inspection with what was found and everything that was done about it, the newest first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct InspectionLife {
    #[serde(flatten)]
    inspection: InspectionAnswer,
    items: Vec<String>,
    /// Findings of the rules that it took in; an office sees those that it was notified of.
    findings: Vec<SupervisionFindingAnswer>,
    steps: Vec<ActAnswer>,
}

/// The findings that an inspection takes in, whatever it took in before.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct FindingsToTakeIn {
    /// Up to 200 findings of the office that are neither verified nor dismissed.
    finding_ids: Vec<Uuid>,
}

/// What was done.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ActAnswer {
    step: String,
    state: InspectionState,
    reason: String,
    #[serde(with = "iso_date::option")]
    #[schema(value_type = Option<String>, format = Date)]
    due_on: Option<Date>,
    taken_by: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    taken_at: OffsetDateTime,
}

/// Inspections, what is overdue first; a notary's office sees those it was notified of.
#[utoipa::path(
    get, path = "/api/v1/supervision/inspections", operation_id = "listInspections", security(("session" = [])), params(Filter),
    responses(
        (status = 200, body = Page<InspectionAnswer>), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Today(today): Today,
    Params(filter): Params<Filter>,
) -> Result<Json<Page<InspectionAnswer>>, Problem> {
    let limit = page::limit(filter.limit)?;
    let wanted = Wanted {
        office: page::parsed("office", filter.office.as_deref(), "an office id")?,
        state: filter.state,
        today,
        behind: behind(filter.cursor.as_deref())?,
    };
    let inspections = api.desk(&person)?.inspections(wanted, limit + 1).await?;
    let page = Page::cut(inspections, limit, |last| {
        let overdue = last.is_overdue(today).to_string();
        let [day, id] = [last.planned_on.to_string(), last.inspection_id.to_string()];
        [overdue, day, id]
    });
    Ok(Json(
        page.map(|inspection| InspectionAnswer::of(inspection, today)),
    ))
}

/// Plans an inspection.
#[utoipa::path(
    post, path = "/api/v1/supervision/inspections", operation_id = "planInspection", security(("session" = [])), request_body = InspectionToPlan,
    responses(
        (status = 201, body = InspectionAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn plan(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Today(today): Today,
    Body(plan): Body<InspectionToPlan>,
) -> Result<(StatusCode, Json<InspectionAnswer>), Problem> {
    let office = page::parsed("office_id", Some(&plan.office_id), "an office id")?;
    let plan = Plan {
        office_id: office.ok_or_else(Problem::not_found)?,
        subject: grounds("subject", &plan.subject)?,
        planned_on: plan.planned_on,
    };
    let planned = api.desk(&person)?.plan_inspection(&plan).await?;
    let answer = InspectionAnswer::of(planned, today);
    Ok((StatusCode::CREATED, Json(answer)))
}

/// An inspection with what was found and everything that was done about it.
#[utoipa::path(
    get, path = "/api/v1/supervision/inspections/{inspection_id}", operation_id = "readInspection", security(("session" = [])),
    params(("inspection_id" = Uuid, Path, description = "Inspection")),
    responses(
        (status = 200, body = InspectionLife), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn read(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(inspection_id): InPath<Uuid>,
    Today(today): Today,
) -> Result<Json<InspectionLife>, Problem> {
    let read = api.desk(&person)?.inspection(inspection_id).await?;
    Ok(Json(InspectionLife::of(&api, read, today)))
}

/// Says which findings of the rules an inspection takes in, until its notice is issued. They are notified with it, and it
/// is closed when all of them are verified or dismissed.
#[utoipa::path(
    put, path = "/api/v1/supervision/inspections/{inspection_id}/findings", operation_id = "putInspectionFindings",
    security(("session" = [])), params(("inspection_id" = Uuid, Path, description = "Inspection")),
    request_body = FindingsToTakeIn,
    responses(
        (status = 200, body = InspectionLife), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn take_in(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(inspection_id): InPath<Uuid>,
    Today(today): Today,
    Body(chosen): Body<FindingsToTakeIn>,
) -> Result<Json<InspectionLife>, Problem> {
    if chosen.finding_ids.len() > FINDINGS {
        return Err(Problem::field("finding_ids", "up to 200 findings"));
    }
    let desk = api.desk(&person)?;
    let read = desk.take_in(inspection_id, &chosen.finding_ids).await?;
    Ok(Json(InspectionLife::of(&api, read, today)))
}

/// Takes a step of an inspection.
#[utoipa::path(
    post, path = "/api/v1/supervision/inspections/{inspection_id}/steps", operation_id = "takeInspectionStep", security(("session" = [])),
    params(("inspection_id" = Uuid, Path, description = "Inspection")), request_body = ActToTake,
    responses(
        (status = 200, body = InspectionAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn step(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(inspection_id): InPath<Uuid>,
    Today(today): Today,
    Body(act): Body<ActToTake>,
) -> Result<Json<InspectionAnswer>, Problem> {
    let (act, reason) = act.parsed()?;
    let rules = api.supervision.rules.rules();
    let desk = api.desk(&person)?;
    let taken = desk.act(inspection_id, &act, &reason, &rules).await?;
    Ok(Json(InspectionAnswer::of(taken, today)))
}

/// The notice of an inspection as a page to be printed; there is none before it was issued.
#[utoipa::path(
    get, path = "/api/v1/supervision/inspections/{inspection_id}/notice", operation_id = "readInspectionNotice", security(("session" = [])),
    params(("inspection_id" = Uuid, Path, description = "Inspection")),
    responses(
        (status = 200, content_type = "text/html", body = String), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn notice(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(inspection_id): InPath<Uuid>,
    Today(today): Today,
) -> Result<html::Page, Problem> {
    let read = api.desk(&person)?.inspection(inspection_id).await?;
    let rules = api.supervision.rules.rules();
    notice::printed(&read, &rules, today).ok_or_else(Problem::not_found)
}

impl ActToTake {
    fn parsed(self) -> Result<(Act, Grounds), Problem> {
        let (act, reason) = match self {
            Self::Record { items, .. } if items.is_empty() || items.len() > ITEMS => {
                return Err(Problem::field("items", "1 to 100 texts"));
            }
            Self::Record { reason, items } => {
                let items = items.iter().map(|item| grounds("items", item));
                (Act::Record(items.collect::<Result<_, _>>()?), reason)
            }
            Self::Issue { reason, due_on } => (Act::Issue(due_on), reason),
            Self::Rectify { reason } => (Act::Rectify, reason),
            Self::Return { reason, due_on } => (Act::Return(due_on), reason),
            Self::Close { reason } => (Act::Close, reason),
        };
        Ok((act, grounds("reason", &reason)?))
    }
}

fn behind(cursor: Option<&str>) -> Result<Option<Behind>, Problem> {
    let Some([overdue, planned_on, id]) = page::key::<3>(cursor)? else {
        return Ok(None);
    };
    let planned_on = day("cursor", Some(&planned_on))?;
    let read = || Some((overdue.parse().ok()?, planned_on?, id.parse().ok()?));
    read().map(Some).ok_or_else(page::bad_cursor)
}

impl InspectionLife {
    fn of(api: &Api, read: Read, today: Date) -> Self {
        let findings = read.findings.into_iter();
        Self {
            inspection: InspectionAnswer::of(read.inspection, today),
            items: read.items,
            findings: findings
                .map(|finding| SupervisionFindingAnswer::of(api, finding, today))
                .collect(),
            steps: read.steps.into_iter().map(ActAnswer::from).collect(),
        }
    }
}

impl InspectionAnswer {
    fn of(inspection: Inspection, today: Date) -> Self {
        Self {
            overdue: inspection.is_overdue(today),
            inspection_id: inspection.inspection_id,
            office_id: inspection.office_id,
            office_name: inspection.office_name,
            subject: inspection.subject,
            planned_on: inspection.planned_on,
            state: inspection.state,
            state_zh: inspection.state.label_zh(),
            due_on: inspection.due_on,
        }
    }
}

impl From<Taken> for ActAnswer {
    fn from(taken: Taken) -> Self {
        Self {
            step: taken.step,
            state: taken.state,
            reason: taken.reason,
            due_on: taken.due_on,
            taken_by: taken.taken_by,
            taken_at: taken.taken_at,
        }
    }
}
