//! Working days of the People's Republic of China, as the State Council arranges them each year.
//! 公证法 art. 30 counts the time limit in working days.

use std::collections::HashSet;

use data_encoding::HEXLOWER;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use time::{Date, Duration, Month, Weekday};

const BUILTIN: &str = include_str!("../../data/working-days.toml");

/// How long before the end of the data its lack is said: limits that begin then are counted past it. The alert
/// `HubWorkingDaysEnding` has the same.
const NOTICE: Duration = Duration::days(42);

/// Why a calendar text cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CalendarError {
    #[error("the working-day calendar is not valid TOML: {0}")]
    Toml(#[from] toml::de::Error),
    #[error("the working-day calendar holds a date that is none: {0}")]
    Date(String),
    #[error("the working-day calendar ends ({last}) before it begins ({first})")]
    Years { first: i32, last: i32 },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    first_year: i32,
    last_year: i32,
    weekdays_off: Vec<toml::value::Datetime>,
    weekends_worked: Vec<toml::value::Datetime>,
}

/// Which days are worked. Years beyond the data are counted as plain weekdays, and [`Self::covers`] says so.
#[derive(Clone, Debug)]
pub struct Calendar {
    first: Date,
    last: Date,
    /// Working days from `first` up to and including the day at the index.
    worked_until: Vec<i32>,
    fingerprint: String,
}

impl Calendar {
    /// The calendar shipped with the hub.
    pub fn builtin() -> Self {
        Self::parse(BUILTIN).expect("hub/data/working-days.toml is checked by a test")
    }

    /// Reads a calendar in the form of `hub/data/working-days.toml`.
    pub fn parse(toml: &str) -> Result<Self, CalendarError> {
        let text: Text = toml::from_str(toml)?;
        let years = || CalendarError::Years {
            first: text.first_year,
            last: text.last_year,
        };
        let first =
            Date::from_calendar_date(text.first_year, Month::January, 1).map_err(|_| years())?;
        let last =
            Date::from_calendar_date(text.last_year, Month::December, 31).map_err(|_| years())?;
        if last < first {
            return Err(years());
        }
        let off = dates(&text.weekdays_off)?;
        let worked = dates(&text.weekends_worked)?;
        let mut worked_until = Vec::new();
        let (mut day, mut count) = (first, 0);
        while day <= last {
            if worked.contains(&day) || (is_weekday(day) && !off.contains(&day)) {
                count += 1;
            }
            worked_until.push(count);
            day = day.next_day().unwrap_or(Date::MAX);
        }
        Ok(Self {
            fingerprint: fingerprint(first, &worked_until),
            first,
            last,
            worked_until,
        })
    }

    /// Tells calendars apart by the days they count, not by the text they were read from.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Whether the State Council's arrangement of the day's year is in the data.
    pub fn covers(&self, day: Date) -> bool {
        (self.first..=self.last).contains(&day)
    }

    /// The last day of the data.
    pub fn last(&self) -> Date {
        self.last
    }

    /// Whether it is time to have the arrangement of the year behind the data.
    pub fn is_ending(&self, today: Date) -> bool {
        !self.covers(today + NOTICE)
    }

    /// Working days after `start`, up to and including `end`: 0 when `end` is not later.
    pub fn working_days_after(&self, start: Date, end: Date) -> u32 {
        u32::try_from(self.worked_through(end) - self.worked_through(start)).unwrap_or(0)
    }

    /// The day on which so many working days after `start` have come: the last day of a limit that begins behind it. The
    /// last day there is when they do not come.
    pub fn limit_after(&self, start: Date, working_days: u32) -> Date {
        let mut day = start;
        while self.working_days_after(start, day) < working_days {
            match day.next_day() {
                Some(next) => day = next,
                None => return day,
            }
        }
        day
    }

    /// Working days of the union of `intervals` (both ends included) that lie after `start`, up to and
    /// including `end`.
    pub fn excused_days(&self, intervals: &[(Date, Date)], start: Date, end: Date) -> u32 {
        let mut sorted: Vec<(Date, Date)> = intervals.to_vec();
        sorted.sort_unstable();
        let (mut count, mut counted_until) = (0, start);
        for (first, last) in sorted {
            let before = first.previous_day().unwrap_or(Date::MIN).max(counted_until);
            let until = last.min(end);
            count += self.working_days_after(before, until);
            counted_until = counted_until.max(until);
        }
        count
    }

