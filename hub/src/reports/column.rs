//! The columns of the fixed tables, and what of each is kept from giving a small number of cases away.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::document::Head;
use crate::statistics::dimension::Dimension;
use crate::statistics::family::{Counted, Family};
use crate::statistics::measure::{Measure, Number};

/// Cells of 1 to so many cases are left out.
const SMALL: i64 = 4;

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
    CasesWithFindings,
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

/// A column: a measure, and the numbers without which it is left out because it tells something of them.
#[derive(Debug)]
pub struct Column {
    code: &'static str,
    pub subject: Subject,
    guards: &'static [Guard],
}

/// What says something of an office and nothing of any case.
const OF_NO_CASE: &[Guard] = &[];

/// The columns of every table, in their order: those of a subject stand together.
pub static COLUMNS: [Column; 24] = [
    work("accepted", &[Guard::Accepted]),
    work("issued", &[Guard::Issued]),
    work("within_limit_rate", &[Guard::Issued, Guard::WithinLimit]),
    work("handling_days_median", &[Guard::Issued]),
    work("refused", &[Guard::Refused]),
    work("rejected", &[Guard::Rejected]),
    work("terminated", &[Guard::Terminated]),
    work("corrected", &[Guard::Corrected]),
    work("revoked", &[Guard::Revoked]),
    money("legal_aid", &[Guard::LegalAid]),
    money("fee_charged_fen", &[Guard::Accepted]),
    money("fee_reduced", &[Guard::FeeReduced]),
    money("fee_reduced_fen", &[Guard::FeeReduced]),
    supervision("findings", &[Guard::Findings]),
    supervision("compliance_rate", &[Guard::CasesWithFindings]),
    supervision(
        "rectification_on_time_rate",
        &[Guard::RectificationsDue, Guard::RectifiedOnTime],
    ),
    supervision("complaints", &[Guard::Complaints]),
    supervision("complaint_rate", &[Guard::Complaints]),
    supervision("satisfaction", &[Guard::SurveyAnswers]),
    supervision("self_assessment_rate", OF_NO_CASE),
    people("lookups", &[Guard::LookUps]),
    people("duplicates", &[Guard::Duplicates]),
    people("conflicts", &[Guard::Conflicts]),
    people("persons", &[Guard::Persons]),
];

const fn work(code: &'static str, guards: &'static [Guard]) -> Column {
    column(code, Subject::Work, guards)
}

const fn money(code: &'static str, guards: &'static [Guard]) -> Column {
    column(code, Subject::Money, guards)
}

const fn supervision(code: &'static str, guards: &'static [Guard]) -> Column {
    column(code, Subject::Supervision, guards)
}

const fn people(code: &'static str, guards: &'static [Guard]) -> Column {
    column(code, Subject::People, guards)
}

const fn column(code: &'static str, subject: Subject, guards: &'static [Guard]) -> Column {
    Column {
        code,
        subject,
        guards,
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

    /// Whether a cell is left out whose row leaves these numbers out.
    pub fn is_withheld(&self, withheld: &[Guard]) -> bool {
        self.guards.iter().any(|guard| withheld.contains(guard))
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
        Self::CasesWithFindings,
        Self::RectificationsDue,
        Self::RectifiedOnTime,
        Self::Complaints,
        Self::SurveyAnswers,
        Self::LookUps,
        Self::Duplicates,
        Self::Conflicts,
        Self::Persons,
    ];

    /// Where the number comes from: tables by what the family does not have do not tell it.
    pub const fn family(self) -> Family {
        match self {
            Self::Findings | Self::CasesWithFindings => Family::Findings,
            Self::RectificationsDue | Self::RectifiedOnTime => Family::Rectifications,
            Self::Complaints | Self::SurveyAnswers => Family::Feedback,
            Self::LookUps => Family::LookUps,
            Self::Duplicates | Self::Conflicts => Family::Duplicates,
            Self::Persons => Family::Persons,
            _ => Family::Cases,
        }
    }

    pub fn of(self, counted: &Counted) -> i64 {
        let counts = &counted.cases;
        match self {
            Self::Accepted => counts.accepted,
            Self::Issued => counts.issued,
            Self::WithinLimit => counts.within_limit(),
            Self::Refused => counts.refused,
            Self::Rejected => counts.rejected,
            Self::Terminated => counts.terminated,
            Self::Corrected => counts.corrected,
            Self::Revoked => counts.revoked,
            Self::LegalAid => counts.legal_aid,
            Self::FeeReduced => counts.fee_reduced,
            Self::Findings => of_measure("findings", counted),
            Self::CasesWithFindings => counted.findings.cases,
            Self::RectificationsDue => counted.rectifications.due,
            Self::RectifiedOnTime => counted.rectifications.on_time,
            Self::Complaints => counted.feedback.complaints,
            Self::SurveyAnswers => counted.feedback.survey_answers,
            Self::LookUps => of_measure("lookups", counted),
            Self::Duplicates => counted.duplicates.duplicates,
            Self::Conflicts => counted.duplicates.conflicts,
            Self::Persons => counted.persons.persons,
        }
    }

    /// Whether a report with these columns says anything of the number: one of before they came does not.
    pub fn is_told_by(self, heads: &[Head]) -> bool {
        COLUMNS
            .iter()
            .filter(|column| column.guards.contains(&self))
            .any(|column| heads.iter().any(|head| head.code == column.code))
    }

    /// Whether these are few, or those of the same cases that they are not: all but two within the limit is two beyond it.
    pub fn is_small(self, counted: &Counted) -> bool {
        let few = |count: i64| (1..=SMALL).contains(&count);
        let of = self.of(counted);
        let all = match self {
            Self::WithinLimit => Some(counted.cases.issued),
            Self::LegalAid | Self::FeeReduced => Some(counted.cases.accepted),
            Self::CasesWithFindings => Some(of_measure("concluded", counted)),
            Self::RectifiedOnTime => Some(counted.rectifications.due),
            _ => None,
        };
        few(of) || (of > 0 && all.is_some_and(|all| few(all - of)))
    }
}

/// A number that is a measure.
fn of_measure(code: &str, counted: &Counted) -> i64 {
    let measure = Measure::from_code(code).expect("a number that is guarded is a measure");
    match measure.of(counted) {
        Some(Number::Whole(number)) => number,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::contribution::Counts;

    #[test]
    fn every_column_is_a_measure_and_has_a_guard_but_one_that_tells_of_no_case() {
        for column in &COLUMNS {
            assert_eq!(column.measure().code, column.code);
        }
        let unguarded = COLUMNS.iter().filter(|column| column.guards.is_empty());
        let unguarded: Vec<_> = unguarded.map(|column| column.code).collect();
        assert_eq!(unguarded, ["self_assessment_rate"]);
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
