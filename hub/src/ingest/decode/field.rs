//! Single fields of the wire contract. A check returns the value, or the path of the field at fault.

use std::ops::RangeInclusive;

use linkage::place::DistrictCode;
use linkage::token::Token;
use time::macros::date;
use time::{Date, Duration, OffsetDateTime};

use crate::case::Segments;

/// A value, or the path of the field that breaks the contract, e.g. `parties[0].name`.
pub(crate) type Checked<T> = Result<T, String>;

/// 1850-01-01 to 2150-01-01: births of decedents on one side, typing errors on the other.
const DAYS: RangeInclusive<i32> = -43_829..=65_744;
/// A thousand billion yuan in fen: far above any matter, far below where sums overflow.
const MOST_FEN: i64 = 100_000_000_000_000;

/// Empty is absent. PostgreSQL cannot hold NUL, and no field has a use for control characters.
pub(crate) fn text(raw: String, most: usize, field: &str) -> Checked<Option<String>> {
    if raw.is_empty() {
        return Ok(None);
    }
    if raw.chars().nth(most).is_some() || raw.chars().any(char::is_control) {
        return Err(field.to_owned());
    }
    Ok(Some(raw))
}

pub(crate) fn required(raw: String, most: usize, field: &str) -> Checked<String> {
    text(raw, most, field)?.ok_or_else(|| field.to_owned())
}

pub(crate) fn optional<T, E>(
    raw: &str,
    parse: impl Fn(&str) -> Result<T, E>,
    field: &str,
) -> Checked<Option<T>> {
    if raw.is_empty() {
        return Ok(None);
    }
    parse(raw).map(Some).map_err(|_| field.to_owned())
}

pub(crate) fn count(count: usize, allowed: RangeInclusive<usize>, field: &str) -> Checked<()> {
    match allowed.contains(&count) {
        true => Ok(()),
        false => Err(field.to_owned()),
    }
}

/// Checks each of a list; a fault is named by its place.
pub(crate) fn each<T, U>(
    list: Vec<T>,
    field: &str,
    check: impl Fn(T) -> Checked<U>,
) -> Checked<Vec<U>> {
    list.into_iter()
        .enumerate()
        .map(|(at, item)| check(item).map_err(|inner| format!("{field}[{at}].{inner}")))
        .collect()
}

pub(crate) fn token(bytes: &[u8], field: &str) -> Checked<Token> {
    Token::try_from(bytes).map_err(|_| field.to_owned())
}

/// All of a number's segments, or none.
pub(crate) fn segments(tokens: &[Vec<u8>], field: &str) -> Checked<Option<Segments>> {
    let of = |bytes: &Vec<u8>| token(bytes, field);
    match tokens {
        [] => Ok(None),
        [one, two, three] => Ok(Some([of(one)?, of(two)?, of(three)?])),
        _ => Err(field.to_owned()),
    }
}

pub(crate) fn district(raw: &str, field: &str) -> Checked<Option<DistrictCode>> {
    optional(raw, DistrictCode::parse, field)
}

pub(crate) fn fen(amount: i64, field: &str) -> Checked<i64> {
    match (0..=MOST_FEN).contains(&amount) {
        true => Ok(amount),
        false => Err(field.to_owned()),
    }
}

pub(crate) fn day(days: i32, field: &str) -> Checked<Date> {
    match DAYS.contains(&days) {
        true => Ok(date!(1970 - 01 - 01) + Duration::days(days.into())),
        false => Err(field.to_owned()),
    }
}

pub(crate) fn optional_day(days: Option<i32>, field: &str) -> Checked<Option<Date>> {
    days.map(|days| day(days, field)).transpose()
}

pub(crate) fn time(at: prost_types::Timestamp, field: &str) -> Checked<OffsetDateTime> {
    let nanos = i128::from(at.seconds) * 1_000_000_000 + i128::from(at.nanos);
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .filter(|at| (1900..2200).contains(&at.year()))
        .ok_or_else(|| field.to_owned())
}
