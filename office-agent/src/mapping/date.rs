//! Days and moments as offices' systems write them.

use std::str::FromStr;

use time::macros::{date, offset};
use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use super::value::{half_width, trim};

/// Offices' clocks: Asia/Shanghai has had no summer time since 1991, and no case is older.
const OFFICE: UtcOffset = offset!(+8);
/// Births of decedents on one side, typing errors on the other: the contract's bounds.
const FIRST: Date = date!(1850 - 01 - 01);
const LAST: Date = date!(2150 - 01 - 01);
/// Tried after a column's own format. The year stands first in all of them, so that none is read as another.
const COMMON: [&[Piece]; 6] = {
    use Piece::*;
    const DASH: Piece = Literal('-');
    const SLASH: Piece = Literal('/');
    const DOT: Piece = Literal('.');
    [
        &[Year, DASH, Month, DASH, Day],
        &[Year, SLASH, Month, SLASH, Day],
        &[Year, DOT, Month, DOT, Day],
        &[
            Year,
            Literal('年'),
            Month,
            Literal('月'),
            Day,
            Literal('日'),
        ],
        &[Year, Month, Day, Hour, Minute, Second],
        &[Year, Month, Day],
    ]
};

/// How a column writes its dates: `YYYY`, `MM`, `DD`, `HH`, `mm`, `ss` and anything between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DateFormat(Vec<Piece>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Literal(char),
}

impl FromStr for DateFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a format of YYYY, MM and DD, each once, with HH, mm and ss if the column has a time, e.g. DD/MM/YYYY";
        const TOKENS: [(&str, Piece); 6] = [
            ("YYYY", Piece::Year),
            ("MM", Piece::Month),
            ("DD", Piece::Day),
            ("HH", Piece::Hour),
            ("mm", Piece::Minute),
            ("ss", Piece::Second),
        ];
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let token = TOKENS.iter().find(|(token, _)| rest.starts_with(token));
            match token {
                Some((token, piece)) => {
                    pieces.push(*piece);
                    rest = &rest[token.len()..];
                }
                None if next.is_ascii_alphanumeric() && next != 'T' => return Err(EXPECTED),
                None => {
                    pieces.push(Piece::Literal(next));
                    rest = &rest[next.len_utf8()..];
                }
            }
        }
        let count = |piece| pieces.iter().filter(|known| **known == piece).count();
        let has_day = [Piece::Year, Piece::Month, Piece::Day]
            .into_iter()
            .all(|piece| count(piece) == 1);
        match has_day {
            true => Ok(Self(pieces)),
            false => Err(EXPECTED),
        }
    }
}

/// Reads a day in the office's time zone. `Ok(None)` is MySQL's zero date.
pub(super) fn day(raw: &str, format: Option<&DateFormat>) -> Result<Option<Date>, NoDate> {
    let Some(at) = moment(raw, format)? else {
        return Ok(None);
    };
    let day = at.to_offset(OFFICE).date();
    match (FIRST..=LAST).contains(&day) {
        true => Ok(Some(day)),
        false => Err(NoDate),
    }
}

/// Reads the day of a birth, whose clock may have been another: summer time, or the local time of before 1901. What is
/// written with its zone was written by the clock of the place; of UTC, China's then is reckoned.
pub(super) fn birth_day(raw: &str, format: Option<&DateFormat>) -> Result<Option<Date>, NoDate> {
    let Some(at) = moment(raw, format)? else {
        return Ok(None);
    };
    let day = match (at.offset().is_utc(), is_in_summer_time(at)) {
        (false, _) => at.date(),
        (true, true) => at.to_offset(offset!(+9)).date(),
        (true, false) => at.to_offset(OFFICE).date(),
    };
    match (FIRST..=LAST).contains(&day) {
        true => Ok(Some(day)),
        false => Err(NoDate),
    }
}

/// Summer times of Asia/Shanghai since 1949, first and last day, as the time zone database has them.
const SUMMER_TIMES: [(Date, Date); 7] = [
    (date!(1949 - 05 - 01), date!(1949 - 05 - 27)),
    (date!(1986 - 05 - 04), date!(1986 - 09 - 13)),
    (date!(1987 - 04 - 12), date!(1987 - 09 - 12)),
    (date!(1988 - 04 - 17), date!(1988 - 09 - 10)),
    (date!(1989 - 04 - 16), date!(1989 - 09 - 16)),
    (date!(1990 - 04 - 15), date!(1990 - 09 - 15)),
    (date!(1991 - 04 - 14), date!(1991 - 09 - 14)),
];

/// Midnight of the first day was still in standard time, and that of the day after the last in summer time.
fn is_in_summer_time(at: OffsetDateTime) -> bool {
    let day = at.to_offset(offset!(+9)).date();
    let summers = SUMMER_TIMES.iter();
    let mut around = summers
        .filter(|(first, last)| (*first..=last.saturating_add(Duration::days(1))).contains(&day));
    around.any(|(first, _)| day > *first || at.to_offset(OFFICE).hour() >= 2)
}

/// No such day, or no date at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoDate;

