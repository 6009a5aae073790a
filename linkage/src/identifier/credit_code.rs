//! 统一社会信用代码 (GB 32100-2015): 18 of the digits and letters without I, O, S, V and Z: registering authority,
//! category, 6 area digits, 9 organisation characters (GB 11714) and 1 check character, weights 3^(i−1) mod 31.

use super::{Checked, IdentifierError, number_at};
use crate::place::is_province;

const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

pub(super) fn check(number: &str) -> Result<Checked, IdentifierError> {
    let characters = number.bytes().all(|b| ALPHABET.contains(&b));
    if number.len() != 18 || !characters || !number[2..8].bytes().all(|b| b.is_ascii_digit()) {
        return Err(IdentifierError::Form);
    }
    // 10 is the central registration authority, which stands where a province would.
    let province = number_at(number, 2..4);
    if !is_province(province) && province != 10 {
        return Err(IdentifierError::Area);
    }
    if number.ends_with(check_character(number)) {
        Ok(Checked::bare(number))
    } else {
        Err(IdentifierError::CheckCharacter)
    }
}

/// The check character that belongs to the first 17 characters; anything behind them is ignored.
///
/// # Panics
/// When the text does not begin with 17 characters of the code's alphabet.
#[must_use]
pub fn check_character(first_17: &str) -> char {
    let mut sum = 0;
    let mut weight = 1;
    for character in &first_17.as_bytes()[..17] {
        let value = ALPHABET
            .iter()
            .position(|known| known == character)
            .expect("17 characters of the alphabet make a check character");
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    char::from(ALPHABET[(31 - sum % 31) % 31])
}
