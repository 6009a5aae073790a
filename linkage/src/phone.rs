//! Phone numbers, as weak evidence that two parties are one person.

use std::fmt;

use zeroize::Zeroizing;

use crate::text::{half_width, is_closing, is_dash, is_invisible, is_opening};

/// A phone number in E.164 form, e.g. `+8613800138000`. `Debug` does not show it; the memory is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber(Zeroizing<String>);

/// Why a text is no phone number. No variant carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// No digit in it.
    #[error("the phone number is empty")]
    Empty,
    /// Other characters than digits, a leading plus, separators and an extension.
    #[error("the phone number has characters that do not belong in one")]
    Character,
    /// Digits that are neither a mobile, nor a landline, nor an international number.
    #[error("the phone number has the form of no mobile, landline or international number")]
    Form,
}

/// Area code of a landline written without one: all offices are in Hangzhou.
const LOCAL_AREA: &str = "571";

impl PhoneNumber {
    /// Reads a mainland mobile (11 digits), a mainland landline (with area code, or 8 digits in Hangzhou) or an
    /// international number (with `+` or `00`). An extension (转, `ext`, `x`, `#`) is left out.
    ///
    /// # Errors
    /// [`PhoneError`], when it is none of these.
    pub fn parse(raw: &str) -> Result<Self, PhoneError> {
        let (digits, international) = digits_of(raw)?;
        let national = if international {
            match digits.strip_prefix("86") {
                Some(national) => national,
                None => return foreign(&digits),
            }
        } else {
            // 86 before eleven digits of a mobile; no landline is that long.
            digits
                .strip_prefix("86")
                .filter(|rest| is_mobile(rest))
                .unwrap_or(&digits)
        };
        mainland(national)
    }

    /// The number in E.164 form.
    #[must_use]
    pub fn normalised(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(..)")
    }
}

/// Digits before any extension, without the international prefix, and whether there was one.
fn digits_of(raw: &str) -> Result<(Zeroizing<String>, bool), PhoneError> {
    let mut digits = Zeroizing::new(String::with_capacity(raw.len().min(32)));
    let mut plus = false;
    for c in raw.trim().chars().map(half_width) {
        match c {
            '0'..='9' if digits.len() == 20 => return Err(PhoneError::Form),
            '0'..='9' => digits.push(c),
            '+' if digits.is_empty() && !plus => plus = true,
            '转' | 'e' | 'E' | 'x' | 'X' | '#' if !digits.is_empty() => break,
            c if c == ' '
                || c == '.'
                || is_dash(c)
                || is_opening(c)
                || is_closing(c)
                || is_invisible(c) => {}
            _ => return Err(PhoneError::Character),
        }
    }
    if digits.is_empty() {
        return Err(PhoneError::Empty);
    }
    match digits.strip_prefix("00") {
        Some(rest) if !plus => Ok((Zeroizing::new(rest.to_owned()), true)),
        _ => Ok((digits, plus)),
    }
}

fn is_mobile(digits: &str) -> bool {
    matches!(digits.as_bytes(), [b'1', b'3'..=b'9', ..] if digits.len() == 11)
}

fn mainland(digits: &str) -> Result<PhoneNumber, PhoneError> {
    if is_mobile(digits) {
        return Ok(in_country("86", digits, ""));
    }
    let with_area = digits.strip_prefix('0').unwrap_or(digits);
    match (with_area.len(), with_area.as_bytes()) {
        // Area codes 10 and 2x have two digits, the others three; subscribers have 7 or 8.
        (10, [b'1', b'0', ..] | [b'2', ..]) | (10..=11, [b'3'..=b'9', ..]) => {
            Ok(in_country("86", with_area, ""))
        }
        (8, [b'2'..=b'8', ..]) if with_area.len() == digits.len() => {
            Ok(in_country("86", LOCAL_AREA, digits))
        }
        _ => Err(PhoneError::Form),
    }
}

fn foreign(digits: &str) -> Result<PhoneNumber, PhoneError> {
    // E.164: at most 15 digits, no country code begins with 0.
    if (7..=15).contains(&digits.len()) && !digits.starts_with('0') {
        Ok(in_country("", digits, ""))
    } else {
        Err(PhoneError::Form)
    }
}

fn in_country(country: &str, area: &str, subscriber: &str) -> PhoneNumber {
    let mut number = Zeroizing::new(String::with_capacity(16));
    number.extend(["+", country, area, subscriber]);
    PhoneNumber(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normalised(raw: &str) -> Result<String, PhoneError> {
        PhoneNumber::parse(raw).map(|phone| phone.normalised().to_owned())
    }

    #[test]
    fn every_way_of_writing_a_mobile_is_one() {
        for raw in [
            "13800138000",
            "138 0013 8000",
            "138-0013-8000",
            "+86 138 0013 8000",
            "0086-13800138000",
            "8613800138000",
            "（+86）１３８００１３８０００",
        ] {
            assert_eq!(normalised(raw).as_deref(), Ok("+8613800138000"), "{raw}");
        }
    }

    #[test]
    fn every_way_of_writing_a_landline_is_one() {
        for raw in [
            "0571-87654321",
            "(0571)87654321",
            "87654321",
            "+86 571 8765 4321",
            "0571-87654321转801",
        ] {
            assert_eq!(normalised(raw).as_deref(), Ok("+8657187654321"), "{raw}");
        }
        assert_eq!(normalised("010-12345678").as_deref(), Ok("+861012345678"));
        assert_eq!(normalised("0573-1234567").as_deref(), Ok("+865731234567"));
    }

    #[test]
    fn foreign_numbers_keep_their_country() {
        assert_eq!(normalised("+852 2345 6789").as_deref(), Ok("+85223456789"));
        assert_eq!(
            normalised("00 1 (212) 555-0100").as_deref(),
            Ok("+12125550100")
        );
    }

    #[test]
    fn other_texts_are_refused() {
        assert_eq!(normalised(""), Err(PhoneError::Empty));
        assert_eq!(normalised("+"), Err(PhoneError::Empty));
        assert_eq!(normalised("无"), Err(PhoneError::Character));
        assert_eq!(
            normalised("13800138000/13900139000"),
            Err(PhoneError::Character)
        );
        for raw in [
            "12345",
            "12800138000",
            "1380013800",
            "138001380001",
            "+012345678",
            "99999999999999999999999",
        ] {
            assert_eq!(normalised(raw), Err(PhoneError::Form), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(raw in "(\\+|00)?(86)?0?[1-9][0-9]{6,12}") {
            if let Ok(phone) = PhoneNumber::parse(&raw) {
                prop_assert_eq!(PhoneNumber::parse(phone.normalised()), Ok(phone));
            }
        }

        #[test]
        fn any_text_parses_or_is_refused(raw in any::<String>()) {
            if let Ok(phone) = PhoneNumber::parse(&raw) {
                prop_assert!((8..=16).contains(&phone.normalised().len()));
                let debug = format!("{phone:?}");
                prop_assert!(!debug.contains(&phone.normalised()[3..]));
            }
        }
    }
}
