//! 来往内地（大陆）通行证: travel permits of Hong Kong, Macao and Taiwan residents. The holder's number stays for
//! life; what older cards print behind it (renewal count, issuer's letter) is not part of the identity.

use super::{Checked, IdentifierError, all_digits};

/// H or M and 8 digits; cards before 2013 print 2 renewal digits more.
pub(super) fn check_hong_kong_macao(number: &str) -> Result<Checked, IdentifierError> {
    match number.split_at_checked(1) {
        Some(("H" | "M", digits)) if matches!(digits.len(), 8 | 10) && all_digits(digits) => {
            Ok(Checked::bare(&number[..9]))
        }
        _ => Err(IdentifierError::Form),
    }
}

/// 8 digits; booklets before 2015 print 2 issue digits more and may end with the issuer's letter.
pub(super) fn check_taiwan(number: &str) -> Result<Checked, IdentifierError> {
    let digits = number
        .strip_suffix(|c: char| c.is_ascii_uppercase())
        .unwrap_or(number);
    if matches!(digits.len(), 8 | 10) && all_digits(digits) {
        Ok(Checked::bare(&digits[..8]))
    } else {
        Err(IdentifierError::Form)
    }
}
