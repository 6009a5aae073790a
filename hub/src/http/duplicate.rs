//! `/api/v1/duplicates`: duplicate applications (重复申请), conflicts and related cases between offices.

use axum::extract::State;
use axum::{Extension, Json};
use linkage::matter::{MatterType, RuleSet, Severity, Shown};
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::auth::of_own_office;
use super::page::{self, Page};
use super::params::{Nothing, Params};
use super::problem::{Problem, ProblemBody};
use crate::audit::{Action, Outcome};
use crate::identity::Person;
use crate::lookup::disclosure;
use crate::store::duplicate::finding::{self, Behind, Wanted};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Findings that one of this office's cases is part of. A notary's is the own office.
    office: Option<String>,
    /// duplicate, conflict or related.
    severity: Option<String>,
    /// 1 to 200; 50 when absent.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Two cases at different offices that a rule is about.
#[derive(Serialize, ToSchema)]
pub(super) struct Duplicate {
    rule_id: String,
    /// duplicate, conflict or related.
    severity: String,
    /// number: equal verified numbers; person: linkage holds the parties for the same persons, which is possible only.
    basis: String,
    /// Of a finding by persons the weakest link it rests on, in bits.
    match_weight: Option<f64>,
    cases: [Side; 2],
    /// Office that accepted first, by its own word (公证程序规则 art. 16).
    first_accepting: Option<String>,
    /// Whether that word is in doubt.
    back_dated: bool,
    rules_version: String,
    #[serde(with = "time::serde::rfc3339")]
    found_at: OffsetDateTime,
}

/// One of the two. Of another office's case a notary is told nothing where the rules show no more than a hit.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct Side {
    office_id: Option<String>,
    /// The office's own key; of another office's case a notary is not told it.
    source_case_id: Option<String>,
    case_no: Option<String>,
    matter_type: Option<String>,
}

/// Open findings, the newest first. A notary is not told of another office's will, unless the own case is about the
/// testator's estate.
#[utoipa::path(
    get, path = "/api/v1/duplicates", operation_id = "listDuplicates",
    security(("session" = [])), params(Filter),
    responses(
        (status = 200, body = Page<Duplicate>), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
    ),
)]
pub(super) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(filter): Params<Filter>,
) -> Result<Json<Page<Duplicate>>, Problem> {
    let office: Option<OfficeId> =
        page::parsed("office", filter.office.as_deref(), "an office id")?;
    let severity: Option<Severity> =
        page::parsed("severity", filter.severity.as_deref(), "a severity")?;
    let limit = page::limit(filter.limit)?;
    let behind = behind(filter.cursor.as_deref())?;
    if let Some(office) = office {
        of_own_office(&api, &person, office).await?;
    }
    let office = person.office_id().or(office);
    let rules = api.rules.current();
    let wanted = Wanted {
        office,
        severity,
        told_to: person.office_id(),
        seals: disclosure::seals(&rules),
        behind,
    };
    let mut reading = api.reading(&person).await?;
    let findings = finding::open(&mut reading, &wanted, limit + 1).await?;
    let detail = json!({ "office": office, "severity": severity.map(Severity::code) });
    api.record(&person, Action::ListDuplicates, Outcome::Done, detail)
        .await?;
    let page = Page::cut(findings, limit, key);
    Ok(Json(page.map(|finding| {
        duplicate(&rules, finding, person.office_id())
    })))
}

/// Open findings by severity.
#[derive(Serialize, ToSchema)]
pub(super) struct Counts {
    items: Vec<OfSeverity>,
}

/// How many of a severity are open.
#[derive(Serialize, ToSchema)]
pub(super) struct OfSeverity {
    /// duplicate, conflict or related.
    severity: String,
    count: i64,
}

/// How many findings are open; a notary hears of those that `/duplicates` would tell.
#[utoipa::path(
    get, path = "/api/v1/duplicates/counts", operation_id = "countDuplicates",
    security(("session" = [])),
    responses((status = 200, body = Counts), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)),
)]
pub(super) async fn counts(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<Counts>, Problem> {
    let own = person.office_id();
    let wanted = Wanted {
        office: own,
        told_to: own,
        seals: disclosure::seals(&api.rules.current()),
        ..Wanted::default()
    };
    let mut reading = api.reading(&person).await?;
    let counts = finding::counts(&mut reading, &wanted).await?;
    let items = counts.into_iter().map(|open| OfSeverity {
        severity: open.severity,
        count: open.count,
    });
    Ok(Json(Counts {
        items: items.collect(),
    }))
}

fn key(last: &finding::Finding) -> [String; 6] {
    let found_at = last.found_at.format(&Rfc3339).unwrap_or_default();
    [
        found_at,
        last.rule_id.clone(),
        last.left_office.clone(),
        last.left_case.clone(),
        last.right_office.clone(),
        last.right_case.clone(),
    ]
}

fn behind(cursor: Option<&str>) -> Result<Option<Behind>, Problem> {
    let Some(
        [
            found_at,
            rule_id,
            left_office,
            left_case,
            right_office,
            right_case,
        ],
    ) = page::key::<6>(cursor)?
    else {
        return Ok(None);
    };
    Ok(Some(Behind {
        found_at: OffsetDateTime::parse(&found_at, &Rfc3339).map_err(|_| page::bad_cursor())?,
        rule_id,
        left_office,
        left_case,
        right_office,
        right_case,
    }))
}

fn duplicate(rules: &RuleSet, found: finding::Finding, own: Option<OfficeId>) -> Duplicate {
    let is_own = |office_id: &str| own.is_none_or(|own| own.as_str() == office_id);
    // Of some matters another office is not even told who has the case.
    let is_untold = |office_id: &str, matter_type: &Option<String>| {
        let matter_type = matter_type.as_deref().and_then(MatterType::from_code);
        !is_own(office_id)
            && matter_type.is_some_and(|it| disclosure::shown(rules, it) == Shown::Hit)
    };
    let untold: Vec<String> = [
        (&found.left_office, &found.left_matter_type),
        (&found.right_office, &found.right_matter_type),
    ]
    .into_iter()
    .filter(|(office_id, matter_type)| is_untold(office_id, matter_type))
    .map(|(office_id, _)| office_id.clone())
    .collect();
    let side = |office_id: String, case, case_no, matter_type| match untold.contains(&office_id) {
        true => Side::default(),
        false => Side {
            source_case_id: Some(case).filter(|_| is_own(&office_id)),
            office_id: Some(office_id),
            case_no,
            matter_type,
        },
    };
    Duplicate {
        cases: [
            side(
                found.left_office,
                found.left_case,
                found.left_case_no,
                found.left_matter_type,
            ),
            side(
                found.right_office,
                found.right_case,
                found.right_case_no,
                found.right_matter_type,
            ),
        ],
        rule_id: found.rule_id,
        severity: found.severity,
        basis: found.basis,
        match_weight: found.match_weight.map(|weight| f64::from(weight) / 1000.0),
        first_accepting: found
            .first_accepting
            .filter(|office_id| !untold.contains(office_id)),
        back_dated: found.back_dated,
        rules_version: found.rules_version,
        found_at: found.found_at,
    }
}
