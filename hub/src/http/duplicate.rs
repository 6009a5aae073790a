//! `/api/v1/duplicates`: duplicate applications (重复申请), conflicts and related cases between offices.

use axum::extract::State;
use axum::{Extension, Json};
use linkage::matter::{MatterType, Severity};
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::auth::of_own_office;
use super::page::{self, Page};
use super::params::{Nothing, Params};
use super::problem::{Problem, ProblemBody};
use crate::duplicates::open::{self, Asked, OpenError, Told, ToldCase};
use crate::identity::Person;

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
    severity: &'static str,
    /// number: equal verified numbers; person: linkage holds the parties for the same persons, which is possible only.
    basis: &'static str,
    /// Of a finding by persons the weakest link it rests on, in bits.
    match_weight: Option<f64>,
    cases: [Side; 2],
    /// Office that accepted first, by its own word (公证程序规则 art. 16).
    #[schema(value_type = Option<String>)]
    first_accepting: Option<OfficeId>,
    /// Whether that word is in doubt.
    back_dated: bool,
    rules_version: String,
    #[serde(with = "time::serde::rfc3339")]
    found_at: OffsetDateTime,
}

/// One of the two. Of another office's case a notary is told nothing where the rules show no more than a hit.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct Side {
    #[schema(value_type = Option<String>)]
    office_id: Option<OfficeId>,
    /// The office's own key; of another office's case a notary is not told it.
    source_case_id: Option<String>,
    case_no: Option<String>,
    matter_type: Option<&'static str>,
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
    let behind = page::behind(filter.cursor.as_deref())?;
    if let Some(office) = office {
        of_own_office(&api, &person, office).await?;
    }
    let asked = Asked {
        office,
        severity,
        behind,
    };
    let rules = api.rules.current();
    let told = open::page(&api.pool, &api.audit, &rules, &person, asked, limit + 1).await?;
    let page = Page::cut(told, limit, |last| {
        page::place(last.found_at, last.finding_id)
    });
    Ok(Json(page.map(Duplicate::from)))
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
    severity: &'static str,
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
    let counts = open::counts(&api.pool, &api.rules.current(), &person).await?;
    let items = counts.into_iter().map(|(severity, count)| OfSeverity {
        severity: severity.code(),
        count,
    });
    Ok(Json(Counts {
        items: items.collect(),
    }))
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Database(error) => error.into(),
            OpenError::Audit(error) => error.into(),
        }
    }
}

impl From<Told> for Duplicate {
    fn from(told: Told) -> Self {
        Self {
            rule_id: told.rule_id,
            severity: told.severity.code(),
            basis: told.basis.code(),
            match_weight: told.match_weight.map(|weight| f64::from(weight) / 1000.0),
            cases: told
                .cases
                .map(|case| case.map_or_else(Side::default, Side::from)),
            first_accepting: told.first_accepting,
            back_dated: told.back_dated,
            rules_version: told.rules_version,
            found_at: told.found_at,
        }
    }
}

impl From<ToldCase> for Side {
    fn from(case: ToldCase) -> Self {
        Self {
            office_id: Some(case.office_id),
            source_case_id: case.source_case_id,
            case_no: case.case_no,
            matter_type: case.matter_type.map(MatterType::code),
        }
    }
}
