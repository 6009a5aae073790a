//! The columns of the fixed tables, and what of each is kept from giving a small number of cases away.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::statistics::contribution::Counts;
use crate::statistics::measure::Measure;

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
}

/// A column: a measure, and the numbers without which it is left out because it tells something of them.
#[derive(Debug)]
pub struct Column {
    code: &'static str,
    guards: &'static [Guard],
}

/// The columns of every table, in their order.
pub static COLUMNS: [Column; 13] = [
    column("accepted", &[Guard::Accepted]),
    column("issued", &[Guard::Issued]),
    column("within_limit_rate", &[Guard::Issued, Guard::WithinLimit]),
    column("handling_days_median", &[Guard::Issued]),
    column("refused", &[Guard::Refused]),
    column("rejected", &[Guard::Rejected]),
    column("terminated", &[Guard::Terminated]),
    column("corrected", &[Guard::Corrected]),
    column("revoked", &[Guard::Revoked]),
    column("legal_aid", &[Guard::LegalAid]),
    column("fee_charged_fen", &[Guard::Accepted]),
    column("fee_reduced", &[Guard::FeeReduced]),
    column("fee_reduced_fen", &[Guard::FeeReduced]),
];

const fn column(code: &'static str, guards: &'static [Guard]) -> Column {
    Column { code, guards }
}

impl Column {
    pub fn measure(&self) -> &'static Measure {
        Measure::from_code(self.code).expect("a column is a measure")
    }

    /// Whether a cell is left out whose row leaves these numbers out.
    pub fn is_withheld(&self, withheld: &[Guard]) -> bool {
        self.guards.iter().any(|guard| withheld.contains(guard))
    }
}

impl Guard {
    pub const ALL: [Self; 10] = [
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
    ];

    pub fn of(self, counts: &Counts) -> i64 {
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
        }
    }

    /// Whether these are few, or those of the same cases that they are not: all but two within the limit is two beyond it.
    pub fn is_small(self, counts: &Counts) -> bool {
        let few = |count: i64| (1..=SMALL).contains(&count);
        let of = self.of(counts);
        let all = match self {
            Self::WithinLimit => Some(counts.issued),
            Self::LegalAid | Self::FeeReduced => Some(counts.accepted),
            _ => None,
        };
        few(of) || (of > 0 && all.is_some_and(|all| few(all - of)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_a_measure_and_has_a_guard() {
        for column in &COLUMNS {
            assert_eq!(column.measure().code, column.code);
            assert!(!column.guards.is_empty(), "{}", column.code);
        }
    }

    #[test]
    fn few_beyond_the_limit_are_few() {
        let mut counts = Counts {
            issued: 9,
            handled_3: 7,
            handled_longer: 2,
            ..Counts::default()
        };
        assert!(Guard::WithinLimit.is_small(&counts));
        counts.handled_longer = 0;
        counts.issued = 7;
        assert!(!Guard::WithinLimit.is_small(&counts));
        assert!(Guard::Issued.is_small(&Counts {
            issued: 4,
            ..Counts::default()
        }));
    }
}
