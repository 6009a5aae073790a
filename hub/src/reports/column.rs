//! The columns of the fixed tables, and what of each is kept from giving a small number of cases away.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::document::{Cell, Head, Row, cell_of};
use super::share::{self, Size};
use crate::statistics::dimension::Dimension;
use crate::statistics::family::Part::{
    self, Cases, Duplicates, Feedback, Findings, LookUps, Persons, Rectifications,
};
use crate::statistics::family::{Counted, Family};
use crate::statistics::measure::{Measure, Number};

/// Cells of 1 to so many cases are left out.
pub(super) const SMALL: i64 = 4;

/// A number of cases that must not be small, nor follow from others when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReportGuard)]
pub enum Guard {
    Accepted,
    Issued,
    WithinLimit,
    Refused,
    Rejected,
    Terminated,
    Corrected,
    Revoked,
    LegalAid,
    FeeReduced,
    Findings,
    /// Earlier issues call it after all cases with findings.
    #[serde(alias = "cases_with_findings")]
    ConcludedWithFindings,
    RectificationsDue,
    RectifiedOnTime,
    Complaints,
    SurveyAnswers,
    LookUps,
    Duplicates,
    Conflicts,
    Persons,
}

/// What a column is about. The table of offices is too wide to be read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Work,
    Money,
    Supervision,
    People,
}

/// A column: a measure, and the numbers that it tells something of.
#[derive(Debug)]
pub struct Column {
    code: &'static str,
    pub subject: Subject,
    /// Without these it is left out.
    guards: Vec<Guard>,
    /// Numbers of which it tells the sum: told roughly, and not at all where even that gives one of them away that is left
    /// out.
    summands: Vec<Guard>,
}

/// A column tells of no number but those that its measure is made of.
const OF_ITS_PARTS: &[Guard] = &[];

/// The columns of every table, in their order: those of a subject stand together. Beside those whose amounts and days tell
/// of cases stands of which.
pub static COLUMNS: LazyLock<[Column; 24]> = LazyLock::new(|| {
    use Subject::{Money, People, Supervision, Work};
    [
        column("accepted", Work, OF_ITS_PARTS),
        column("issued", Work, OF_ITS_PARTS),
        column("within_limit_rate", Work, OF_ITS_PARTS),
        column("handling_days_median", Work, &[Guard::Issued]),
        column("refused", Work, OF_ITS_PARTS),
        column("rejected", Work, OF_ITS_PARTS),
        column("terminated", Work, OF_ITS_PARTS),
        column("corrected", Work, OF_ITS_PARTS),
        column("revoked", Work, OF_ITS_PARTS),
        column("legal_aid", Money, OF_ITS_PARTS),
        column("fee_charged_fen", Money, &[Guard::Accepted]),
        column("fee_reduced", Money, OF_ITS_PARTS),
        column("fee_reduced_fen", Money, &[Guard::FeeReduced]),
        column("findings", Supervision, OF_ITS_PARTS),
        column("compliance_rate", Supervision, OF_ITS_PARTS),
        column("rectification_on_time_rate", Supervision, OF_ITS_PARTS),
        column("complaints", Supervision, OF_ITS_PARTS),
        column("complaint_rate", Supervision, OF_ITS_PARTS),
        column("satisfaction", Supervision, OF_ITS_PARTS),
        column("self_assessment_rate", Supervision, OF_ITS_PARTS),
        column("lookups", People, OF_ITS_PARTS),
        column("duplicates", People, OF_ITS_PARTS),
        column("conflicts", People, OF_ITS_PARTS),
        column("persons", People, OF_ITS_PARTS),
    ]
});

/// Whatever its measure is made of is guarded: by the number itself, or by those that add up to it.
fn column(code: &'static str, subject: Subject, of: &[Guard]) -> Column {
    let measure = Measure::from_code(code).expect("a column is a measure");
    let (mut guards, mut summands) = (of.to_vec(), Vec::new());
    for part in measure.parts() {
        let within = Guard::within(part);
        match within.iter().find(|guard| guard.is_all_of(part)) {
            Some(guard) => guards.push(*guard),
            None => summands.extend(within),
        }
    }
    Column {
        code,
        subject,
        guards,
        summands,
    }
}

impl Subject {
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Work => "办证",
            Self::Money => "收费与减免",
            Self::Supervision => "监督与评价",
            Self::People => "核查与服务",
        }
    }
}

