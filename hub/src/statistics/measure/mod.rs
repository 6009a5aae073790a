//! The measures people ask for: what each is called, counted in and defined as, and how it follows from what
//! cells count. `docs/statistics.md` says the same at length.

mod catalogue;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::contribution::Counts;
use super::dimension::Dimension;
use super::family::{Counted, Family, Part};
pub use catalogue::ALL;

/// A measure.
#[derive(Debug)]
pub struct Measure {
    /// The form in which it is asked for.
    pub code: &'static str,
    pub name_zh: &'static str,
    pub unit: Unit,
    pub definition_zh: &'static str,
    /// The article it rests on.
    pub article_zh: Option<&'static str>,
    formula: Formula,
}

/// How a measure follows from counts.
#[derive(Debug)]
enum Formula {
    /// Rows of a table add up to it.
    Sum(Part),
    /// What counts in several rows counts once in all of them together.
    Distinct(Part),
    /// The first of the second: a share, or a mean.
    Ratio(Part, Part),
    /// The share of the second that is not the first.
    Without(Part, Part),
    /// The first to ten thousand of the second.
    PerTenThousand(Part, Part),
    /// So many in a hundred certificates took no longer.
    HandledWithin(u8),
}

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StatisticsUnit)]
pub enum Unit {
    Count,
    /// Money, in fen; a yuan has a hundred.
    Fen,
    /// A share of 1.
    Rate,
    /// Working days.
    Days,
    Persons,
    /// How often something was done.
    Times,
    /// To ten thousand cases.
    PerTenThousand,
    /// Of 1 to 5.
    Score,
}

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Number {
    Whole(i64),
    Fraction(f64),
}

impl Unit {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Fen => "fen",
            Self::Rate => "rate",
            Self::Days => "days",
            Self::Persons => "persons",
            Self::Times => "times",
            Self::PerTenThousand => "per_ten_thousand",
            Self::Score => "score",
        }
    }

    /// Whether a change is told as now − before, not as a part of before.
    pub const fn is_compared_by_difference(self) -> bool {
        matches!(self, Self::Rate | Self::Days | Self::Score)
    }

    /// How `now` differs from `before`: for shares, days and scores the difference, else relative to `before`.
    pub fn change(self, now: Number, before: Number) -> Option<f64> {
        let (now, before) = (now.as_f64(), before.as_f64());
        match self.is_compared_by_difference() {
            true => Some(now - before),
            false => (before != 0.0).then(|| (now - before) / before),
        }
    }
}

impl Number {
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Fraction(number) => number,
        }
    }
}

impl Measure {
    pub fn from_code(code: &str) -> Option<&'static Self> {
        ALL.iter().find(|measure| measure.code == code)
    }

    /// Where it comes from. A table has it by the dimensions of this family.
    pub const fn family(&self) -> Family {
        match &self.formula {
            Formula::Sum(part)
            | Formula::Distinct(part)
            | Formula::Ratio(part, _)
            | Formula::Without(part, _)
            | Formula::PerTenThousand(part, _) => part.family(),
            Formula::HandledWithin(_) => Family::Cases,
        }
    }

    /// What it is measured by, which may have fewer dimensions: every rule judges every case.
    pub const fn base(&self) -> Option<Family> {
        match &self.formula {
            Formula::Ratio(_, base)
            | Formula::Without(_, base)
            | Formula::PerTenThousand(_, base) => Some(base.family()),
            Formula::Sum(_) | Formula::Distinct(_) | Formula::HandledWithin(_) => None,
        }
    }

    /// The numbers that it is made of; none where it is a quantile.
    pub fn parts(&self) -> Vec<&Part> {
        match &self.formula {
            Formula::Sum(part) | Formula::Distinct(part) => vec![part],
            Formula::Ratio(part, whole)
            | Formula::Without(part, whole)
            | Formula::PerTenThousand(part, whole) => vec![part, whole],
            Formula::HandledWithin(_) => Vec::new(),
        }
    }

    /// Whether rows of a table add up to what stands below them.
    pub const fn is_additive(&self) -> bool {
        matches!(self.formula, Formula::Sum(_))
    }

    /// Whether what lies in several rows counts once in all of them together.
    pub const fn counts_once(&self) -> bool {
        matches!(self.formula, Formula::Distinct(_))
    }

    /// The first of these that it has no figures by.
    pub fn lacks(&self, dimensions: &[Dimension]) -> Option<Dimension> {
        let lacks = |dimension: &&Dimension| !self.family().has(**dimension);
        dimensions.iter().find(lacks).copied()
    }

    /// What the counts come to; `None` where nothing can be said, e.g. a share of nothing.
    pub fn of(&self, counted: &Counted) -> Option<Number> {
        match &self.formula {
            Formula::Sum(part) | Formula::Distinct(part) => Some(Number::Whole(part.of(counted))),
            Formula::Ratio(..) | Formula::Without(..) => {
                let (part, whole) = self.share(counted)?;
                Some(Number::Fraction(part as f64 / whole as f64))
            }
            Formula::PerTenThousand(..) => {
                let (part, whole) = self.share(counted)?;
                Some(Number::Fraction(part as f64 * 10_000.0 / whole as f64))
            }
            Formula::HandledWithin(percent) => {
                let days = quantile(counted.cases.handled(), *percent)?;
                Some(Number::Whole(days.into()))
            }
        }
    }

    /// What is divided, and by what; `None` where nothing can be said, and of what is no quotient.
    pub fn share(&self, counted: &Counted) -> Option<(i64, i64)> {
        let (part, whole) = match &self.formula {
            Formula::Ratio(part, whole) | Formula::PerTenThousand(part, whole) => {
                (part.of(counted), whole.of(counted))
            }
            Formula::Without(part, whole) => {
                let whole = whole.of(counted);
                (whole - part.of(counted), whole)
            }
            Formula::Sum(_) | Formula::Distinct(_) | Formula::HandledWithin(_) => return None,
        };
        let is_share = !matches!(self.formula, Formula::Without(..)) || part >= 0;
        (whole != 0 && is_share).then_some((part, whole))
    }
}

