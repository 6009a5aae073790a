//! Two birth dates that should be one.

use time::Date;

use super::BirthLevel;

/// How two birth dates differ. It does not matter which comes first.
pub(super) fn compare(a: Date, b: Date) -> BirthLevel {
    if a == b {
        return BirthLevel::Equal;
    }
    let (digits_a, digits_b) = (digits(a), digits(b));
    let same_year = a.year() == b.year();
    if same_year && a.day() == u8::from(b.month()) && b.day() == u8::from(a.month()) {
        BirthLevel::Swapped
    } else if one_slip(&digits_a, &digits_b) {
        BirthLevel::OneDigit
    } else if same_year {
        BirthLevel::SameYear
    } else {
        BirthLevel::Different
    }
}

/// YYYYMMDD.
fn digits(date: Date) -> [u8; 8] {
    let (year, month, day) = date.to_calendar_date();
    let mut number = u32::try_from(year).unwrap_or(0) * 10_000
        + u32::from(u8::from(month)) * 100
        + u32::from(day);
    let mut digits = [0; 8];
    for digit in digits.iter_mut().rev() {
        *digit = (number % 10) as u8;
        number /= 10;
    }
    digits
}

/// One digit is another, or two neighbours changed places.
fn one_slip(a: &[u8; 8], b: &[u8; 8]) -> bool {
    let mut differing = (0..8).filter(|&at| a[at] != b[at]);
    match (differing.next(), differing.next(), differing.next()) {
        (Some(_), None, _) => true,
        (Some(first), Some(second), None) => {
            first + 1 == second && a[first] == b[second] && a[second] == b[first]
        }
        _ => false,
    }
}