impl Column {
    pub fn measure(&self) -> &'static Measure {
        Measure::from_code(self.code).expect("a column is a measure")
    }

    /// Whether a table by that has the column.
    pub fn is_in_table_by(&self, dimension: Dimension) -> bool {
        self.measure().family().has(dimension)
    }

    /// The cell of a row that counts so much and leaves these numbers out.
    pub fn cell(&self, counted: &Counted, withheld: &[Guard]) -> Cell {
        if self.guards.iter().any(|guard| withheld.contains(guard)) {
            return Cell::WITHHELD;
        }
        let value = match self.summands.is_empty() {
            true => self.measure().of(counted),
            false => match self.measure().share(counted) {
                None => None,
                Some((part, whole)) => {
                    let size = self.size(whole, counted, withheld);
                    match share::told(part, whole, size) {
                        Some(share) => Some(Number::Fraction(share)),
                        None => return Cell::WITHHELD,
                    }
                }
            },
        };
        let withheld = false;
        Cell { value, withheld }
    }

    /// Whether it is the number itself.
    fn is_all_of(&self, guard: Guard) -> bool {
        let parts = self.measure().parts();
        matches!(parts.as_slice(), [part] if guard.is_all_of(part))
    }

    /// Whether what counts so much was published like that. A share may have been rounded.
    fn comes_to(&self, published: Option<Number>, counted: &Counted) -> bool {
        match (self.measure().of(counted), published) {
            (Some(now), Some(published)) => {
                let rounding = if self.summands.is_empty() {
                    1e-9
                } else {
                    0.005_001
                };
                (now.as_f64() - published.as_f64()).abs() <= rounding
            }
            (now, published) => now.is_none() == published.is_none(),
        }
    }

    /// What a reader can take a sum for: of what is left out each is known not to be 0.
    fn size(&self, sum: i64, counted: &Counted, withheld: &[Guard]) -> Size {
        let hidden = self.summands.iter();
        let hidden = hidden.filter(|guard| withheld.contains(guard));
        let beyond_one = hidden.map(|guard| (guard.of(counted) - 1).max(0));
        match beyond_one.reduce(|sum, more| sum + more) {
            None => Size::Told,
            Some(more) => Size::AtLeast(sum - more),
        }
    }
}

impl Guard {
    pub const ALL: [Self; 20] = [
        Self::Accepted,
        Self::Issued,
        Self::WithinLimit,
        Self::Refused,
        Self::Rejected,
        Self::Terminated,
        Self::Corrected,
        Self::Revoked,
        Self::LegalAid,
        Self::FeeReduced,
        Self::Findings,
        Self::ConcludedWithFindings,
        Self::RectificationsDue,
        Self::RectifiedOnTime,
        Self::Complaints,
        Self::SurveyAnswers,
        Self::LookUps,
        Self::Duplicates,
        Self::Conflicts,
        Self::Persons,
    ];

    fn part(self) -> Part {
        match self {
            Self::Accepted => Cases(|c| c.accepted),
            Self::Issued => Cases(|c| c.issued),
            Self::WithinLimit => Cases(|c| c.within_limit()),
            Self::Refused => Cases(|c| c.refused),
            Self::Rejected => Cases(|c| c.rejected),
            Self::Terminated => Cases(|c| c.terminated),
            Self::Corrected => Cases(|c| c.corrected),
            Self::Revoked => Cases(|c| c.revoked),
            Self::LegalAid => Cases(|c| c.legal_aid),
            Self::FeeReduced => Cases(|c| c.fee_reduced),
            Self::Findings => Findings(|c| c.open + c.notified + c.rectified + c.verified),
            Self::ConcludedWithFindings => Findings(|c| c.concluded_cases),
            Self::RectificationsDue => Rectifications(|c| c.due),
            Self::RectifiedOnTime => Rectifications(|c| c.on_time),
            Self::Complaints => Feedback(|c| c.complaints),
            Self::SurveyAnswers => Feedback(|c| c.survey_answers),
            Self::LookUps => LookUps(|c| c.hits + c.no_hits + c.denied),
            Self::Duplicates => Duplicates(|c| c.duplicates),
            Self::Conflicts => Duplicates(|c| c.conflicts),
            Self::Persons => Persons(|c| c.persons),
        }
    }

    /// Those that add up to the part, or to some of it.
    fn within(part: &Part) -> Vec<Self> {
        let columns = part.columns();
        let is_within = |guard: &Self| {
            let own = guard.part();
            own.family() == part.family()
                && own.columns().iter().all(|column| columns.contains(column))
        };
        Self::ALL.into_iter().filter(is_within).collect()
    }

    fn is_all_of(self, part: &Part) -> bool {
        self.part().columns() == part.columns()
    }

    /// Where the number comes from: tables by what the family does not have do not tell it.
    pub fn family(self) -> Family {
        self.part().family()
    }

    pub fn of(self, counted: &Counted) -> i64 {
        self.part().of(counted)
    }

