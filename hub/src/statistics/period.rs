//! Periods as people name them (a day, a month, a quarter, a half, a year), and what they are compared with:
//! 同比 with the same period of the year before, 环比 with the period before.

use std::iter;
use std::ops::RangeInclusive;

use time::{Date, Duration, Month};

/// Years that a day of a case can be of, as the wire contract has it. Beyond, days cannot be moved and counted.
const YEARS: RangeInclusive<i32> = 1850..=2150;

/// How finely time is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grain {
    Day,
    Month,
    Quarter,
    HalfYear,
    Year,
}

/// Days from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub first: Date,
    pub last: Date,
}

/// The days a table is about; an end that is absent is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    pub first: Option<Date>,
    pub last: Option<Date>,
}

/// A move back in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    Days(i64),
    Months(i32),
}

impl Grain {
    pub const ALL: [Self; 5] = [
        Self::Day,
        Self::Month,
        Self::Quarter,
        Self::HalfYear,
        Self::Year,
    ];

    pub const fn code(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::HalfYear => "half_year",
            Self::Year => "year",
        }
    }

    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Day => "日",
            Self::Month => "月份",
            Self::Quarter => "季度",
            Self::HalfYear => "半年",
            Self::Year => "年度",
        }
    }

    /// From one to the next.
    const fn step(self) -> Back {
        match self {
            Self::Day => Back::Days(1),
            Self::Month => Back::Months(1),
            Self::Quarter => Back::Months(3),
            Self::HalfYear => Back::Months(6),
            Self::Year => Back::Months(12),
        }
    }

    /// The first day of the one that `day` lies in.
    pub fn begin(self, day: Date) -> Date {
        match self.step() {
            Back::Days(_) => day,
            Back::Months(months) => {
                let beyond = (i32::from(u8::from(day.month())) - 1) % months;
                let month = day.replace_day(1).expect("every month has a first day");
                months_later(month, -beyond)
            }
        }
    }

    /// The one that begins on `first`.
    pub fn span(self, first: Date) -> Span {
        let next = match self.step() {
            Back::Days(days) => first.saturating_add(Duration::days(days)),
            Back::Months(months) => months_later(first, months),
        };
        Span {
            first,
            last: next.previous_day().unwrap_or(first),
        }
    }

    /// Whether one begins on that day.
    pub fn begins_on(self, day: Date) -> bool {
        let month = u8::from(day.month());
        match self.step() {
            Back::Days(_) => true,
            Back::Months(months) => day.day() == 1 && (i32::from(month) - 1) % months == 0,
        }
    }

    /// e.g. `2024-01-31`, `2024-01`, `2024-Q1`, `2024-H1`, `2024`: what [`Span::parse`] reads.
    pub fn label(self, first: Date) -> String {
        let (year, month, day) = first.to_calendar_date();
        let month = u8::from(month);
        match self {
            Self::Day => format!("{year:04}-{month:02}-{day:02}"),
            Self::Month => format!("{year:04}-{month:02}"),
            Self::Quarter => format!("{year:04}-Q{}", (month - 1) / 3 + 1),
            Self::HalfYear => format!("{year:04}-H{}", (month - 1) / 6 + 1),
            Self::Year => format!("{year:04}"),
        }
    }

    pub fn label_zh(self, first: Date) -> String {
        let (year, month, day) = first.to_calendar_date();
        let month = u8::from(month);
        match self {
            Self::Day => format!("{year}年{month}月{day}日"),
            Self::Month => format!("{year}年{month}月"),
            Self::Quarter => {
                let quarter = ["一", "二", "三", "四"][usize::from((month - 1) / 3)];
                format!("{year}年第{quarter}季度")
            }
            Self::HalfYear if month <= 6 => format!("{year}年上半年"),
            Self::HalfYear => format!("{year}年下半年"),
            Self::Year => format!("{year}年"),
        }
    }
}

