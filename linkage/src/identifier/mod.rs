//! Numbers of identity documents: one kind, one file, each with the standard it follows.
//!
//! Parsing never loses a number. One that keeps its standard becomes an [`Identifier`]; one that does not
//! (a mistyped digit, a wrong kind) becomes an [`UnverifiedIdentifier`] with the reason, so that the case goes on
//! and the office is told.

mod credit_code;
mod passport;
mod permanent_resident;
mod permit;
mod residence_permit;
mod resident_id;
mod suggest;

use std::{fmt, ops::Range};

use time::Date;
use zeroize::Zeroizing;

use crate::{
    text::{
        half_width, is_closing, is_dash, is_invisible, is_middle_dot, is_opening, recognisable_tail,
    },
    vocabulary::{Sex, vocabulary},
};

pub use credit_code::check_character as credit_code_check_character;
pub use resident_id::check_character as resident_id_check_character;
pub(crate) use resident_id::is_eighteen;
pub use suggest::{Slip, Suggestion, suggest};

vocabulary! {
    /// Kind of identity document (证件种类).
    IdentifierKind, "identifier_kind" {
        /// GB 11643.
        ResidentId = "resident_id" "居民身份证",
        HongKongMacaoPermit = "hong_kong_macao_permit" "港澳居民来往内地通行证",
        TaiwanPermit = "taiwan_permit" "台湾居民来往大陆通行证",
        ResidencePermit = "residence_permit" "港澳台居民居住证",
        ForeignPermanentResident = "foreign_permanent_resident" "外国人永久居留身份证",
        Passport = "passport" "护照",
        /// GB 32100.
        CreditCode = "credit_code" "统一社会信用代码",
    }
}

/// What is wrong with a number. No variant carries the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum IdentifierError {
    /// Nothing but spaces and separators.
    #[error("the identifier is empty")]
    Empty,
    /// More than [`MAX_CHARS`] characters.
    #[error("the identifier is longer than {MAX_CHARS} characters")]
    TooLong,
    /// A control character inside: a broken file rather than a mistyped number.
    #[error("the identifier contains a control character")]
    ControlCharacter,
    /// What people type where they have no number: 无, 0, 12345678, a row of ones. Everybody who has the same filler would
    /// have the same number.
    #[error("the identifier is a filler and no number")]
    Filler,
    /// Length or characters are not those of the kind.
    #[error("the identifier does not have the form of its kind")]
    Form,
    /// The area code is none a card of this kind can carry.
    #[error("the identifier's area code is not one of its kind")]
    Area,
    /// The birth date is no day of the calendar.
    #[error("the identifier's birth date is not in the calendar")]
    BirthDate,
    /// The check character does not follow from the others.
    #[error("the identifier's check character does not fit")]
    CheckCharacter,
}

impl IdentifierError {
    /// Stable code for quality findings.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::ControlCharacter => "control_character",
            Self::Filler => "filler",
            Self::Form => "form",
            Self::Area => "area",
            Self::BirthDate => "birth_date",
            Self::CheckCharacter => "check_character",
        }
    }

    /// What is wrong, in a few words, Chinese.
    #[must_use]
    pub const fn label_zh(self) -> &'static str {
        match self {
            Self::Empty => "为空",
            Self::TooLong => "过长",
            Self::ControlCharacter => "含控制字符",
            Self::Filler => "占位内容，不是号码",
            Self::Form => "位数或字符不符",
            Self::Area => "地区代码不存在",
            Self::BirthDate => "出生日期不存在",
            Self::CheckCharacter => "校验位不符",
        }
    }
}

/// Longest raw text that is looked at, in characters.
pub const MAX_CHARS: usize = 64;

/// A number that keeps the standard of its kind. `Debug` does not show it; the memory is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Identifier {
    kind: IdentifierKind,
    number: Zeroizing<String>,
    birth_date: Option<Date>,
    sex: Option<Sex>,
}

/// A number that does not keep the standard of its kind. It never takes part in exact matching.
#[derive(Clone, PartialEq, Eq)]
pub struct UnverifiedIdentifier {
    kind: IdentifierKind,
    number: Zeroizing<String>,
    reason: IdentifierError,
}

