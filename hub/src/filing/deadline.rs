//! When a filing is in time: by working days behind its event, or behind the end of its period.

use std::collections::BTreeMap;

use serde::Deserialize;
use time::{Date, Month};

use super::FilingKind;
use crate::statistics::calendar::Calendar;

/// Deadlines of all kinds that have one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Deadlines {
    /// Working days before a deadline at which an office is reminded.
    pub remind: u32,
    #[serde(flatten)]
    pub of: BTreeMap<FilingKind, Deadline>,
}

/// How long an office has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    pub working_days: u32,
    /// Wanted once in each period, whatever happens.
    #[serde(default)]
    pub every: Option<Every>,
}

/// Periods at whose end a filing is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    Month,
    Quarter,
    Year,
}

impl Every {
    const fn months(self) -> u8 {
        match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Year => 12,
        }
    }

    /// Last day of the period that a day lies in.
    pub fn end_of(self, day: Date) -> Option<Date> {
        let months = self.months();
        let last = (u8::from(day.month()) - 1) / months * months + months;
        let last = Month::try_from(last).ok()?;
        Date::from_calendar_date(day.year(), last, last.length(day.year())).ok()
    }

    /// Last day of the newest period that is over on `today`.
    pub fn last_end(self, today: Date) -> Date {
        let months = self.months();
        let begun = (u8::from(today.month()) - 1) / months * months + 1;
        let first = Month::try_from(begun)
            .ok()
            .and_then(|month| Date::from_calendar_date(today.year(), month, 1).ok());
        first.and_then(Date::previous_day).unwrap_or(today)
    }

    /// The first day of the period that ends on `last`.
    pub fn first_of(self, last: Date) -> Date {
        let next = last.next_day().unwrap_or(last);
        let before = self.last_end(last);
        match next.day() {
            // `last` is an end itself: the one before it begins the period.
            1 => before.next_day().unwrap_or(before),
            _ => last,
        }
    }
}

impl Deadlines {
    /// The last day on which a filing about a day is in time; of what is wanted once in each period, about the period that
    /// the day lies in.
    pub fn due_on(
        &self,
        kind: FilingKind,
        about: Option<Date>,
        calendar: &Calendar,
    ) -> Option<Date> {
        let deadline = self.of.get(&kind)?;
        let from = match deadline.every {
            Some(every) => every.end_of(about?)?,
            None => about?,
        };
        Some(calendar.limit_after(from, deadline.working_days))
    }

    /// Kinds that are wanted once in each period.
    pub fn periodic(&self) -> impl Iterator<Item = (FilingKind, Every, u32)> + '_ {
        self.of
            .iter()
            .filter_map(|(kind, deadline)| Some((*kind, deadline.every?, deadline.working_days)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervision::rule::Rules;
    use time::macros::date;

    #[test]
    fn a_period_ends_before_the_one_that_runs() {
        let today = date!(2024 - 05 - 17);
        assert_eq!(Every::Month.last_end(today), date!(2024 - 04 - 30));
        assert_eq!(Every::Quarter.last_end(today), date!(2024 - 03 - 31));
        assert_eq!(Every::Year.last_end(today), date!(2023 - 12 - 31));
        assert_eq!(
            Every::Quarter.first_of(date!(2024 - 03 - 31)),
            date!(2024 - 01 - 01)
        );
        assert_eq!(
            Every::Month.first_of(date!(2024 - 02 - 29)),
            date!(2024 - 02 - 01)
        );
    }

    #[test]
    fn a_quarters_satisfaction_is_due_ten_working_days_behind_it() {
        let due = Rules::builtin().deadlines.due_on(
            FilingKind::Satisfaction,
            Some(date!(2024 - 06 - 30)),
            &Calendar::builtin(),
        );
        assert_eq!(due, Some(date!(2024 - 07 - 12)));
    }

    #[test]
    fn what_has_no_deadline_is_never_late() {
        let deadlines = Rules::builtin().deadlines;
        let on = Some(date!(2024 - 06 - 30));
        assert_eq!(
            deadlines.due_on(FilingKind::Instruction, on, &Calendar::builtin()),
            None
        );
        assert_eq!(
            deadlines.due_on(FilingKind::Refusal, None, &Calendar::builtin()),
            None
        );
    }
}