impl Span {
    /// Reads a period in the form of [`Grain::label`], strictly, of years that cases can be of.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str, len: usize| {
            let digits = text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<u8>().ok()).flatten()
        };
        let (year, rest) = text.split_at_checked(4)?;
        let year: i32 = year
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| year.parse().ok())
            .flatten()
            .filter(|year| YEARS.contains(year))?;
        let begin = |month: u8, day: u8| {
            Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
        };
        let (grain, first) = match rest.strip_prefix('-') {
            None if rest.is_empty() => (Grain::Year, begin(1, 1)?),
            None => return None,
            Some(part) => match (part.strip_prefix('Q'), part.strip_prefix('H')) {
                (Some(quarter), _) => {
                    let quarter = number(quarter, 1).filter(|q| (1..=4).contains(q))?;
                    (Grain::Quarter, begin(quarter * 3 - 2, 1)?)
                }
                (_, Some(half)) => {
                    let half = number(half, 1).filter(|h| (1..=2).contains(h))?;
                    (Grain::HalfYear, begin(half * 6 - 5, 1)?)
                }
                _ => match part.split_once('-') {
                    None => (Grain::Month, begin(number(part, 2)?, 1)?),
                    Some((month, day)) => (Grain::Day, begin(number(month, 2)?, number(day, 2)?)?),
                },
            },
        };
        Some(grain.span(first))
    }

    /// The length in whole months, when it begins and ends with one.
    fn months(self) -> Option<i32> {
        let next = self.last.next_day()?;
        let whole = self.first.day() == 1 && next.day() == 1;
        whole.then(|| month_number(next) - month_number(self.first))
    }

    /// The same length, earlier.
    pub fn moved(self, back: Back) -> Self {
        match back {
            Back::Days(days) => Self {
                first: self.first.saturating_sub(Duration::days(days)),
                last: self.last.saturating_sub(Duration::days(days)),
            },
            Back::Months(months) => {
                let ends_a_month = self.last.next_day().is_none_or(|next| next.day() == 1);
                let last = months_later(self.last, -months);
                Self {
                    first: months_later(self.first, -months),
                    last: match ends_a_month {
                        true => end_of_month(last),
                        false => last,
                    },
                }
            }
        }
    }

    /// What of it has come; `None` while all of it lies ahead.
    pub fn until(self, today: Date) -> Option<Self> {
        (self.first <= today).then_some(Self {
            last: self.last.min(today),
            ..self
        })
    }

    /// Whether it has come in part.
    pub fn is_running_on(self, today: Date) -> bool {
        self.first <= today && today < self.last
    }

    /// The beginnings of the `grain`s in it.
    pub fn beginnings(self, grain: Grain) -> impl Iterator<Item = Date> {
        let after = move |first: &Date| grain.span(*first).last.next_day();
        iter::successors(Some(self.first), after).take_while(move |first| *first <= self.last)
    }
}

impl Period {
    /// With both ends.
    pub fn span(self) -> Option<Span> {
        Some(Span {
            first: self.first?,
            last: self.last?,
        })
    }

    /// Whether it begins and ends where one of the `grain` does.
    pub fn is_made_of(self, grain: Grain) -> bool {
        let next = self.last.and_then(Date::next_day);
        [self.first, next]
            .into_iter()
            .flatten()
            .all(|day| grain.begins_on(day))
    }
}

impl Back {
    /// To the same period of the year before (同比).
    pub const YEAR: Self = Self::Months(12);

    /// To the period before (环比): that of the same grain where rows have one, else that of the same length.
    pub fn period(grain: Option<Grain>, span: Span) -> Self {
        match (grain, span.months()) {
            (Some(grain), _) => grain.step(),
            (None, Some(months)) => Self::Months(months),
            (None, None) => Self::Days((span.last - span.first).whole_days() + 1),
        }
    }

    /// Where a beginning lies before the move; `None` for the day that the year before has not.
    pub fn undone(self, begins_on: Date) -> Option<Date> {
        match self {
            Self::Days(days) => begins_on.checked_add(Duration::days(days)),
            Self::Months(months) => {
                let later = months_later(begins_on, months);
                (later.day() == begins_on.day()).then_some(later)
            }
        }
    }
}

