//! The days on which offices work. Good enough to look real: weekends and the fixed days of the
//! three long holidays are free, moved working weekends are not modelled.
use time::{Date, Duration, Month, Weekday};

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
}

fn is_working(day: Date) -> bool {
    let holiday = matches!(
        (day.month(), day.day()),
        (Month::January, 1) | (Month::May, 1..=3) | (Month::October, 1..=7)
    );
    !holiday && !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn weekends_and_fixed_holidays_are_free() {
        let calendar = Calendar::new(date!(2024 - 09 - 27), date!(2024 - 10 - 08));
        assert_eq!(calendar.planned(), 3);
        assert_eq!(calendar.day(1), date!(2024 - 09 - 30));
        assert_eq!(calendar.day(2), date!(2024 - 10 - 08));
        assert_eq!(calendar.index_of(date!(2024 - 10 - 01)), 2);
    }
}
