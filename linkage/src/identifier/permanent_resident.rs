//! 外国人永久居留身份证. From December 2023: 18 characters, 9 + 2 digits of the issuing province + 3 digits of the
//! nationality (ISO 3166-1 numeric) + birth date + order + check character as in GB 11643. Before: 15 characters,
//! 3 letters of the nationality (ISO 3166-1 alpha-3) + 12 digits, of which only the form is checked. The two forms of one holder have different
//! numbers; nothing in them says that they belong together.

use zeroize::Zeroizing;

use super::{
    Checked, IdentifierError, all_digits, number_at,
    resident_id::{birth_date, check_character},
};
use crate::place::is_province;

pub(super) fn check(number: &str) -> Result<Checked, IdentifierError> {
    match number.len() {
        15 => check_old(number),
        18 => check_new(number),
        _ => Err(IdentifierError::Form),
    }
}

fn check_old(number: &str) -> Result<Checked, IdentifierError> {
    match number.split_at_checked(3) {
        Some((nationality, digits))
            if nationality.bytes().all(|b| b.is_ascii_uppercase()) && all_digits(digits) =>
        {
            Ok(Checked::bare(number))
        }
        _ => Err(IdentifierError::Form),
    }
}

fn check_new(number: &str) -> Result<Checked, IdentifierError> {
    let Some((body, check)) = number.split_at_checked(17) else {
        return Err(IdentifierError::Form);
    };
    let nine = body.starts_with('9');
    if !nine || !all_digits(body) || !matches!(check.as_bytes(), [b'0'..=b'9' | b'X']) {
        return Err(IdentifierError::Form);
    }
    if !is_province(number_at(number, 1..3)) {
        return Err(IdentifierError::Area);
    }
    let birth_date = birth_date(number)?;
    if !check.starts_with(check_character(body)) {
        return Err(IdentifierError::CheckCharacter);
    }
    Ok(Checked {
        number: Zeroizing::new(number.to_owned()),
        birth_date: Some(birth_date),
        sex: None,
    })
}
