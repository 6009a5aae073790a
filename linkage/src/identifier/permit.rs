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

/// 8 digits, given once for life. Booklets of 1992 to 2008 print 2 issue digits behind them and, in brackets, a
/// letter or digit of the issuing office.
pub(super) fn check_taiwan(number: &str) -> Result<Checked, IdentifierError> {
    let Some((holder, issue)) = number.split_at_checked(8) else {
        return Err(IdentifierError::Form);
    };
    let issue_fits = match issue.as_bytes() {
        [] => true,
        [first, second, office @ ..] => {
            first.is_ascii_digit()
                && second.is_ascii_digit()
                && matches!(office, [] | [b'0'..=b'9' | b'A'..=b'Z'])
        }
        [_] => false,
    };
    if all_digits(holder) && issue_fits {
        Ok(Checked::bare(holder))
    } else {
        Err(IdentifierError::Form)
    }
}
