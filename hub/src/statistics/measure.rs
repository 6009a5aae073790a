//! The measures people ask for: what each is called, counted in and defined as, and how it follows from what
//! cells count. `docs/statistics.md` says the same at length.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::contribution::Counts;

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
    Sum(fn(&Counts) -> i64),
    /// A part and its whole.
    Share(fn(&Counts) -> [i64; 2]),
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
        }
    }

    /// Whether a change is told as now − before, not as a part of before.
    pub const fn is_compared_by_difference(self) -> bool {
        matches!(self, Self::Rate | Self::Days)
    }

    /// How `now` differs from `before`: for shares the difference, else relative to `before`.
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

    /// What the counts come to; `None` where nothing can be said, e.g. a share of nothing.
    pub fn of(&self, counts: &Counts) -> Option<Number> {
        match self.formula {
            Formula::Sum(sum) => Some(Number::Whole(sum(counts))),
            Formula::Share(parts) => match parts(counts) {
                [_, 0] => None,
                [part, whole] => Some(Number::Fraction(part as f64 / whole as f64)),
            },
            Formula::HandledWithin(percent) => {
                let days = quantile(counts.handled(), percent)?;
                Some(Number::Whole(days.into()))
            }
        }
    }
}

/// Every measure, in the order of a table's columns.
pub static ALL: [Measure; 17] = [
    count(
        "applied",
        "申请",
        "当期提出申请的案件数；申请日不明的，以受理日为准。",
        None,
        |c| c.applied,
    ),
    count(
        "accepted",
        "受理",
        "当期受理的案件数。",
        None,
        |c| c.accepted,
    ),
    count(
        "refused",
        "不予受理",
        "当期决定不予受理的案件数。",
        None,
        |c| c.refused,
    ),
    count(
        "issued",
        "出证",
        "当期出具公证书的案件数，含其后更正、撤销的。",
        Some("公证法第三十条"),
        |c| c.issued,
    ),
    count(
        "rejected",
        "不予办理",
        "当期决定不予办理的案件数。",
        Some("公证法第三十一条"),
        |c| c.rejected,
    ),
    count(
        "terminated",
        "终止",
        "当期终止公证的案件数。",
        None,
        |c| c.terminated,
    ),
    count(
        "corrected",
        "更正",
        "当期更正公证书的案件数。",
        Some("公证法第三十九条"),
        |c| c.corrected,
    ),
    count(
        "revoked",
        "撤销",
        "当期撤销公证书的案件数。",
        Some("公证法第三十九条"),
        |c| c.revoked,
    ),
    count(
        "within_limit",
        "期限内出证",
        "当期出证、且自受理次日起不超过十五个工作日的案件数；不可抗力、补充证明材料、核实情况所需时间不计。",
        Some("公证法第三十条"),
        |c| c.within_limit(),
    ),
    Measure {
        code: "within_limit_rate",
        name_zh: "期限内出证率",
        unit: Unit::Rate,
        definition_zh: "期限内出证除以出证。",
        article_zh: Some("公证法第三十条"),
        formula: Formula::Share(|c| [c.within_limit(), c.issued]),
    },
    days(
        "handling_days_median",
        "办理时长中位数",
        "当期出证案件自受理次日起所用工作日的中位数（不计期间除外）；超过八个工作日的，以所在区间上限计；超过六十个的以六十一计。",
        50,
    ),
    days(
        "handling_days_p90",
        "办理时长九成位数",
        "九成当期出证案件所用工作日不超过此数；取值办法同中位数。",
        90,
    ),
    fen(
        "fee_charged_fen",
        "收费",
        "当期受理案件实收的公证费。",
        Some("公证法第三十四条"),
        |c| c.fee_charged_fen,
    ),
    fen(
        "fee_reduced_fen",
        "减免",
        "当期受理案件减免的公证费。",
        Some("公证法第三十四条"),
        |c| c.fee_reduced_fen,
    ),
    count(
        "legal_aid",
        "法律援助",
        "当期受理的法律援助案件数。",
        Some("公证法第三十四条"),
        |c| c.legal_aid,
    ),
    count(
        "fee_reduced",
        "减免件数",
        "当期受理、减免过公证费的案件数。",
        Some("公证法第三十四条"),
        |c| c.fee_reduced,
    ),
    count(
        "home_visit",
        "上门服务",
        "当期受理、上门办理的案件数。",
        None,
        |c| c.home_visit,
    ),
];

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

const fn days(
    code: &'static str,
    name_zh: &'static str,
    definition_zh: &'static str,
    percent: u8,
) -> Measure {
    Measure {
        code,
        name_zh,
        unit: Unit::Days,
        definition_zh,
        article_zh: Some("公证法第三十条"),
        formula: Formula::HandledWithin(percent),
    }
}

const fn count(
    code: &'static str,
    name_zh: &'static str,
    definition_zh: &'static str,
    article_zh: Option<&'static str>,
    sum: fn(&Counts) -> i64,
) -> Measure {
    Measure {
        code,
        name_zh,
        unit: Unit::Count,
        definition_zh,
        article_zh,
        formula: Formula::Sum(sum),
    }
}

const fn fen(
    code: &'static str,
    name_zh: &'static str,
    definition_zh: &'static str,
    article_zh: Option<&'static str>,
    sum: fn(&Counts) -> i64,
) -> Measure {
    Measure {
        unit: Unit::Fen,
        ..count(code, name_zh, definition_zh, article_zh, sum)
    }
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
        assert_eq!(rate.of(&Counts::default()), None);
        let change = Unit::Count.change(Number::Whole(3), Number::Whole(0));
        assert_eq!(change, None);
        let change = Unit::Rate.change(Number::Fraction(0.5), Number::Fraction(0.75));
        assert_eq!(change, Some(-0.25));
    }
}