/// The working days that `percent` of these certificates took at most (nearest rank), as finely as their columns tell;
/// one more than the last of those for what took longer.
fn quantile(handled: [i64; Counts::HANDLED.len() + 1], percent: u8) -> Option<u32> {
    let all: i64 = handled.iter().sum();
    let rank = (all * i64::from(percent) + 99) / 100;
    let mut counted = 0;
    let column = handled.iter().position(|count| {
        counted += count;
        counted >= rank && all > 0
    })?;
    let longest = Counts::HANDLED.last().copied().unwrap_or(0);
    Some(Counts::HANDLED.get(column).copied().unwrap_or(longest + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_and_names_are_told_apart() {
        let codes: HashSet<_> = ALL.iter().map(|measure| measure.code).collect();
        let names: HashSet<_> = ALL.iter().map(|measure| measure.name_zh).collect();
        assert_eq!((codes.len(), names.len()), (ALL.len(), ALL.len()));
    }

    #[test]
    fn days_are_those_of_the_certificate_at_the_rank() {
        let mut handled = [0; 16];
        assert_eq!(quantile(handled, 50), None);
        handled[3] = 5;
        handled[9] = 4;
        handled[15] = 1;
        assert_eq!(quantile(handled, 50), Some(3));
        assert_eq!(quantile(handled, 51), Some(10));
        assert_eq!(quantile(handled, 90), Some(10));
        assert_eq!(quantile(handled, 100), Some(61));
    }

    #[test]
    fn a_share_of_nothing_is_no_figure_and_a_change_from_nothing_no_change() {
        let rate = Measure::from_code("within_limit_rate").expect("a measure");
        assert_eq!(rate.of(&Counted::default()), None);
        let change = Unit::Count.change(Number::Whole(3), Number::Whole(0));
        assert_eq!(change, None);
        let change = Unit::Rate.change(Number::Fraction(0.5), Number::Fraction(0.75));
        assert_eq!(change, Some(-0.25));
    }

    #[test]
    fn what_is_measured_by_cases_is_so_by_any_dimension_of_its_own() {
        let of = |code: &str| Measure::from_code(code).expect("a measure");
        let mut counted = Counted::default();
        // Seven cases have findings; four of them are under way, and count neither above nor below.
        (counted.findings.cases, counted.findings.concluded_cases) = (7, 3);
        counted.cases.issued = 11;
        counted.cases.refused = 1;
        counted.feedback.complaints = 1;
        counted.cases.accepted = 4_000;
        let figure = |code: &str| of(code).of(&counted).map(Number::as_f64);
        assert_eq!(figure("compliance_rate"), Some(0.75));
        assert_eq!(figure("complaint_rate"), Some(2.5));
        assert_eq!(of("compliance_rate").lacks(&[Dimension::Rule]), None);
        assert_eq!(
            of("complaint_rate").lacks(&[Dimension::Office, Dimension::Rule]),
            Some(Dimension::Rule)
        );
        // More cases with findings than cases that ended: a period too short to say anything.
        counted.findings.concluded_cases = 13;
        assert_eq!(of("compliance_rate").of(&counted), None);
    }

    #[test]
    fn only_plain_sums_add_up() {
        let additive = |code: &str| Measure::from_code(code).expect("a measure").is_additive();
        assert!(additive("accepted") && additive("complaints") && additive("lookups"));
        assert!(!additive("persons") && !additive("duplicates") && !additive("compliance_rate"));
    }
}
