//! `/api/v1/supervision/catalogue`: the forms of filings, the items of a window's self-assessment, and what the codes of
//! supervision are called, so that no client keeps a list of its own.

use axum::extract::State;
use axum::{Extension, Json};
use linkage::vocabulary::ReasonCode;
use serde::Serialize;
use time::Date;
use utoipa::ToSchema;

use crate::filing::assessment::State as AssessmentState;
use crate::filing::body::{Period, Relation};
use crate::filing::deadline::Every;
use crate::filing::form::{self, Field};
use crate::filing::window::{Form, Item, Window};
use crate::filing::{AboutCase, FilingKind, KEY_CHARS, TEXT_CHARS};
use crate::http::Api;
use crate::http::catalogue::{Code, codes};
use crate::http::params::{Nothing, Params, Today};
use crate::http::problem::{Problem, ProblemBody};
use crate::identity::Person;
use crate::store::office::Level;
use crate::supervision::About;
use crate::supervision::evidence::FACTS;
use crate::supervision::inspection::{ACTS, InspectionState};
use crate::supervision::life::{FindingState, Hand, Step};
use crate::supervision::worker::Supervision;

/// Forms, items and code lists of supervision.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SupervisionCatalogue {
    filing_kinds: Vec<FilingForm>,
    window: WindowItems,
    assessment_states: Vec<Code>,
    levels: Vec<Code>,
    /// States that whoever asks finds anything in.
    finding_states: Vec<Code>,
    finding_steps: Vec<Code>,
    /// States that whoever asks finds anything in.
    inspection_states: Vec<Code>,
    inspection_acts: Vec<Code>,
    /// What the key of a thing is called that a finding is about.
    about_keys: Vec<Code>,
    /// Names of the facts that findings rest on, in the order in which they are read.
    facts: Vec<Code>,
    reason_codes: Vec<Code>,
    relations: Vec<Code>,
}

/// What is filled in for a kind of filing.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FilingForm {
    kind: FilingKind,
    name_zh: &'static str,
    about_case: AboutCase,
    /// Whether it says nothing without a text.
    needs_text: bool,
    /// Characters of the case's key and of the text.
    most_key: usize,
    most_text: usize,
    fields: Vec<Field>,
    /// Handed in at the office, through its agent: it holds numbers that do not leave the office.
    by_agent: bool,
    /// What it counts can be corrected.
    correctable: bool,
    deadline: Option<FilingDeadline>,
}

/// When a filing is in time.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FilingDeadline {
    working_days: u32,
    text_zh: String,
    /// The newest period that is over, of a kind that is wanted once in each.
    period: Option<Period>,
    /// By when the filing of that period is in time.
    #[serde(with = "crate::filing::day::iso_date::option")]
    #[schema(value_type = Option<String>, format = Date)]
    due_on: Option<Date>,
}

/// The items of the self-assessment (杭州市公证窗口建设基本规范).
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct WindowItems {
    version: &'static str,
    items: Vec<WindowItem>,
}

/// One item.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct WindowItem {
    id: &'static str,
    /// Its place in the annex.
    annex_zh: &'static str,
    text_zh: &'static str,
    /// 有条件的: "not applicable" is an answer.
    conditional: bool,
    /// It is asked for no more; older assessments have it.
    former: bool,
    /// Of an item that is measured, with what is enough at each level; absent: yes or no.
    measure: Option<WindowMeasure>,
}

/// What is enough.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct WindowMeasure {
    unit: &'static str,
    /// Absent: one for each notary.
    enough: Option<WindowThreshold>,
}

/// What is enough at each level.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct WindowThreshold {
    municipal: u32,
    county: u32,
}

