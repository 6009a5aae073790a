//! Rows of digits: groups with nothing but separators between them, as people write a long number. Amounts and what is
//! called 第…号 are none: they end a row.

use time::{Date, Month};

use crate::text::{half_width, is_closing, is_dash, is_invisible, is_middle_dot, is_opening};

/// Longest figure that a unit of money or 第…号 may stand with, digits: 9.9 trillion yuan. No number of a card is as short.
const FIGURE: usize = 13;
/// Longest whole part of a figure with decimals, digits: shorter than a phone number.
const WHOLE_PART: usize = 10;

/// Digits without anything between them, a day, or the letter that some numbers end with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// `X` alone, or digits.
    pub(super) text: String,
    /// 2026-11-26 in whatever form; its text has eight digits.
    pub(super) is_day: bool,
}

/// All rows of a text.
pub(super) fn rows(text: &str) -> Vec<Vec<Group>> {
    let visible = text.chars().filter(|c| !is_invisible(*c));
    let chars: Vec<char> = visible.map(half_width).collect();
    let (mut rows, mut row) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let end = at + digits_from(&chars, at);
        if at < end {
            match figure_end(&chars, at, end) {
                Some(behind) => {
                    rows.push(std::mem::take(&mut row));
                    at = behind;
                }
                None => {
                    row.push(chars[at..end].iter().collect());
                    at = end;
                }
            }
            continue;
        }
        if is_check_letter(&chars, at) && !row.is_empty() {
            row.push("X".to_owned());
        } else if !is_separator(*c) {
            rows.push(std::mem::take(&mut row));
        }
        at += 1;
    }
    rows.push(row);
    rows.into_iter()
        .filter(|row| !row.is_empty())
        .map(with_days)
        .collect()
}

fn digits_from(chars: &[char], at: usize) -> usize {
    let rest = chars.get(at..).unwrap_or_default();
    rest.iter().take_while(|c| c.is_ascii_digit()).count()
}

/// What people write between the digits of a number. A line ends one.
fn is_separator(c: char) -> bool {
    (c.is_whitespace() && c != '\n')
        || matches!(c, '.' | '_')
        || [is_dash, is_middle_dot, is_opening, is_closing]
            .iter()
            .any(|is| is(c))
}

fn is_check_letter(chars: &[char], at: usize) -> bool {
    let next = chars.get(at + 1);
    matches!(chars[at], 'x' | 'X') && !next.is_some_and(char::is_ascii_alphanumeric)
}

/// Where an amount, or the serial of 第…号, ends that begins with these digits.
fn figure_end(chars: &[char], at: usize, end: usize) -> Option<usize> {
    let before = at.checked_sub(1).map(|at| chars[at]);
    let decimals = match chars.get(end) {
        Some('.') if before != Some('.') => digits_from(chars, end + 1),
        _ => 0,
    };
    let behind = end + 1 + decimals;
    let is_decimal = (1..=2).contains(&decimals) && chars.get(behind) != Some(&'.');
    let behind = if is_decimal { behind } else { end };
    let next = chars[behind..].iter().find(|c| **c != ' ');
    let is_amount = matches!(before, Some('¥' | '￥' | '$' | '€' | '币'))
        || matches!(
            next,
            Some('元' | '圆' | '万' | '亿' | '角' | '分' | '美' | '港' | '欧')
        );
    let is_serial = before == Some('第') && next == Some(&'号');
    let digits = end - at;
    let is_figure =
        (is_decimal && digits <= WHOLE_PART) || ((is_amount || is_serial) && digits <= FIGURE);
    is_figure.then_some(behind)
}

/// Puts year, month and day together.
fn with_days(texts: Vec<String>) -> Vec<Group> {
    let (mut groups, mut rest) = (Vec::new(), texts.as_slice());
    while let [first, others @ ..] = rest {
        let day = match rest {
            [year, month, day, ..] => day_of(year, month, day),
            _ => None,
        };
        let (text, left) = match &day {
            Some(day) => (day.clone(), &others[2..]),
            None => (first.clone(), others),
        };
        groups.push(Group {
            is_day: day.is_some(),
            text,
        });
        rest = left;
    }
    groups
}

/// Eight digits, where three groups are a day.
fn day_of(year: &str, month: &str, day: &str) -> Option<String> {
    let form = year.len() == 4 && (1..=2).contains(&month.len()) && (1..=2).contains(&day.len());
    let text = format!("{year}{month:0>2}{day:0>2}");
    (form && is_day(&text)).then_some(text)
}

/// Whether eight digits are a day of the last or the next centuries.
pub(super) fn is_day(digits: &str) -> bool {
    let part = |at: std::ops::Range<usize>| digits.get(at)?.parse::<u16>().ok();
    let day = || {
        let year = part(0..4).filter(|year| (1800..2200).contains(year))?;
        let month = Month::try_from(u8::try_from(part(4..6)?).ok()?).ok()?;
        Date::from_calendar_date(year.into(), month, u8::try_from(part(6..8)?).ok()?).ok()
    };
    digits.len() == 8 && day().is_some()
}
