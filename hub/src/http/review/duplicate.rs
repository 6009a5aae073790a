//! `/api/v1/reviews/duplicates`: findings of the duplicate rules, and what people make of them.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::Api;
use super::super::auth::of_own_office;
use super::super::exports::{self, ExportAnswer, StartExport};
use super::super::form::{self, Form};
use super::super::page::{self, Page};
use super::super::params::{Body, InPath, Params, grounds};
use super::super::problem::{Problem, ProblemBody};
use super::fields::told;
use super::{Because, Ending, answered};
use crate::export::subject::Subject;
use crate::identity::Person;
use crate::review::duplicate::{Asked, Decide, Facts, FindingState, Verdict};
use crate::review::{Desk, Review, mask};
use crate::store::review::duplicate::{Case, Decision, Finding, Party};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Filter {
    /// Findings that one of this office's cases is part of. A notary's is the own office.
    office: Option<String>,
    /// duplicate, conflict or related.
    severity: Option<String>,
    /// open (when absent), confirmed or dismissed.
    state: Option<FindingState>,
    /// 1 to 200; 50 when absent.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A finding with both cases side by side.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FindingAnswer {
    finding_id: Uuid,
    rule_id: String,
    /// duplicate, conflict or related.
    severity: &'static str,
    severity_zh: &'static str,
    state: FindingState,
    /// Somebody decided before, and the cases or the rules changed since: the finding is open again.
    facts_changed: bool,
    /// The newest decision that was not withdrawn.
    decision: Option<DecisionAnswer>,
    /// What a decision stands on; goes back with it.
    facts: Facts,
    cases: [CaseAnswer; 2],
    /// Office that accepted first, by its own word (公证程序规则 art. 16).
    #[schema(value_type = Option<String>)]
    first_accepting: Option<OfficeId>,
    /// Whether that word is in doubt.
    back_dated: bool,
    /// number: equal verified numbers; person: linkage holds the parties for the same persons, which is possible only.
    basis: &'static str,
    /// Of a finding by persons what the weakest link it rests on weighed, in bits.
    match_weight: Option<f64>,
    #[serde(with = "time::serde::rfc3339")]
    found_at: OffsetDateTime,
}

/// A finding and everything that was decided about it, the newest first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FindingHistory {
    #[serde(flatten)]
    finding: FindingAnswer,
    /// Of a finding by persons whom linkage holds for one person in both cases, the heaviest first; 8 at most.
    pairs: Vec<Beside>,
    decisions: Vec<DecisionAnswer>,
}

/// A mention of each case: why the two are held for one person is at `/reviews/persons/{low}/{high}`.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Beside {
    low: Uuid,
    high: Uuid,
}

/// One of the two cases.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct CaseAnswer {
    #[schema(value_type = String)]
    office_id: OfficeId,
    /// The office's own key; of another office's case a notary is not told it.
    source_case_id: Option<String>,
    case_no: Option<String>,
    matter_type: &'static str,
    matter_type_zh: &'static str,
    state: &'static str,
    state_zh: &'static str,
    /// YYYY-MM-DD.
    applied_on: Option<String>,
    accepted_on: Option<String>,
    /// 20 at most.
    parties: Vec<PartyAnswer>,
}

/// A party, masked.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct PartyAnswer {
    role: &'static str,
    role_zh: &'static str,
    /// 张**
    name: String,
}

/// What somebody decided.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct DecisionAnswer {
    decision_id: Uuid,
    decision: Verdict,
    facts: Facts,
    decided_by: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    decided_at: OffsetDateTime,
    /// Whether the one who asks decided it.
    own: bool,
    /// Told to supervisors and to whoever wrote it.
    reason: Option<String>,
    withdrawn: Option<Ending>,
}

/// A decision to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct DecideFinding {
    finding_id: Uuid,
    decision: Verdict,
    /// 1 to 500 characters; no phone or document numbers.
    reason: String,
    /// As they were read.
    facts: Facts,
}

