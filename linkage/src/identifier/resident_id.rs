//! 居民身份证 (GB 11643-1999): 6 area + 8 birth date + 3 order (odd for men) + 1 check character by
//! ISO 7064 MOD 11-2. Cards of 15 digits (before 1999) lack the century, which was 19, and the check.

use time::{Date, Month};
use zeroize::Zeroizing;

use super::{Checked, IdentifierError, all_digits, number_at};
use crate::{place::is_province, vocabulary::Sex};

/// Checks a normalised number and upgrades a legacy one to its 18 characters.
pub(super) fn check(number: &str) -> Result<Checked, IdentifierError> {
    match number.len() {
        15 if all_digits(number) => {
            let mut upgraded = Zeroizing::new(String::with_capacity(18));
            upgraded.extend([&number[..6], "19", &number[6..]]);
            let check = check_character(&upgraded);
            upgraded.push(check);
            check_eighteen(&upgraded, is_resident_area)
        }
        18 => check_eighteen(number, is_resident_area),
        _ => Err(IdentifierError::Form),
    }
}

/// Checks 18 characters of GB 11643, for the areas that the kind of card can carry.
pub(super) fn check_eighteen(
    number: &str,
    is_area: fn(u32) -> bool,
) -> Result<Checked, IdentifierError> {
    let Some((body, check)) = number.split_at_checked(17) else {
        return Err(IdentifierError::Form);
    };
    if !all_digits(body) || !matches!(check.as_bytes(), [b'0'..=b'9' | b'X']) {
        return Err(IdentifierError::Form);
    }
    if !is_area(number_at(number, 0..6)) {
        return Err(IdentifierError::Area);
    }
    let birth_date = birth_date(number)?;
    if !check.starts_with(check_character(body)) {
        return Err(IdentifierError::CheckCharacter);
    }
    let sex = if number_at(number, 14..17) % 2 == 1 {
        Sex::Male
    } else {
        Sex::Female
    };
    Ok(Checked {
        number: Zeroizing::new(number.to_owned()),
        birth_date: Some(birth_date),
        sex: Some(sex),
    })
}

/// Whether a text could be such a card's number.
pub(crate) fn is_eighteen(text: &str, is_area: fn(u32) -> bool) -> Result<(), IdentifierError> {
    check_eighteen(text, is_area).map(drop)
}

/// The check character that belongs to the first 17 digits; anything behind them is ignored. ISO 7064 MOD 11-2.
///
/// # Panics
/// When the text does not begin with 17 ASCII digits.
#[must_use]
pub fn check_character(first_17: &str) -> char {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHARACTERS: &[u8; 11] = b"10X98765432";
    let digits = &first_17.as_bytes()[..17];
    assert!(
        digits.iter().all(u8::is_ascii_digit),
        "17 digits make a check character"
    );
    let sum: u32 = digits
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    char::from(CHARACTERS[(sum % 11) as usize])
}

/// Birth date at characters 7 to 14. Years before 1800 or after 2099 are slips, not people.
pub(super) fn birth_date(number: &str) -> Result<Date, IdentifierError> {
    let year = number_at(number, 6..10);
    let month = number_at(number, 10..12);
    let day = number_at(number, 12..14);
    if !(1800..=2099).contains(&year) {
        return Err(IdentifierError::BirthDate);
    }
    u8::try_from(month)
        .ok()
        .and_then(|month| Month::try_from(month).ok())
        .zip(u8::try_from(day).ok())
        .and_then(|(month, day)| {
            Date::from_calendar_date(i32::try_from(year).ok()?, month, day).ok()
        })
        .ok_or(IdentifierError::BirthDate)
}

/// A county or district of some province: GB/T 2260 codes ending in 0000 name whole provinces, which issue no cards.
fn is_resident_area(area: u32) -> bool {
    is_province(area / 10_000) && !area.is_multiple_of(10_000) && area / 10_000 < 80
}