/// Reads a moment; without a zone it is the office's. A day alone is its midnight.
pub(super) fn moment(
    raw: &str,
    format: Option<&DateFormat>,
) -> Result<Option<OffsetDateTime>, NoDate> {
    let text = half_width(trim(raw));
    let own = format.map(|format| format.0.as_slice());
    for pieces in own.into_iter().chain(COMMON) {
        // The first form that fits decides: 2024-02-31 is no day in any other.
        if let Some(read) = Read::of(&text, pieces) {
            return read.moment();
        }
    }
    serial(&text).map(Some).ok_or(NoDate)
}

/// What stood at the pieces of a format.
#[derive(Default)]
struct Read {
    year: i32,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    offset: Option<UtcOffset>,
}

impl Read {
    /// `None` when the text does not have the form.
    fn of(text: &str, pieces: &[Piece]) -> Option<Self> {
        let mut read = Self::default();
        let mut rest = text;
        for (at, piece) in pieces.iter().enumerate() {
            if let Piece::Literal(literal) = piece {
                rest = rest.strip_prefix(*literal)?;
                continue;
            }
            let followed = pieces.get(at + 1);
            let abuts = followed.is_some_and(|next| !matches!(next, Piece::Literal(_)));
            let (least, most) = match piece {
                Piece::Year => (4, 4),
                _ if abuts => (2, 2),
                // A packed format stays packed to its end.
                _ if at > 0 && !matches!(pieces[at - 1], Piece::Literal(_)) => (2, 2),
                _ => (1, 2),
            };
            let number;
            (number, rest) = digits(rest, least, most)?;
            read.put(*piece, number);
        }
        let has_time = pieces.contains(&Piece::Hour);
        match rest {
            "" => Some(read),
            _ if has_time => None,
            _ => read.time_of_day(rest),
        }
    }

    fn put(&mut self, piece: Piece, number: u16) {
        let small = u8::try_from(number).unwrap_or(u8::MAX);
        match piece {
            Piece::Year => self.year = i32::from(number),
            Piece::Month => self.month = small,
            Piece::Day => self.day = small,
            Piece::Hour => self.hour = small,
            Piece::Minute => self.minute = small,
            Piece::Second => self.second = small,
            Piece::Literal(_) => {}
        }
    }

    /// ` 12:30`, `T12:30:15.123Z`, ` 12:30:15+08:00` behind a day.
    fn time_of_day(mut self, text: &str) -> Option<Self> {
        let text = text.strip_prefix(['T', ' '])?.trim_start();
        let (hour, rest) = digits(text, 1, 2)?;
        self.put(Piece::Hour, hour);
        let (minute, mut rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
        self.put(Piece::Minute, minute);
        if let Some(seconds) = rest.strip_prefix(':') {
            let second;
            (second, rest) = digits(seconds, 2, 2)?;
            self.put(Piece::Second, second);
        }
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        self.offset = match rest.trim() {
            "" => None,
            "Z" | "z" => Some(UtcOffset::UTC),
            zone => Some(zone_offset(zone)?),
        };
        Some(self)
    }

    fn moment(self) -> Result<Option<OffsetDateTime>, NoDate> {
        if (self.year, self.month, self.day) == (0, 0, 0) {
            return Ok(None);
        }
        let month = Month::try_from(self.month).map_err(|_| NoDate)?;
        let day = Date::from_calendar_date(self.year, month, self.day).map_err(|_| NoDate)?;
        let time = Time::from_hms(self.hour, self.minute, self.second).map_err(|_| NoDate)?;
        let at = PrimitiveDateTime::new(day, time).assume_offset(self.offset.unwrap_or(OFFICE));
        match (1850..2200).contains(&at.year()) {
            true => Ok(Some(at)),
            false => Err(NoDate),
        }
    }
}

/// `+08`, `+0800`, `+08:00` or `+08:05:43`.
fn zone_offset(text: &str) -> Option<UtcOffset> {
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let (hours, rest) = digits(rest, 2, 2)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let (minutes, rest) = match rest {
        "" => (0, ""),
        rest => digits(rest, 2, 2)?,
    };
    // Local times of before 1901 have seconds: +08:05:43.
    let (seconds, rest) = match rest.strip_prefix(':') {
        Some(rest) => digits(rest, 2, 2)?,
        None => (0, rest),
    };
    let part = |number: u16| i8::try_from(number).ok().map(|number| sign * number);
    UtcOffset::from_hms(part(hours)?, part(minutes)?, part(seconds)?)
        .ok()
        .filter(|_| rest.is_empty())
}

fn digits(text: &str, least: usize, most: usize) -> Option<(u16, &str)> {
    let len = text
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    let number = text[..len].parse().ok().filter(|_| len >= least)?;
    Some((number, &text[len..]))
}

/// A spreadsheet's day number, with the time as a fraction. Five digits alone, 1927 to 2100: fewer would make
/// a day of a year or of a stray number.
fn serial(text: &str) -> Option<OffsetDateTime> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.len() != 5 || !plain(whole) || !plain(fraction) {
        return None;
    }
    let days: i64 = whole
        .parse()
        .ok()
        .filter(|days| (10_000..=73_050).contains(days))?;
    let share: f64 = format!("0.{fraction}0").parse().ok()?;
    let midnight = date!(1899 - 12 - 30).midnight().assume_offset(OFFICE);
    Some(midnight + Duration::days(days) + Duration::seconds((share * 86_400.0).round() as i64))
}

#[cfg(test)]
#[path = "date_tests.rs"]
mod tests;
