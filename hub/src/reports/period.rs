//! The period of a report: a month, quarter, half or year.

use std::fmt;
use std::str::FromStr;

use time::Date;

use crate::statistics::period::{Back, Grain, Span};

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportPeriod {
    grain: Grain,
    first: Date,
}

/// A text that names no period there are reports of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a month, quarter, half or year such as 2024-03, 2024-Q1, 2024-H1 or 2024")]
pub struct PeriodError;

impl ReportPeriod {
    /// The grains there are reports of, the coarsest first.
    pub(super) const GRAINS: [Grain; 4] =
        [Grain::Year, Grain::HalfYear, Grain::Quarter, Grain::Month];

    /// That of a grain's code and its first day, as stored.
    pub fn stored(grain: &str, first: Date) -> Result<Self, PeriodError> {
        let grain = Self::GRAINS.into_iter().find(|known| known.code() == grain);
        let known = grain.filter(|grain| grain.begins_on(first));
        known.map(|grain| Self { grain, first }).ok_or(PeriodError)
    }

    pub const fn grain(self) -> Grain {
        self.grain
    }

    pub const fn first(self) -> Date {
        self.first
    }

    /// Whether none of it runs any more.
    pub fn is_over(self, today: Date) -> bool {
        self.span().last < today
    }

    pub fn span(self) -> Span {
        self.grain.span(self.first)
    }

    /// The year it lies in.
    pub fn year(self) -> Self {
        Self {
            grain: Grain::Year,
            first: Grain::Year.begin(self.first),
        }
    }

    /// The same period of the year before.
    pub fn year_before(self) -> Self {
        Self {
            first: self.span().moved(Back::YEAR).first,
            ..self
        }
    }

    /// The period before.
    pub fn before(self) -> Self {
        let span = self.span();
        Self {
            first: span.moved(Back::period(None, span)).first,
            ..self
        }
    }

    /// Every period there are reports of in the year, the year first.
    pub fn all_of_year(self) -> Vec<Self> {
        let year = self.year();
        let of = |grain: Grain| {
            let firsts = year.span().beginnings(grain);
            firsts.map(move |first| Self { grain, first })
        };
        Self::GRAINS.into_iter().flat_map(of).collect()
    }

    /// Whether `other` is one of the parts that it is divided into: a year into halves, and so on down to months.
    pub fn is_made_of(self, other: Self) -> bool {
        let finer = Self::GRAINS
            .into_iter()
            .skip_while(|grain| *grain != self.grain)
            .nth(1);
        let (whole, part) = (self.span(), other.span());
        finer == Some(other.grain) && whole.first <= part.first && part.last <= whole.last
    }

    /// e.g. `2024年3月公证办证统计月报`
    pub fn title_zh(self) -> String {
        let kind = match self.grain {
            Grain::Quarter => "季报",
            Grain::HalfYear => "半年报",
            Grain::Year => "年报",
            Grain::Month | Grain::Day => "月报",
        };
        format!("{}公证办证统计{kind}", self.name_zh())
    }

    pub fn name_zh(self) -> String {
        self.grain.label_zh(self.first)
    }
}

impl fmt::Display for ReportPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.grain.label(self.first))
    }
}

impl FromStr for ReportPeriod {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let span = Span::parse(text).ok_or(PeriodError)?;
        let grain = Self::GRAINS
            .into_iter()
            .find(|grain| grain.span(span.first) == span)
            .ok_or(PeriodError)?;
        let first = span.first;
        Ok(Self { grain, first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> ReportPeriod {
        text.parse().expect("a period")
    }

    #[test]
    fn a_period_reads_back_and_a_day_is_none() {
        for text in ["2024-03", "2024-Q1", "2024-H2", "2024"] {
            assert_eq!(period(text).to_string(), text);
        }
        assert_eq!("2024-03-01".parse::<ReportPeriod>(), Err(PeriodError));
    }

    #[test]
    fn a_year_is_halves_and_those_are_quarters_and_those_are_months() {
        let all = period("2024-05").all_of_year();
        assert_eq!(all.len(), 19);
        let parts = |whole: &str| -> Vec<String> {
            let whole = period(whole);
            let parts = all.iter().filter(|part| whole.is_made_of(**part));
            parts.map(ToString::to_string).collect()
        };
        assert_eq!(parts("2024"), ["2024-H1", "2024-H2"]);
        assert_eq!(parts("2024-H2"), ["2024-Q3", "2024-Q4"]);
        assert_eq!(parts("2024-Q2"), ["2024-04", "2024-05", "2024-06"]);
        assert!(parts("2024-05").is_empty());
    }

    #[test]
    fn what_is_before_crosses_the_year() {
        assert_eq!(period("2024-01").before(), period("2023-12"));
        assert_eq!(period("2024-Q1").before(), period("2023-Q4"));
        assert_eq!(period("2024-Q1").year_before(), period("2023-Q1"));
        assert_eq!(period("2024").year_before(), period("2023"));
    }
}