/// Findings by state, the newest first. All of them as CSV or XLSX by `Accept`, masked as they are here, which is recorded;
/// where there are many, that is to be begun by `/reviews/duplicates/exports`.
#[utoipa::path(
    get, path = "/api/v1/reviews/duplicates", operation_id = "listDuplicateReviews",
    security(("session" = [])), params(Filter),
    responses(
        (status = 200, content(
            (Page<FindingAnswer> = "application/json"),
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
    Params(filter): Params<Filter>,
) -> Result<Response, Problem> {
    let form = form::wanted(&headers, &[Form::Json, Form::Csv, Form::Xlsx])?;
    if let Some(form) = form.file() {
        let subject = whole(&api, &person, filter).await?;
        return form::at_once(&api, &person, &subject, form).await;
    }
    let limit = page::limit(filter.limit)?;
    let behind = page::behind(filter.cursor.as_deref())?;
    let asked = filter.asked(&api, &person).await?;
    let review = api.reviews(&person)?;
    let findings = review.findings(asked, behind, limit + 1).await?;
    let page = Page::cut(findings, limit, |last| {
        page::place(last.found_at, last.finding_id)
    });
    let page = page.map(|finding| FindingAnswer::of(&review, finding));
    Ok(Json(page).into_response())
}

/// Begins to make a file of many findings.
#[utoipa::path(
    post, path = "/api/v1/reviews/duplicates/exports", operation_id = "exportDuplicateReviews",
    security(("session" = [])), params(Filter), request_body = StartExport,
    responses(
        (status = 202, body = ExportAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn export_all(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(filter): Params<Filter>,
    Body(wanted): Body<StartExport>,
) -> Result<(StatusCode, Json<ExportAnswer>), Problem> {
    let subject = whole(&api, &person, filter).await?;
    exports::start(&api, &person, subject, wanted).await
}

/// Everything that is asked for and that the person's desk may see.
async fn whole(api: &Api, person: &Person, filter: Filter) -> Result<Subject, Problem> {
    page::whole(filter.limit, filter.cursor.as_deref())?;
    let asked = filter.asked(api, person).await?;
    Ok(Subject::Duplicates(api.reviews(person)?.queue(asked)))
}

impl Filter {
    async fn asked(self, api: &Api, person: &Person) -> Result<Asked, Problem> {
        let office = page::parsed("office", self.office.as_deref(), "an office id")?;
        if let Some(office) = office {
            of_own_office(api, person, office).await?;
        }
        Ok(Asked {
            office,
            severity: page::parsed("severity", self.severity.as_deref(), "a severity")?,
            state: self.state.unwrap_or_default(),
        })
    }
}

/// A finding with everything that was decided about it.
#[utoipa::path(
    get, path = "/api/v1/reviews/duplicates/{finding_id}", operation_id = "readDuplicateReview",
    security(("session" = [])),
    params(("finding_id" = Uuid, Path, description = "Finding")),
    responses(
        (status = 200, body = FindingHistory), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn read(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(finding_id): InPath<Uuid>,
) -> Result<Json<FindingHistory>, Problem> {
    let review = api.reviews(&person)?;
    let read = review.finding(finding_id).await?;
    let (pairs, decisions) = (read.pairs.into_iter(), read.decisions.into_iter());
    Ok(Json(FindingHistory {
        finding: FindingAnswer::of(&review, read.finding),
        pairs: pairs.map(|[low, high]| Beside { low, high }).collect(),
        decisions: decisions
            .map(|decision| DecisionAnswer::of(&review, decision))
            .collect(),
    }))
}

/// Confirms or dismisses a finding on the facts that were read. 200 when the same person has decided the same before.
#[utoipa::path(
    post, path = "/api/v1/reviews/duplicates/decisions", operation_id = "decideDuplicate",
    security(("session" = [])), request_body = DecideFinding,
    responses(
        (status = 200, body = DecisionAnswer), (status = 201, body = DecisionAnswer),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn decide(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Body(decide): Body<DecideFinding>,
) -> Result<(StatusCode, Json<DecisionAnswer>), Problem> {
    let decide = Decide {
        finding_id: decide.finding_id,
        verdict: decide.decision,
        grounds: grounds("reason", &decide.reason)?,
        facts: decide.facts,
    };
    let review = api.reviews(&person)?;
    let (status, decision) = answered(review.decide(&decide).await?);
    Ok((status, Json(DecisionAnswer::of(&review, decision))))
}

/// Takes the newest decision about a finding back: one's own, or, for a supervisor, anybody's. What was decided
/// before it stands again.
#[utoipa::path(
    post, path = "/api/v1/reviews/duplicates/decisions/{decision_id}/withdraw", operation_id = "withdrawDuplicateDecision",
    security(("session" = [])),
    params(("decision_id" = Uuid, Path, description = "Decision")), request_body = Because,
    responses(
        (status = 200, body = DecisionAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn withdraw(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(decision_id): InPath<Uuid>,
    Body(because): Body<Because>,
) -> Result<Json<DecisionAnswer>, Problem> {
    let grounds = grounds("reason", &because.reason)?;
    let review = api.reviews(&person)?;
    let decision = review.withdraw_decision(decision_id, &grounds).await?;
    Ok(Json(DecisionAnswer::of(&review, decision)))
}

impl FindingAnswer {
    fn of(review: &Review<'_>, finding: Finding) -> Self {
        let state = finding.state();
        let decided = |decision| DecisionAnswer::of(review, decision);
        Self {
            finding_id: finding.finding_id,
            rule_id: finding.rule_id,
            severity: finding.severity.code(),
            severity_zh: finding.severity.label_zh(),
            state,
            facts_changed: state == FindingState::Open && finding.decision.is_some(),
            decision: finding.decision.map(decided),
            facts: finding.facts,
            cases: finding
                .cases
                .map(|case| CaseAnswer::of(case, review.desk())),
            first_accepting: finding.first_accepting,
            back_dated: finding.back_dated,
            basis: finding.basis.code(),
            match_weight: finding
                .match_weight
                .map(|weight| f64::from(weight) / 1000.0),
            found_at: finding.found_at,
        }
    }
}

impl CaseAnswer {
    fn of(case: Case, desk: Desk) -> Self {
        Self {
            office_id: case.office_id,
            source_case_id: Some(case.source_case_id).filter(|_| desk.owns(case.office_id)),
            case_no: case.case_no,
            matter_type: case.matter_type.code(),
            matter_type_zh: case.matter_type.name_zh(),
            state: case.state.code(),
            state_zh: case.state.label_zh(),
            applied_on: case.applied_on.map(|day| day.to_string()),
            accepted_on: case.accepted_on.map(|day| day.to_string()),
            parties: case.parties.iter().map(PartyAnswer::from).collect(),
        }
    }
}

impl From<&Party> for PartyAnswer {
    fn from(party: &Party) -> Self {
        Self {
            role: party.role.code(),
            role_zh: party.role.label_zh(),
            name: mask(party.kind, &party.name),
        }
    }
}

impl DecisionAnswer {
    fn of(review: &Review<'_>, decision: Decision) -> Self {
        Self {
            decision_id: decision.decision_id,
            decision: decision.verdict,
            facts: decision.facts,
            decided_by: decision.decided_by,
            decided_at: decision.decided_at,
            own: decision.decided_by == review.account_id(),
            reason: told(review, decision.decided_by, decision.reason),
            withdrawn: decision.withdrawn.map(|withdrawal| Ending {
                by: withdrawal.by,
                at: withdrawal.at,
                reason: told(review, withdrawal.by, withdrawal.reason),
            }),
        }
    }
}