    /// Working days up to and including `day`, counted from a day that is the same for all.
    fn worked_through(&self, day: Date) -> i32 {
        let before_data = weekdays_through(self.first) - i32::from(is_weekday(self.first));
        let in_data = |day: Date| {
            let index = usize::try_from((day - self.first).whole_days());
            self.worked_until[index.expect("the day is not before the data")]
        };
        if day < self.first {
            weekdays_through(day)
        } else if day <= self.last {
            before_data + in_data(day)
        } else {
            before_data + in_data(self.last) + weekdays_through(day) - weekdays_through(self.last)
        }
    }
}

fn fingerprint(first: Date, worked_until: &[i32]) -> String {
    let mut hash = Sha256::new();
    hash.update(first.to_julian_day().to_be_bytes());
    for worked in worked_until {
        hash.update(worked.to_be_bytes());
    }
    HEXLOWER.encode(&hash.finalize()[..8])
}

/// Mondays to Fridays up to and including `day`, since the Monday that is Julian day 0.
fn weekdays_through(day: Date) -> i32 {
    let days = day.to_julian_day();
    days.div_euclid(7) * 5 + (days.rem_euclid(7) + 1).min(5)
}

fn is_weekday(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn dates(texts: &[toml::value::Datetime]) -> Result<HashSet<Date>, CalendarError> {
    texts
        .iter()
        .map(|text| {
            let bad = || CalendarError::Date(text.to_string());
            let date = text.date.ok_or_else(bad)?;
            let month = Month::try_from(date.month).map_err(|_| bad())?;
            Date::from_calendar_date(date.year.into(), month, date.day).map_err(|_| bad())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn spring_festival_of_2024_is_off_and_its_weekends_are_worked() {
        let calendar = Calendar::builtin();
        // 2024-02-10 to 02-17 off; Sunday 02-04 and Sunday 02-18 worked.
        assert_eq!(
            calendar.working_days_after(date!(2024 - 02 - 09), date!(2024 - 02 - 17)),
            0
        );
        assert_eq!(
            calendar.working_days_after(date!(2024 - 02 - 17), date!(2024 - 02 - 18)),
            1
        );
    }

    #[test]
    fn beyond_the_data_weekdays_count() {
        let calendar = Calendar::builtin();
        assert!(!calendar.covers(date!(2090 - 01 - 02)));
        assert_eq!(
            calendar.working_days_after(date!(2090 - 01 - 01), date!(2090 - 01 - 08)),
            5
        );
    }

    #[test]
    fn it_is_ending_from_forty_two_days_before_the_first_day_it_has_not() {
        let text = "first_year = 2025\nlast_year = 2026\nweekdays_off = []\nweekends_worked = []";
        let to_2026 = Calendar::parse(text).expect("a calendar");
        assert!(!to_2026.is_ending(date!(2026 - 11 - 19)));
        assert!(to_2026.is_ending(date!(2026 - 11 - 20)));
    }

    #[test]
    fn counting_is_the_same_day_by_day_within_and_beyond_the_data() {
        let calendar = Calendar::builtin();
        for (start, end) in [
            (date!(2003 - 12 - 01), date!(2004 - 02 - 01)),
            (date!(2026 - 09 - 01), date!(2027 - 03 - 01)),
        ] {
            let (mut day, mut sum) = (start, 0);
            while day < end {
                let next = day.next_day().expect("far from the end of time");
                sum += calendar.working_days_after(day, next);
                day = next;
            }
            assert_eq!(calendar.working_days_after(start, end), sum);
        }
    }

    #[test]
    fn a_limit_ends_on_its_last_working_day() {
        let calendar = Calendar::builtin();
        // Thursday; Friday is the first, Monday the second.
        assert_eq!(
            calendar.limit_after(date!(2024 - 06 - 13), 2),
            date!(2024 - 06 - 17)
        );
        assert_eq!(
            calendar.limit_after(date!(2024 - 06 - 13), 0),
            date!(2024 - 06 - 13)
        );
    }

    #[test]
    fn overlapping_excuses_count_once_and_only_within_the_case() {
        let calendar = Calendar::builtin();
        // Monday 2024-06-17 to Friday 2024-06-28: ten working days, none of them a holiday.
        let excused = [
            (date!(2024 - 06 - 01), date!(2024 - 06 - 19)),
            (date!(2024 - 06 - 18), date!(2024 - 06 - 20)),
            (date!(2024 - 06 - 28), date!(2024 - 07 - 20)),
        ];
        assert_eq!(
            calendar.excused_days(&excused, date!(2024 - 06 - 16), date!(2024 - 06 - 28)),
            5
        );
    }
    #[test]
    fn a_limit_that_begins_on_the_last_day_there_is_ends_there() {
        let calendar = Calendar::builtin();
        assert_eq!(calendar.limit_after(Date::MAX, 3), Date::MAX);
    }
}