/// What became of a raw number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParsedIdentifier {
    /// It keeps its standard.
    Verified(Identifier),
    /// It does not; the reason stands with it.
    Unverified(UnverifiedIdentifier),
}

impl ParsedIdentifier {
    /// Reads a number as an office wrote it: full-width forms, lower case, spaces, dashes, brackets, quotes and
    /// invisible characters are normalised away before its standard is checked.
    ///
    /// # Errors
    /// `Empty`, `Filler`, `TooLong` and `ControlCharacter`, when there is nothing to keep; any other fault is
    /// [`ParsedIdentifier::Unverified`].
    pub fn parse(kind: IdentifierKind, raw: &str) -> Result<Self, IdentifierError> {
        let number = normalise(raw)?;
        if is_filler(&number) {
            return Err(IdentifierError::Filler);
        }
        let checked = match kind {
            IdentifierKind::ResidentId => resident_id::check(&number),
            IdentifierKind::HongKongMacaoPermit => permit::check_hong_kong_macao(&number),
            IdentifierKind::TaiwanPermit => permit::check_taiwan(&number),
            IdentifierKind::ResidencePermit => residence_permit::check(&number),
            IdentifierKind::ForeignPermanentResident => permanent_resident::check(&number),
            IdentifierKind::Passport => passport::check(&number),
            IdentifierKind::CreditCode => credit_code::check(&number),
        };
        Ok(match checked {
            // H00000000 with renewal digits behind it.
            Ok(Checked { number, .. }) if is_filler(&number) => {
                return Err(IdentifierError::Filler);
            }
            Ok(Checked {
                number,
                birth_date,
                sex,
            }) => Self::Verified(Identifier {
                kind,
                number,
                birth_date,
                sex,
            }),
            Err(reason) => Self::Unverified(UnverifiedIdentifier {
                kind,
                number,
                reason,
            }),
        })
    }

    /// Kind of document.
    #[must_use]
    pub fn kind(&self) -> IdentifierKind {
        match self {
            Self::Verified(identifier) => identifier.kind,
            Self::Unverified(identifier) => identifier.kind,
        }
    }

    /// Up to four last characters, for people to recognise it by.
    #[must_use]
    pub fn masked_tail(&self) -> &str {
        match self {
            Self::Verified(identifier) => identifier.masked_tail(),
            Self::Unverified(identifier) => identifier.masked_tail(),
        }
    }

    /// The identifier, when it keeps its standard.
    #[must_use]
    pub fn verified(&self) -> Option<&Identifier> {
        match self {
            Self::Verified(identifier) => Some(identifier),
            Self::Unverified(_) => None,
        }
    }
}

impl Identifier {
    /// Kind of document.
    #[must_use]
    pub fn kind(&self) -> IdentifierKind {
        self.kind
    }

    /// The number in the form that is equal for every way of writing it.
    #[must_use]
    pub fn normalised(&self) -> &str {
        &self.number
    }

    /// Up to four last characters, for people to recognise it by.
    #[must_use]
    pub fn masked_tail(&self) -> &str {
        recognisable_tail(&self.number, TAIL_CHARS)
    }

    /// The holder's birth date, where the number states it.
    #[must_use]
    pub fn birth_date(&self) -> Option<Date> {
        self.birth_date
    }

    /// The holder's sex, where the number states it.
    #[must_use]
    pub fn sex(&self) -> Option<Sex> {
        self.sex
    }
}

impl UnverifiedIdentifier {
    /// Kind of document it was said to be.
    #[must_use]
    pub fn kind(&self) -> IdentifierKind {
        self.kind
    }

    /// The number with widths, case and separators normalised, and nothing else.
    #[must_use]
    pub fn normalised(&self) -> &str {
        &self.number
    }

    /// Up to four last characters, for people to recognise it by.
    #[must_use]
    pub fn masked_tail(&self) -> &str {
        recognisable_tail(&self.number, TAIL_CHARS)
    }

    /// Why it is not verified.
    #[must_use]
    pub fn reason(&self) -> IdentifierError {
        self.reason
    }