/// Forms of filings, items of the window's self-assessment, and names of the codes of supervision.
#[utoipa::path(
    get, path = "/api/v1/supervision/catalogue", operation_id = "readSupervisionCatalogue", security(("session" = [])),
    responses((status = 200, body = SupervisionCatalogue), (status = 401, body = ProblemBody)),
)]
pub(in crate::http) async fn serve(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Today(today): Today,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<SupervisionCatalogue>, Problem> {
    let hand = match person.office_id() {
        Some(_) => Hand::Office,
        None => Hand::Bureau,
    };
    let told = FindingState::ALL.iter().copied();
    let finding_states: Vec<_> = told.filter(|state| state.is_told_to(hand)).collect();
    let told = InspectionState::ALL.iter().copied();
    let inspection_states: Vec<_> = told.filter(|state| state.is_told_to(hand)).collect();
    let form = |kind: &FilingKind| FilingForm::of(*kind, &api.supervision, today);
    Ok(Json(SupervisionCatalogue {
        filing_kinds: FilingKind::ALL.iter().map(form).collect(),
        window: WindowItems::from(Window::builtin()),
        assessment_states: codes(AssessmentState::ALL, |one| (one.code(), one.label_zh())),
        levels: codes(&Level::ALL, |one| (one.code(), one.label_zh())),
        finding_states: codes(&finding_states, |one| (one.code(), one.label_zh())),
        finding_steps: codes(Step::ALL, |one| (one.code(), one.label_zh())),
        inspection_states: codes(&inspection_states, |one| (one.code(), one.label_zh())),
        inspection_acts: codes(&ACTS, |act| act),
        about_keys: codes(About::ALL, |one| (one.code(), one.key_zh())),
        facts: codes(FACTS, |fact| fact),
        reason_codes: codes(ReasonCode::ALL, |one| (one.code(), one.label_zh())),
        relations: codes(Relation::ALL, |one| (one.code(), one.label_zh())),
    }))
}

impl FilingForm {
    fn of(kind: FilingKind, supervision: &Supervision, today: Date) -> Self {
        Self {
            kind,
            name_zh: kind.label_zh(),
            about_case: kind.about_case(),
            needs_text: kind.needs_text(),
            most_key: KEY_CHARS,
            most_text: TEXT_CHARS,
            fields: form::fields(kind),
            by_agent: kind.has_numbers(),
            correctable: kind.is_correctable(),
            deadline: FilingDeadline::of(kind, supervision, today),
        }
    }
}

impl FilingDeadline {
    fn of(kind: FilingKind, supervision: &Supervision, today: Date) -> Option<Self> {
        let rules = supervision.rules.rules();
        let deadlines = &rules.deadlines;
        let deadline = deadlines.of.get(&kind)?;
        let days = deadline.working_days;
        let period = deadline.every.map(|every| {
            let last_day = every.last_end(today);
            Period {
                first_day: every.first_of(last_day),
                last_day,
            }
        });
        let last_day = period.map(|period| period.last_day);
        Some(Self {
            working_days: days,
            text_zh: match deadline.every {
                None => format!("自发生之日起 {days} 个工作日内"),
                Some(every) => format!("每{}结束后 {days} 个工作日内", label_zh(every)),
            },
            period,
            due_on: deadlines.due_on(kind, last_day, &supervision.calendar),
        })
    }
}

const fn label_zh(every: Every) -> &'static str {
    match every {
        Every::Month => "月",
        Every::Quarter => "季度",
        Every::Year => "年",
    }
}

impl From<&'static Window> for WindowItems {
    fn from(window: &'static Window) -> Self {
        Self {
            version: &window.version,
            items: window.items.iter().map(WindowItem::from).collect(),
        }
    }
}

impl From<&'static Item> for WindowItem {
    fn from(item: &'static Item) -> Self {
        Self {
            id: &item.id,
            annex_zh: &item.annex,
            text_zh: &item.text,
            conditional: item.condition,
            former: item.until.is_some(),
            measure: match &item.form {
                Form::YesNo {} => None,
                Form::PerNotary { unit } => Some(WindowMeasure { unit, enough: None }),
                Form::Measure {
                    unit,
                    municipal,
                    county,
                } => Some(WindowMeasure {
                    unit,
                    enough: Some(WindowThreshold {
                        municipal: *municipal,
                        county: *county,
                    }),
                }),
            },
        }
    }
}