/// Reads a day such as 2021-04-09, strictly.
pub fn day(text: &str) -> Option<Date> {
    let span = Span::parse(text)?;
    (span.first == span.last).then_some(span.first)
}

fn month_number(day: Date) -> i32 {
    day.year() * 12 + i32::from(u8::from(day.month())) - 1
}

/// The same day so many months later, or the last of a month that is too short.
fn months_later(day: Date, months: i32) -> Date {
    let number = month_number(day) + months;
    let month = u8::try_from(number.rem_euclid(12) + 1).expect("1 to 12");
    let month = Month::try_from(month).expect("1 to 12");
    let year = number.div_euclid(12);
    let last = month.length(year);
    Date::from_calendar_date(year, month, day.day().min(last)).unwrap_or(day)
}

fn end_of_month(day: Date) -> Date {
    let last = day.month().length(day.year());
    day.replace_day(last).expect("every month has a last day")
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    const fn span(first: Date, last: Date) -> Span {
        Span { first, last }
    }

    #[test]
    fn a_period_reads_back_from_its_label() {
        for day in [
            date!(2024 - 01 - 01),
            date!(2020 - 02 - 29),
            date!(1999 - 07 - 01),
        ] {
            for grain in Grain::ALL {
                if grain.begins_on(day) {
                    let read = Span::parse(&grain.label(day));
                    assert_eq!(read, Some(grain.span(day)), "{grain:?} {day}");
                }
            }
        }
        let quarter = span(date!(2024 - 10 - 01), date!(2024 - 12 - 31));
        assert_eq!(Span::parse("2024-Q4"), Some(quarter));
        for wrong in [
            "",
            "24",
            "2024-",
            "2024-1",
            "2024-13",
            "2024-00",
            "2024-Q0",
            "2024-Q5",
            "2024-H3",
            "2024-02-30",
            "2024-+1",
            "+024",
            "2024-01-1",
            "二〇二四",
        ] {
            assert_eq!(Span::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_year_before_ends_where_its_month_ends() {
        let february = span(date!(2025 - 02 - 01), date!(2025 - 02 - 28));
        let before = span(date!(2024 - 02 - 01), date!(2024 - 02 - 29));
        assert_eq!(february.moved(Back::YEAR), before);
    }

    #[test]
    fn the_period_before_is_as_long() {
        let half = span(date!(2024 - 01 - 01), date!(2024 - 06 - 30));
        let before = half.moved(Back::period(None, half));
        assert_eq!(before, span(date!(2023 - 07 - 01), date!(2023 - 12 - 31)));
        let week = span(date!(2024 - 03 - 04), date!(2024 - 03 - 10));
        let before = week.moved(Back::period(None, week));
        assert_eq!(before, span(date!(2024 - 02 - 26), date!(2024 - 03 - 03)));
    }

    #[test]
    fn of_a_period_that_runs_as_much_is_compared_as_has_come() {
        let year = span(date!(2026 - 01 - 01), date!(2026 - 12 - 31));
        let today = date!(2026 - 11 - 27);
        let before = |today: Date| Some(year.until(today)?.moved(Back::YEAR));
        let so_far = span(date!(2025 - 01 - 01), date!(2025 - 11 - 27));
        assert_eq!(before(today), Some(so_far));
        let whole = span(date!(2025 - 01 - 01), date!(2025 - 12 - 31));
        assert_eq!(before(date!(2027 - 03 - 01)), Some(whole));
        assert_eq!(before(date!(2025 - 12 - 31)), None);
        assert!(year.is_running_on(today) && !year.is_running_on(date!(2026 - 12 - 31)));
    }

    #[test]
    fn nothing_is_compared_with_the_day_that_a_year_has_not() {
        assert_eq!(Back::YEAR.undone(date!(2024 - 02 - 29)), None);
        let march = Back::YEAR.undone(date!(2024 - 03 - 01));
        assert_eq!(march, Some(date!(2025 - 03 - 01)));
    }
}
