//! The days on which offices work, as the State Council arranged them: the hub's data, counted in our own way.
use std::collections::HashSet;
use std::sync::LazyLock;

use serde::Deserialize;
use time::{Date, Duration, Month, Weekday};
use toml::value::Datetime;

/// What differs from plain weekdays. Beyond its years there is nothing.
static EXCEPTIONS: LazyLock<Exceptions> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../hub/data/working-days.toml"))
        .expect("the hub's calendar is checked by its tests")
});

#[derive(Deserialize)]
struct Exceptions {
    #[serde(deserialize_with = "days")]
    weekdays_off: HashSet<Date>,
    #[serde(deserialize_with = "days")]
    weekends_worked: HashSet<Date>,
}

fn days<'de, D: serde::Deserializer<'de>>(text: D) -> Result<HashSet<Date>, D::Error> {
    let days = Vec::<Datetime>::deserialize(text)?.into_iter();
    let date = |day: Datetime| {
        let date = day.date?;
        let month = Month::try_from(date.month).ok()?;
        Date::from_calendar_date(date.year.into(), month, date.day).ok()
    };
    days.map(|day| date(day).ok_or_else(|| serde::de::Error::custom("no day")))
        .collect()
}

/// The plan's time as a list of working days, reaching past its end so that later steps have days too.
#[derive(Debug)]
pub(crate) struct Calendar {
    days: Vec<Date>,
    /// Working days from the plan's first to its last day.
    planned: usize,
}

/// Days that the calendar reaches past the plan.
pub(crate) const DAYS_AFTER: i64 = 800;

impl Calendar {
    pub(crate) fn new(from: Date, to: Date) -> Self {
        let end = to.saturating_add(Duration::days(DAYS_AFTER));
        let mut days = Vec::new();
        let mut planned = 0;
        let mut day = from;
        while day < end {
            if is_working(day) {
                days.push(day);
                planned += usize::from(day <= to);
            }
            day = day.saturating_add(Duration::DAY);
        }
        Self { days, planned }
    }

    /// Working days within the plan.
    pub(crate) fn planned(&self) -> usize {
        self.planned
    }

    /// The working day at `index`, counted from the plan's first; the last known day beyond the end.
    pub(crate) fn day(&self, index: usize) -> Date {
        self.days[index.min(self.days.len() - 1)]
    }

    /// Index of the first working day on or after `date`.
    pub(crate) fn index_of(&self, date: Date) -> usize {
        self.days.partition_point(|day| *day < date)
    }

    /// Working days from the first to the last, both included.
    pub(crate) fn working_days(&self, first: Date, last: Date) -> usize {
        self.days
            .partition_point(|day| *day <= last)
            .saturating_sub(self.index_of(first))
    }

    /// The last day of a limit of so many working days that begins behind `from`.
    pub(crate) fn limit_after(&self, from: Date, working_days: usize) -> Date {
        self.day(self.days.partition_point(|day| *day <= from) + working_days - 1)
    }
}

fn is_working(day: Date) -> bool {
    match day.weekday() {
        Weekday::Saturday | Weekday::Sunday => EXCEPTIONS.weekends_worked.contains(&day),
        _ => !EXCEPTIONS.weekdays_off.contains(&day),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn holidays_are_free_and_moved_weekends_are_worked() {
        let calendar = Calendar::new(date!(2024 - 09 - 27), date!(2024 - 10 - 08));
        assert_eq!(calendar.planned(), 4);
        assert_eq!(calendar.day(1), date!(2024 - 09 - 29));
        assert_eq!(calendar.day(3), date!(2024 - 10 - 08));
        assert_eq!(calendar.index_of(date!(2024 - 10 - 01)), 3);
        assert_eq!(
            calendar.working_days(date!(2024 - 09 - 28), date!(2024 - 10 - 08)),
            3
        );
        assert_eq!(
            calendar.limit_after(date!(2024 - 09 - 28), 3),
            date!(2024 - 10 - 08)
        );
    }
}
