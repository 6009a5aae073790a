//! Passports, of any state. ICAO 9303 fixes the characters and leaves the rest to the issuer, so that no check is
//! possible beyond the form, and two states may give out one number.

use super::{Checked, IdentifierError};

/// 5 to 20 Latin letters and digits, one digit at least.
pub(super) fn check(number: &str) -> Result<Checked, IdentifierError> {
    let fits = (5..=20).contains(&number.len())
        && number
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && number.bytes().any(|b| b.is_ascii_digit());
    if fits {
        Ok(Checked::bare(number))
    } else {
        Err(IdentifierError::Form)
    }
}
