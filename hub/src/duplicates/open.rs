//! Open findings, as far as somebody may be told of them: a notary of those of the own office, of another office's case
//! by what the rules in force show of its matter, and of no sealed will, unless the own case is about the testator's estate.

use linkage::matter::{MatterType, RuleSet, Severity, Shown};
use linkage::office::OfficeId;
use serde_json::json;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::audit::{Action, Audit, AuditError, Entry, Outcome};
use crate::identity::Person;
use crate::lookup::disclosure;
use crate::store::duplicate::Basis;
use crate::store::duplicate::open::{self as store, Finding, Side, Wanted};

/// What somebody asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    pub office: Option<OfficeId>,
    pub severity: Option<Severity>,
    /// When the last finding of the page before was found, and which it is.
    pub behind: Option<(OffsetDateTime, Uuid)>,
}

/// A finding as somebody is told of it.
#[derive(Clone, Debug)]
pub struct Told {
    pub finding_id: Uuid,
    pub rule_id: String,
    pub severity: Severity,
    pub basis: Basis,
    /// Thousandths of a bit.
    pub match_weight: Option<i32>,
    /// None where not even who has the case is told.
    pub cases: [Option<ToldCase>; 2],
    pub first_accepting: Option<OfficeId>,
    pub back_dated: bool,
    pub rules_version: String,
    pub found_at: OffsetDateTime,
}

/// One of the two.
#[derive(Clone, Debug)]
pub struct ToldCase {
    pub office_id: OfficeId,
    /// None of another office's case.
    pub source_case_id: Option<String>,
    pub case_no: Option<String>,
    pub matter_type: Option<MatterType>,
}

/// Why nothing is told.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("read open findings: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// Up to `most` of them, the newest first. That they were read is recorded.
pub async fn page(
    pool: &PgPool,
    audit: &Audit,
    rules: &RuleSet,
    person: &Person,
    asked: Asked,
    most: i64,
) -> Result<Vec<Told>, OpenError> {
    let wanted = wanted(rules, person, asked);
    let mut reading = person.scope().read(pool).await?;
    let findings = store::page(&mut reading, &wanted, most).await?;
    let detail =
        json!({ "office": wanted.office, "severity": wanted.severity.map(Severity::code) });
    let entry = Entry::by(person, Action::ListDuplicates, Outcome::Done, detail);
    audit.append(entry).await?;
    let told = findings.into_iter();
    Ok(told
        .map(|finding| Told::of(rules, finding, person.office_id()))
        .collect())
}

/// How many of each severity [`page`] would tell.
pub async fn counts(
    pool: &PgPool,
    rules: &RuleSet,
    person: &Person,
) -> Result<Vec<(Severity, i64)>, sqlx::Error> {
    let mut reading = person.scope().read(pool).await?;
    store::counts(&mut reading, &wanted(rules, person, Asked::default())).await
}

fn wanted(rules: &RuleSet, person: &Person, asked: Asked) -> Wanted {
    Wanted {
        office: person.office_id().or(asked.office),
        severity: asked.severity,
        told_to: person.office_id(),
        seals: disclosure::seals(rules),
        behind: asked.behind,
    }
}

impl Told {
    /// `own`: the office of a notary; everything is the bureau's.
    fn of(rules: &RuleSet, finding: Finding, own: Option<OfficeId>) -> Self {
        let cases = finding.cases.map(|side| ToldCase::of(rules, side, own));
        let offices = || cases.iter().flatten().map(|case| case.office_id);
        Self {
            first_accepting: finding
                .first_accepting
                .filter(|first| offices().any(|office_id| office_id == *first)),
            finding_id: finding.finding_id,
            rule_id: finding.rule_id,
            severity: finding.severity,
            basis: finding.basis,
            match_weight: finding.match_weight,
            back_dated: finding.back_dated,
            rules_version: finding.rules_version,
            found_at: finding.found_at,
            cases,
        }
    }
}

impl ToldCase {
    fn of(rules: &RuleSet, side: Side, own: Option<OfficeId>) -> Option<Self> {
        let is_own = own.is_none_or(|own| own == side.office_id);
        let is_hit_alone = |matter| disclosure::shown(rules, matter) == Shown::Hit;
        (is_own || !side.matter_type.is_some_and(is_hit_alone)).then(|| Self {
            office_id: side.office_id,
            source_case_id: Some(side.source_case_id).filter(|_| is_own),
            case_no: side.case_no,
            matter_type: side.matter_type,
        })
    }
}