    /// Area+birth, birth+order and order+check of a resident ID of 18 characters: one mistyped character
    /// leaves at least one of them whole. `None` for any other number, and for one that ends in 0000 or XXXX: somebody
    /// knew the birth date and not the number, and so would it end for a twin.
    #[must_use]
    pub fn segments(&self) -> Option<[&str; 3]> {
        const SEGMENTS: [Range<usize>; 3] = [0..14, 6..17, 14..18];
        let cuts = self.kind == IdentifierKind::ResidentId
            && self.number.len() == 18
            && self.number.is_ascii()
            && !is_one_character(&self.number.as_bytes()[14..]);
        cuts.then(|| SEGMENTS.map(|segment| &self.number[segment]))
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identifier")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for UnverifiedIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedIdentifier")
            .field("kind", &self.kind)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

const TAIL_CHARS: usize = 4;

/// What a kind's check makes of a normalised number: its canonical form and what it states about the holder.
struct Checked {
    number: Zeroizing<String>,
    birth_date: Option<Date>,
    sex: Option<Sex>,
}

impl Checked {
    /// A number that states nothing about its holder.
    fn bare(number: &str) -> Self {
        Self {
            number: Zeroizing::new(number.to_owned()),
            birth_date: None,
            sex: None,
        }
    }
}

fn normalise(raw: &str) -> Result<Zeroizing<String>, IdentifierError> {
    let raw = raw.trim();
    // Four bytes are the longest character, so this bounds the work before characters are counted.
    if raw.len() > 4 * MAX_CHARS || raw.chars().count() > MAX_CHARS {
        return Err(IdentifierError::TooLong);
    }
    if raw.contains(char::is_control) {
        return Err(IdentifierError::ControlCharacter);
    }
    let mut number = Zeroizing::new(String::with_capacity(raw.len()));
    number.extend(
        raw.chars()
            .map(half_width)
            .filter(|&c| !is_separator(c))
            .map(canonical),
    );
    if number.is_empty() {
        Err(IdentifierError::Empty)
    } else {
        Ok(number)
    }
}

/// Fewest letters and digits of a number.
const LEAST_CHARS: usize = 5;

/// No digit, or too little to be a number; one character again and again, or one digit after the other, behind a letter or
/// not; what a spreadsheet leaves of a long number (`3.30106E+17`).
fn is_filler(number: &str) -> bool {
    let chars = number.chars().filter(char::is_ascii_alphanumeric).count();
    if chars < LEAST_CHARS || !number.contains(|c: char| c.is_ascii_digit()) {
        return true;
    }
    let digits = number.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let is_row = is_one_character(digits.as_bytes()) || counts_up(digits.as_bytes());
    number.contains("E+") || (digits.len() >= LEAST_CHARS && is_row)
}

fn is_one_character(text: &[u8]) -> bool {
    text.windows(2).all(|pair| pair[0] == pair[1])
}

/// 12345678, 0123456789, and on behind the 9.
fn counts_up(text: &[u8]) -> bool {
    let next = |digit: u8| match digit {
        b'0'..=b'8' => Some(digit + 1),
        b'9' => Some(b'0'),
        _ => None,
    };
    matches!(text, [b'0' | b'1', ..]) && text.windows(2).all(|pair| next(pair[0]) == Some(pair[1]))
}

/// What people and spreadsheets put between, around or before digits.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || is_invisible(c)
        || is_dash(c)
        || is_middle_dot(c)
        || is_opening(c)
        || is_closing(c)
        || matches!(
            c,
            '.' | ',' | '/' | '\\' | '_' | '\'' | '"' | '`' | '‘' | '’' | '“' | '”'
        )
}

/// Upper case, and Latin X for the characters typed in its place (GB 11643 prints the Roman numeral).
fn canonical(c: char) -> char {
    match c {
        '×' | 'Ⅹ' | 'ⅹ' | 'Х' | 'х' | 'Χ' | 'χ' => 'X',
        _ => c.to_ascii_uppercase(),
    }
}

/// The digits' value at `range`, which the caller has checked to hold ASCII digits only.
fn number_at(number: &str, range: Range<usize>) -> u32 {
    number.as_bytes()[range]
        .iter()
        .fold(0, |value, digit| value * 10 + u32::from(digit - b'0'))
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
