//! Self-assessments of windows: the board over all offices, and an office's own, item by item.

use axum::extract::State;
use axum::{Extension, Json};
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::{Date, OffsetDateTime};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::day;
use crate::audit::{Action, Outcome};
use crate::filing::FilingKind;
use crate::filing::assessment::{
    self, Board, Duty, House, Line, OfficeWindow, Scored, State as AssessmentState,
};
use crate::filing::day::iso_date;
use crate::filing::window::{Answer, Judged, Score, Verdict, Window};
use crate::http::Api;
use crate::http::auth::of_own_office;
use crate::http::params::{OfficeInPath, Params, Today};
use crate::http::problem::{Problem, ProblemBody};
use crate::identity::Person;
use crate::store::office::Level;

/// Which year is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct WantedYear {
    /// By default the newest in which a window was assessed.
    #[param(minimum = 2012, maximum = 9999)]
    year: Option<i32>,
}

/// Which assessment is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct WantedDay {
    /// YYYY-MM-DD, by default the newest.
    assessed_on: Option<String>,
}

/// The offices' windows in a year.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct WindowBoard {
    year: i32,
    /// Years that can be asked for, the newest first.
    years: Vec<i32>,
    /// The last day on which the year's assessment is in time.
    #[serde(with = "iso_date::option")]
    #[schema(value_type = Option<String>, format = Date)]
    due_on: Option<Date>,
    items: Vec<WindowLine>,
}

/// An office in a year.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct WindowLine {
    #[serde(flatten)]
    office: WindowOffice,
    state: AssessmentState,
    state_zh: &'static str,
    /// The newest of the year.
    newest: Option<AssessmentAnswer>,
    /// The newest of the years before.
    before: Option<AssessmentAnswer>,
}

/// An office as it is today.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct WindowOffice {
    #[schema(value_type = String)]
    office_id: OfficeId,
    office_name: String,
    #[schema(value_type = String)]
    level: Level,
    level_zh: &'static str,
}

/// What an assessment comes to.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AssessmentAnswer {
    filing_id: Uuid,
    #[serde(with = "iso_date")]
    #[schema(value_type = String, format = Date)]
    assessed_on: Date,
    #[serde(with = "time::serde::rfc3339")]
    recorded_at: OffsetDateTime,
    late: bool,
    /// Of the office on the day of the assessment: what its thresholds are.
    #[schema(value_type = String)]
    level: Level,
    level_zh: &'static str,
    score: Score,
}

/// An office's window, item by item.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct WindowAnswer {
    #[serde(flatten)]
    office: WindowOffice,
    /// The assessment that the items are of; absent when there is none.
    assessment: Option<AssessmentAnswer>,
    items: Vec<JudgedItem>,
    /// All assessments, the newest first.
    history: Vec<AssessmentAnswer>,
}

/// An item of `/api/v1/supervision/catalogue`, what the office says of it, and whether that is enough.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct JudgedItem {
    item: String,
    /// What is enough at the office's level, of an item that is measured.
    threshold: Option<u32>,
    answer: Option<Answer>,
    verdict: Verdict,
}

/// How the windows of all offices stand in a year, and whose assessment is missing; a notary sees the own office.
#[utoipa::path(
    get, path = "/api/v1/supervision/windows", operation_id = "listWindows", security(("session" = [])), params(WantedYear),
    responses(
        (status = 200, body = WindowBoard), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn board(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Today(today): Today,
    Params(wanted): Params<WantedYear>,
) -> Result<Json<WindowBoard>, Problem> {
    if wanted
        .year
        .is_some_and(|year| !(2012..=9999).contains(&year))
    {
        return Err(Problem::field("year", "a year from 2012 on"));
    }
    let rules = api.supervision.rules.rules();
    let duty = Duty {
        deadlines: &rules.deadlines,
        calendar: &api.supervision.calendar,
        today,
    };
    let mut reading = api.reading(&person).await?;
    let board = assessment::board(&mut reading, person.office_id(), wanted.year, duty).await?;
    read_of(&api, &person, person.office_id()).await?;
    Ok(Json(board.into()))
}

/// An office's window, item by item.
#[utoipa::path(
    get, path = "/api/v1/supervision/windows/{office_id}", operation_id = "readWindow", security(("session" = [])),
    params(("office_id" = String, Path, description = "Office"), WantedDay),
    responses(
        (status = 200, body = WindowAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn read(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    OfficeInPath(office_id): OfficeInPath,
    Today(today): Today,
    Params(wanted): Params<WantedDay>,
) -> Result<Json<WindowAnswer>, Problem> {
    of_own_office(&api, &person, office_id).await?;
    let assessed_on = day("assessed_on", wanted.assessed_on.as_deref())?;
    let mut reading = api.reading(&person).await?;
    let window = assessment::of_office(&mut reading, office_id, assessed_on, today).await?;
    read_of(&api, &person, Some(office_id)).await?;
    Ok(Json(window.ok_or_else(Problem::not_found)?.into()))
}

/// Who reads assessments reads filings.
async fn read_of(api: &Api, person: &Person, office: Option<OfficeId>) -> Result<(), Problem> {
    let detail = json!({ "office": office, "kind": FilingKind::SelfAssessment });
    api.record(person, Action::ListFilings, Outcome::Done, detail)
        .await
}

impl From<Board> for WindowBoard {
    fn from(board: Board) -> Self {
        Self {
            year: board.year,
            years: board.years,
            due_on: board.due_on,
            items: board.lines.into_iter().map(WindowLine::from).collect(),
        }
    }
}

impl From<Line> for WindowLine {
    fn from(line: Line) -> Self {
        Self {
            office: line.house.into(),
            state: line.state,
            state_zh: line.state.label_zh(),
            newest: line.newest.as_ref().map(AssessmentAnswer::from),
            before: line.before.as_ref().map(AssessmentAnswer::from),
        }
    }
}

impl From<House> for WindowOffice {
    fn from(house: House) -> Self {
        Self {
            office_id: house.office_id,
            office_name: house.name,
            level: house.level,
            level_zh: house.level.label_zh(),
        }
    }
}

impl From<&Scored> for AssessmentAnswer {
    fn from(scored: &Scored) -> Self {
        let assessment = &scored.assessment;
        Self {
            filing_id: assessment.filing_id,
            assessed_on: assessment.assessed_on,
            recorded_at: assessment.recorded_at,
            late: assessment.late,
            level: scored.level,
            level_zh: scored.level.label_zh(),
            score: scored.score.clone(),
        }
    }
}

impl From<OfficeWindow> for WindowAnswer {
    fn from(window: OfficeWindow) -> Self {
        let (level, answers) = match &window.shown {
            Some(scored) => (scored.level, scored.assessment.answers.as_slice()),
            None => (window.house.level, [].as_slice()),
        };
        let judged = Window::builtin().judge(level, answers).into_iter();
        Self {
            items: judged.map(JudgedItem::from).collect(),
            assessment: window.shown.as_ref().map(AssessmentAnswer::from),
            history: window.history.iter().map(AssessmentAnswer::from).collect(),
            office: window.house.into(),
        }
    }
}

impl From<Judged<'_>> for JudgedItem {
    fn from(judged: Judged<'_>) -> Self {
        Self {
            item: judged.item.id.clone(),
            threshold: judged.threshold,
            answer: judged.answer.cloned(),
            verdict: judged.verdict,
        }
    }
}
