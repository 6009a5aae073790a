//! How a figure is written: one rule for each unit, wherever it stands. The console writes the same digits
//! (`hub/console/src/text/format.ts`); `docs/statistics.md` tells people.
//!
//! | unit | digits |
//! |---|---|
//! | cases, persons, times, working days | whole, thousands grouped |
//! | money | yuan with two places, thousands grouped |
//! | shares, and how much more or less | per cent with two places |
//! | a share's change | percentage points with two places |
//! | scores, and how many of ten thousand | two places |

use super::measure::{Number, Unit};

/// As spreadsheets have the same.
pub mod sheet {
    pub const WHOLE: &str = "#,##0";
    pub const TWO_PLACES: &str = "#,##0.00";
    pub const PERCENT: &str = "0.00%";
    pub const POINTS: &str = "0.00\"个百分点\"";
}

/// What stands for a figure that there is none of.
pub const NONE: &str = "—";

/// A figure; its unit stands elsewhere, but for that of a share.
pub fn written(number: Number, unit: Unit) -> String {
    let value = number.as_f64();
    match unit {
        Unit::Count | Unit::Days | Unit::Persons | Unit::Times => grouped(value.round() as i64),
        Unit::Fen => hundredths(value.round() as i64),
        Unit::Rate => percent(value),
        Unit::PerTenThousand | Unit::Score => hundredths(in_hundredths(value)),
    }
}

/// What a figure is more or less than before, with its sign.
pub fn changed(change: f64, unit: Unit) -> String {
    let text = match unit {
        Unit::Rate => format!("{}个百分点", hundredths(in_hundredths(change * 100.0))),
        Unit::Days => grouped(change.round() as i64),
        Unit::Score => hundredths(in_hundredths(change)),
        _ => percent(change),
    };
    match change > 0.0 {
        true => format!("+{text}"),
        false => text,
    }
}

/// 0.125 as 12.50%.
pub fn percent(share: f64) -> String {
    format!("{}%", hundredths(in_hundredths(share * 100.0)))
}

/// 12,345
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// To so many places, 9 at most; what lies halfway goes away from 0, as people and spreadsheets round.
pub fn rounded(value: f64, places: i32) -> f64 {
    units(value, places) / 10_f64.powi(places)
}

fn in_hundredths(value: f64) -> i64 {
    units(value, 2) as i64
}

/// How many units of the last place a value has.
fn units(value: f64, places: i32) -> f64 {
    // What is halfway in decimal lies to one side in binary, by less than this takes away.
    let billionths = (value * 1e9).round();
    (billionths / 10_f64.powi(9 - places)).round()
}

/// 123,456 as 1,234.56.
fn hundredths(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let number = number.unsigned_abs();
    let whole = i64::try_from(number / 100).unwrap_or(i64::MAX);
    format!("{sign}{}.{:02}", grouped(whole), number % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_has_its_digits() {
        let whole = |number, unit| written(Number::Whole(number), unit);
        let share = |number, unit| written(Number::Fraction(number), unit);
        assert_eq!(whole(1_234_567, Unit::Count), "1,234,567");
        assert_eq!(whole(12, Unit::Days), "12");
        assert_eq!(whole(-100_005, Unit::Fen), "-1,000.05");
        assert_eq!(share(0.5, Unit::Rate), "50.00%");
        assert_eq!(share(0.969_767, Unit::Rate), "96.98%");
        assert_eq!(share(12.345, Unit::PerTenThousand), "12.35");
        assert_eq!(share(4.0, Unit::Score), "4.00");
    }

    #[test]
    fn what_lies_halfway_goes_away_from_zero() {
        // Neither is exact in binary: 0.010 05 lies a little above, 1.005 a little below.
        for (number, expected) in [
            (0.010_05, "1.01%"),
            (0.996_25, "99.63%"),
            (-0.001_25, "-0.13%"),
        ] {
            assert_eq!(percent(number), expected);
        }
        assert_eq!(written(Number::Fraction(1.005), Unit::Score), "1.01");
    }

    #[test]
    fn a_change_has_its_sign_and_that_of_a_share_is_told_in_points() {
        assert_eq!(changed(0.125, Unit::Count), "+12.50%");
        assert_eq!(changed(-0.125, Unit::Fen), "-12.50%");
        assert_eq!(changed(-0.012, Unit::Rate), "-1.20个百分点");
        assert_eq!(changed(2.0, Unit::Days), "+2");
        assert_eq!(changed(0.25, Unit::Score), "+0.25");
        assert_eq!(changed(0.0, Unit::Count), "0.00%");
        assert_eq!(changed(0.0, Unit::Days), "0");
    }
}
