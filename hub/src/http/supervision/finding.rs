//! Rules and findings.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use data_encoding::HEXLOWER;
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{day, facts};
use crate::export::subject::Subject;
use crate::filing::day::iso_date;
use crate::http::Api;
use crate::http::exports::{self, ExportAnswer, StartExport};
use crate::http::form::{self, Form};
use crate::http::page::{self, Page};
use crate::http::params::{Body, InPath, Params, Today, grounds};
use crate::http::problem::{Problem, ProblemBody};
use crate::identity::Person;
use crate::store::supervision::finding::{self as store, Count, Finding, Taken, Wanted};
use crate::supervision::About;
use crate::supervision::desk::TakeStep;
use crate::supervision::life::{FindingState, Step};
use crate::supervision::rule::{Rule, Severity};

/// The rules in force.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct RulesAnswer {
    version: String,
    items: Vec<SupervisionRuleAnswer>,
}

/// One rule.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SupervisionRuleAnswer {
    rule_id: String,
    /// Row of docs/notice-coverage.md.
    row: String,
    title_zh: String,
    article_zh: String,
    severity: Severity,
    severity_zh: &'static str,
}

/// Which findings are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Filter {
    office: Option<String>,
    rule: Option<String>,
    severity: Option<Severity>,
    state: Option<FindingState>,
    /// Those alone that were to be rectified before today.
    overdue: Option<bool>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// A finding.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SupervisionFindingAnswer {
    finding_id: Uuid,
    #[schema(value_type = String)]
    office_id: OfficeId,
    rule_id: String,
    title_zh: String,
    article_zh: String,
    severity: Severity,
    severity_zh: &'static str,
    about: About,
    /// The office's key of the case, a filing's id, or series and first number of special paper.
    about_key: String,
    /// Codes, days and amounts (fen).
    #[schema(value_type = Object)]
    evidence: serde_json::Value,
    /// What a decision stands on; to be sent back with it.
    facts: String,
    rules_version: String,
    #[serde(with = "iso_date::option")]
    #[schema(value_type = Option<String>, format = Date)]
    happened_on: Option<Date>,
    state: FindingState,
    state_zh: &'static str,
    /// The rule does not hit any more.
    cleared: bool,
    #[serde(with = "iso_date::option")]
    #[schema(value_type = Option<String>, format = Date)]
    due_on: Option<Date>,
    overdue: bool,
    #[serde(with = "time::serde::rfc3339")]
    found_at: OffsetDateTime,
}

/// A finding and everything that was done about it, the newest first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FindingLife {
    #[serde(flatten)]
    finding: SupervisionFindingAnswer,
    steps: Vec<StepAnswer>,
}

/// What was done.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct StepAnswer {
    /// A step, or facts_changed.
    step: String,
    state: FindingState,
    reason: String,
    /// Absent: the hub.
    taken_by: Option<Uuid>,
    #[serde(with = "time::serde::rfc3339")]
    taken_at: OffsetDateTime,
}

/// A step to be taken.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct StepToTake {
    step: Step,
    /// 1 to 500 characters; no phone or document numbers.
    reason: String,
    /// As they were read.
    facts: String,
    /// By when the office is to have mended it; with notify and return.
    due_on: Option<String>,
}

/// Whose counts, of which time.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Span {
    pub(super) office: Option<String>,
    /// YYYY-MM-DD, included.
    pub(super) from: Option<String>,
    /// YYYY-MM-DD, included.
    pub(super) to: Option<String>,
}

/// Findings by office and rule.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Summary {
    items: Vec<CountAnswer>,
}

/// How the findings of an office under a rule stand.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct CountAnswer {
    office_id: String,
    rule_id: String,
    open: i64,
    notified: i64,
    overdue: i64,
    rectified: i64,
    verified: i64,
    dismissed: i64,
    rectified_in_time: i64,
}