    /// Whether a report with these columns says anything of the number: one of before they came does not.
    pub fn is_told_by(self, heads: &[Head]) -> bool {
        COLUMNS
            .iter()
            .filter(|column| column.guards.contains(&self))
            .any(|column| heads.iter().any(|head| head.code == column.code))
    }

    /// Whether a published row tells what the number comes to now. Where no column is the number itself, those that are
    /// made of it say so.
    pub fn is_told_by_row(self, heads: &[Head], row: &Row, counted: &Counted) -> bool {
        let guarded = COLUMNS
            .iter()
            .filter(|column| column.guards.contains(&self));
        let (own, made_of_it): (Vec<_>, Vec<_>) =
            guarded.partition(|column| column.is_all_of(self));
        let telling = if own.is_empty() { made_of_it } else { own };
        telling
            .into_iter()
            .all(|column| match cell_of(heads, row, column.code) {
                Some(cell) => cell.withheld || column.comes_to(cell.value, counted),
                None => true,
            })
    }

    /// Whether these are few, or those of the same cases that they are not: all but two within the limit is two beyond it.
    pub fn is_small(self, counted: &Counted) -> bool {
        let few = |count: i64| (1..=SMALL).contains(&count);
        let of = self.of(counted);
        let all = match self {
            Self::WithinLimit => Some(counted.cases.issued),
            Self::LegalAid | Self::FeeReduced => Some(counted.cases.accepted),
            Self::ConcludedWithFindings => Some(counted.cases.concluded()),
            Self::RectifiedOnTime => Some(counted.rectifications.due),
            _ => None,
        };
        few(of) || (of > 0 && all.is_some_and(|all| few(all - of)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::contribution::Counts;

    /// What is no number of cases, but of what there is of them.
    const AMOUNTS: [&str; 5] = [
        "fee_charged_fen",
        "fee_reduced_fen",
        "survey_score",
        "items_met",
        "items",
    ];

    #[test]
    fn whatever_a_column_is_made_of_is_guarded() {
        for column in COLUMNS.iter() {
            for part in column.measure().parts() {
                let told = column.guards.iter().chain(&column.summands);
                let told = told.filter(|guard| guard.family() == part.family());
                let told: Vec<_> = told.flat_map(|guard| guard.part().columns()).collect();
                let is_told = |name: &&str| told.contains(name) || AMOUNTS.contains(name);
                let columns = part.columns();
                assert!(columns.iter().all(is_told), "{}: {columns:?}", column.code);
            }
        }
    }

    #[test]
    fn every_column_has_a_guard_but_one_that_tells_of_no_case() {
        let unguarded = COLUMNS.iter().filter(|column| column.guards.is_empty());
        let unguarded: Vec<_> = unguarded.map(|column| column.code).collect();
        assert_eq!(unguarded, ["self_assessment_rate"]);
    }

    #[test]
    fn a_rate_is_guarded_by_what_it_is_divided_by() {
        let column = |code: &str| {
            COLUMNS
                .iter()
                .find(|column| column.code == code)
                .expect(code)
        };
        assert_eq!(
            column("complaint_rate").guards,
            [Guard::Complaints, Guard::Accepted]
        );
        let compliance = column("compliance_rate");
        assert_eq!(compliance.guards, [Guard::ConcludedWithFindings]);
        assert_eq!(
            compliance.summands,
            [
                Guard::Issued,
                Guard::Refused,
                Guard::Rejected,
                Guard::Terminated
            ]
        );
    }

    #[test]
    fn a_number_that_issues_called_otherwise_is_read() {
        let read: Guard = serde_json::from_str("\"cases_with_findings\"").expect("a guard");
        assert_eq!(read, Guard::ConcludedWithFindings);
    }

    #[test]
    fn columns_of_a_subject_stand_together() {
        let mut subjects: Vec<_> = COLUMNS.iter().map(|column| column.subject).collect();
        subjects.dedup();
        assert_eq!(
            subjects,
            [
                Subject::Work,
                Subject::Money,
                Subject::Supervision,
                Subject::People
            ]
        );
    }

    #[test]
    fn few_beyond_the_limit_are_few() {
        let mut counted = Counted {
            cases: Counts {
                issued: 9,
                handled_3: 7,
                handled_longer: 2,
                ..Counts::default()
            },
            ..Counted::default()
        };
        assert!(Guard::WithinLimit.is_small(&counted));
        counted.cases.handled_longer = 0;
        counted.cases.issued = 7;
        assert!(!Guard::WithinLimit.is_small(&counted));
        counted.cases.issued = 4;
        assert!(Guard::Issued.is_small(&counted));
    }
}
