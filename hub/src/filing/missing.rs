//! Periodic filings that never came: what was wanted for a period, whose time has passed, and of which there is nothing.

use time::Date;

use super::FilingKind;
use super::body::Period;
use super::deadline::{Deadlines, Every};
use crate::statistics::calendar::Calendar;

/// A filing that was wanted for a period and is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    pub kind: FilingKind,
    pub period: Period,
    /// The last day on which it was in time.
    pub due_on: Date,
}

impl Every {
    /// Periods that are over on `today`, the newest first, back to the one that `since` lies in.
    fn over(self, today: Date, since: Date) -> impl Iterator<Item = Period> {
        let period = move |last_day| Period {
            first_day: self.first_of(last_day),
            last_day,
        };
        let before = move |newer: &Period| newer.first_day.previous_day().map(period);
        let newest = Some(period(self.last_end(today)));
        std::iter::successors(newest, before).take_while(move |period| period.last_day >= since)
    }
}

impl Deadlines {
    /// What was wanted of periods that ended on `since` or later. `filed` has each kind that came, with the last day of its
    /// period or the day that it is about.
    pub fn missing(
        &self,
        calendar: &Calendar,
        today: Date,
        since: Date,
        filed: &[(FilingKind, Date)],
    ) -> Vec<Missing> {
        let came = |kind: FilingKind, period: &Period| {
            let within = |on: Date| period.first_day <= on && on <= period.last_day;
            filed.iter().any(|(of, on)| *of == kind && within(*on))
        };
        let mut missing = Vec::new();
        for (kind, every, working_days) in self.periodic() {
            let periods = every.over(today, since);
            missing.extend(periods.filter_map(|period| {
                let due_on = calendar.limit_after(period.last_day, working_days);
                let is_late = due_on < today && !came(kind, &period);
                is_late.then_some(Missing {
                    kind,
                    period,
                    due_on,
                })
            }));
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervision::rule::Rules;
    use time::macros::date;

    fn missing(today: Date, filed: &[(FilingKind, Date)]) -> Vec<(FilingKind, Date)> {
        let deadlines = Rules::builtin().deadlines;
        let since = date!(2024 - 04 - 15);
        let mut missing: Vec<_> = deadlines
            .missing(&Calendar::builtin(), today, since, filed)
            .into_iter()
            .map(|one| (one.kind, one.period.last_day))
            .collect();
        missing.sort_by_key(|(kind, day)| (kind.code(), *day));
        missing
    }

    /// April's counts were due on 10 May (holidays 1 to 5 May), those of May on 7 June.
    #[test]
    fn each_period_whose_time_has_passed_is_missing_until_its_filing_comes() {
        use FilingKind::{ServiceCounts, SpecialPaper};
        let (april, may) = (date!(2024 - 04 - 30), date!(2024 - 05 - 31));
        assert_eq!(missing(date!(2024 - 05 - 10), &[]), []);
        assert_eq!(
            missing(date!(2024 - 06 - 30), &[(ServiceCounts, may)]),
            [
                (ServiceCounts, april),
                (SpecialPaper, april),
                (SpecialPaper, may)
            ]
        );
        let late = [
            (ServiceCounts, may),
            (ServiceCounts, april),
            (SpecialPaper, date!(2024 - 04 - 22)),
        ];
        assert_eq!(missing(date!(2024 - 06 - 30), &late), [(SpecialPaper, may)]);
    }

    #[test]
    fn an_office_owes_nothing_for_a_time_before_it_took_part() {
        // The first quarter and the year before ended earlier.
        let kinds: Vec<_> = missing(date!(2024 - 06 - 30), &[]);
        assert!(kinds.iter().all(|(kind, _)| {
            matches!(kind, FilingKind::ServiceCounts | FilingKind::SpecialPaper)
        }));
    }
}