/// The rules in force.
#[utoipa::path(
    get, path = "/api/v1/supervision/rules", operation_id = "listSupervisionRules", security(("session" = [])),
    responses((status = 200, body = RulesAnswer), (status = 401, body = ProblemBody)),
)]
pub(in crate::http) async fn rules(State(api): State<Api>) -> Json<RulesAnswer> {
    let rules = api.supervision.rules.rules();
    Json(RulesAnswer {
        version: rules.version.clone(),
        items: rules
            .rules
            .iter()
            .map(SupervisionRuleAnswer::from)
            .collect(),
    })
}

/// Findings by office and rule; for a notary those the own office was notified of.
#[utoipa::path(
    get, path = "/api/v1/supervision/summary", operation_id = "countSupervisionFindings", security(("session" = [])), params(Span),
    responses(
        (status = 200, body = Summary), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn summary(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Today(today): Today,
    Params(span): Params<Span>,
) -> Result<Json<Summary>, Problem> {
    let office = page::parsed("office", span.office.as_deref(), "an office id")?;
    let office = person.office_id().or(office);
    let (from, to) = (
        day("from", span.from.as_deref())?,
        day("to", span.to.as_deref())?,
    );
    let mut reading = api.reading(&person).await?;
    let counts = store::counts(&mut reading, office, from, to, today).await?;
    Ok(Json(Summary {
        items: counts.into_iter().map(CountAnswer::from).collect(),
    }))
}

/// Findings, the newest first. Cleared ones that nobody took up are left out. All of them as CSV or XLSX by `Accept`, which is
/// recorded; where there are many, that is to be begun by `/supervision/findings/exports`.
#[utoipa::path(
    get, path = "/api/v1/supervision/findings", operation_id = "listSupervisionFindings", security(("session" = [])), params(Filter),
    responses(
        (status = 200, content(
            (Page<SupervisionFindingAnswer> = "application/json"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 406, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    headers: HeaderMap,
    Today(today): Today,
    Params(filter): Params<Filter>,
) -> Result<Response, Problem> {
    let form = form::wanted(&headers, &[Form::Json, Form::Csv, Form::Xlsx])?;
    if let Some(form) = form.file() {
        let subject = whole(&api, &person, filter, today)?;
        return form::at_once(&api, &person, &subject, form).await;
    }
    let limit = page::limit(filter.limit)?;
    let behind = page::behind(filter.cursor.as_deref())?;
    let wanted = Wanted {
        behind,
        ..filter.wanted(today)?
    };
    let findings = api.desk(&person)?.findings(wanted, limit + 1).await?;
    let page = Page::cut(findings, limit, |last| {
        page::place(last.found_at, last.finding_id)
    });
    let page = page.map(|finding| SupervisionFindingAnswer::of(&api, finding, today));
    Ok(Json(page).into_response())
}

/// Begins to make a file of many findings.
#[utoipa::path(
    post, path = "/api/v1/supervision/findings/exports", operation_id = "exportSupervisionFindings",
    security(("session" = [])), params(Filter), request_body = StartExport,
    responses(
        (status = 202, body = ExportAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn export_all(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Today(today): Today,
    Params(filter): Params<Filter>,
    Body(wanted): Body<StartExport>,
) -> Result<(StatusCode, Json<ExportAnswer>), Problem> {
    let subject = whole(&api, &person, filter, today)?;
    exports::start(&api, &person, subject, wanted).await
}

/// Everything that is asked for and that the person's desk may see.
fn whole(api: &Api, person: &Person, filter: Filter, today: Date) -> Result<Subject, Problem> {
    page::whole(filter.limit, filter.cursor.as_deref())?;
    let wanted = filter.wanted(today)?;
    Ok(Subject::Findings(api.desk(person)?.own(wanted)))
}

impl Filter {
    fn wanted(self, today: Date) -> Result<Wanted, Problem> {
        Ok(Wanted {
            office: page::parsed("office", self.office.as_deref(), "an office id")?,
            rule: page::parsed("rule", self.rule.as_deref(), "the id of a rule")?,
            severity: self.severity,
            state: self.state,
            overdue_on: self.overdue.unwrap_or_default().then_some(today),
            ..Wanted::default()
        })
    }
}

/// A finding with everything that was done about it.
#[utoipa::path(
    get, path = "/api/v1/supervision/findings/{finding_id}", operation_id = "readSupervisionFinding", security(("session" = [])),
    params(("finding_id" = Uuid, Path, description = "Finding")),
    responses(
        (status = 200, body = FindingLife), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn read(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(finding_id): InPath<Uuid>,
    Today(today): Today,
) -> Result<Json<FindingLife>, Problem> {
    let (finding, steps) = api.desk(&person)?.finding(finding_id).await?;
    Ok(Json(FindingLife {
        finding: SupervisionFindingAnswer::of(&api, finding, today),
        steps: steps.into_iter().map(StepAnswer::from).collect(),
    }))
}

/// Takes a step of a finding's life on the facts that were read.
#[utoipa::path(
    post, path = "/api/v1/supervision/findings/{finding_id}/steps", operation_id = "takeSupervisionStep", security(("session" = [])),
    params(("finding_id" = Uuid, Path, description = "Finding")), request_body = StepToTake,
    responses(
        (status = 200, body = SupervisionFindingAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn step(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(finding_id): InPath<Uuid>,
    Today(today): Today,
    Body(step): Body<StepToTake>,
) -> Result<Json<SupervisionFindingAnswer>, Problem> {
    let take = TakeStep {
        finding_id,
        step: step.step,
        grounds: grounds("reason", &step.reason)?,
        facts: facts(&step.facts)?,
        due_on: day("due_on", step.due_on.as_deref())?,
    };
    let finding = api
        .desk(&person)?
        .step(&take, &api.supervision.rules.rules())
        .await?;
    Ok(Json(SupervisionFindingAnswer::of(&api, finding, today)))
}

impl SupervisionFindingAnswer {
    pub(super) fn of(api: &Api, finding: Finding, today: Date) -> Self {
        let rules = api.supervision.rules.rules();
        let rule = rules.rule(&finding.rule_id);
        let text =
            |of: fn(&Rule) -> &str| rule.map_or_else(String::new, |rule| of(rule).to_owned());
        let overdue = finding.is_overdue(today);
        Self {
            finding_id: finding.finding_id,
            office_id: finding.office_id,
            title_zh: text(|rule| &rule.title),
            article_zh: text(|rule| &rule.article),
            rule_id: finding.rule_id,
            severity: finding.severity,
            severity_zh: finding.severity.label_zh(),
            about: finding.about,
            about_key: finding.about_key,
            evidence: finding.evidence,
            facts: HEXLOWER.encode(&finding.facts.0),
            rules_version: finding.rules_version,
            happened_on: finding.happened_on,
            state: finding.state,
            state_zh: finding.state.label_zh(),
            cleared: finding.cleared_at.is_some(),
            due_on: finding.due_on,
            overdue,
            found_at: finding.found_at,
        }
    }
}

impl From<&Rule> for SupervisionRuleAnswer {
    fn from(rule: &Rule) -> Self {
        Self {
            rule_id: rule.id.clone(),
            row: rule.row.clone(),
            title_zh: rule.title.clone(),
            article_zh: rule.article.clone(),
            severity: rule.severity,
            severity_zh: rule.severity.label_zh(),
        }
    }
}

impl From<Taken> for StepAnswer {
    fn from(taken: Taken) -> Self {
        Self {
            step: taken.step,
            state: taken.state,
            reason: taken.reason,
            taken_by: taken.taken_by,
            taken_at: taken.taken_at,
        }
    }
}

impl From<Count> for CountAnswer {
    fn from(count: Count) -> Self {
        Self {
            office_id: count.office_id,
            rule_id: count.rule_id,
            open: count.open,
            notified: count.notified,
            overdue: count.overdue,
            rectified: count.rectified,
            verified: count.verified,
            dismissed: count.dismissed,
            rectified_in_time: count.rectified_in_time,
        }
    }
}
