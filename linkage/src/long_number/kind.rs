//! What some groups of a row could be: the number of a document, of a phone or of a bank card.

use super::row::{Group, is_day};
use crate::identifier::{IdentifierError, IdentifierKind, ParsedIdentifier, is_eighteen};
use crate::place::is_province;

/// No number that is looked for has more digits.
pub(super) const MOST: usize = 19;

/// Groups that are read as one number.
pub(super) struct Written<'a> {
    groups: &'a [Group],
    text: String,
    sizes: Vec<usize>,
    /// Nothing, or no more than a place in a list, stands before them.
    begins: bool,
}

impl<'a> Written<'a> {
    pub(super) fn new(groups: &'a [Group], begins: bool) -> Self {
        let texts = groups.iter().map(|group| group.text.as_str());
        Self {
            groups,
            text: texts.clone().collect(),
            sizes: texts.map(str::len).collect(),
            begins,
        }
    }

    pub(super) fn digits(&self) -> usize {
        self.text.len()
    }

    pub(super) fn is_somebodys(&self) -> bool {
        self.is_eighteen()
            || (!self.text.ends_with('X')
                && (self.is_fifteen() || self.is_mobile() || self.is_landline() || self.is_card()))
    }

    /// GB 11643, and the cards of the same form. In the groups that people write its parts in, a wrong check digit is a
    /// slip of the pen.
    fn is_eighteen(&self) -> bool {
        let is_area = |area| is_province(area / 10_000) || area / 10_000 == 83 || area >= 900_000;
        match is_eighteen(&self.text, is_area) {
            Ok(()) => true,
            // Those that begin with 9 may be a company's.
            Err(IdentifierError::CheckCharacter) if !self.text.starts_with('9') => matches!(
                self.sizes.as_slice(),
                [18] | [17, 1] | [6, 8, 4] | [6, 8, 3, 1] | [6, 12] | [14, 4] | [14, 3, 1]
            ),
            Err(_) => false,
        }
    }

    /// The cards of before 1999, which have no check digit.
    fn is_fifteen(&self) -> bool {
        let read = || ParsedIdentifier::parse(IdentifierKind::ResidentId, &self.text);
        matches!(self.sizes.as_slice(), [15] | [6, 6, 3])
            && matches!(read(), Ok(ParsedIdentifier::Verified(_)))
    }

    fn is_mobile(&self) -> bool {
        let number = ["86", "0086"]
            .iter()
            .filter_map(|prefix| self.text.strip_prefix(prefix))
            .find(|rest| rest.len() == 11)
            .unwrap_or(&self.text);
        let form = matches!(number.as_bytes(), [b'1', b'3'..=b'9', ..]) && number.len() == 11;
        let written = match self.sizes.as_slice() {
            [3, pairs @ ..] if pairs.iter().all(|size| *size == 2) => true,
            sizes => sizes.iter().all(|size| *size >= 3) || sizes.iter().all(|size| *size == 1),
        };
        form && written && !self.has_day() && !is_day(&self.groups[0].text)
    }

    /// With its area code: eight digits alone are anything.
    fn is_landline(&self) -> bool {
        let area = match self.text.as_bytes() {
            [b'0', b'1', b'0', ..] | [b'0', b'2', ..] => 3,
            [b'0', b'3'..=b'9', ..] => 4,
            _ => return false,
        };
        let number = self.text.get(area..).unwrap_or_default();
        let form = matches!(number.as_bytes(), [b'2'..=b'8', ..])
            && (number.len() == 8 || (number.len() == 7 && area == 4));
        let written = match self.sizes.as_slice() {
            [_] => true,
            [first, 7 | 8] | [first, 3 | 4, 4] => *first == area,
            _ => false,
        };
        self.begins && form && written && !self.has_day()
    }

    /// Beginnings of the cards that banks here issue, with the check digit of ISO/IEC 7812 (Luhn).
    fn is_card(&self) -> bool {
        let issued = match self.text.as_bytes() {
            [b'4', ..] | [b'5', b'1'..=b'5', ..] | [b'6', b'0' | b'2', ..] => true,
            [b'3', b'4'..=b'7', ..] => true,
            other => other.starts_with(b"9558"),
        };
        let written = match self.sizes.as_slice() {
            [_] | [6, _] => true,
            [front @ .., _] => front.iter().all(|size| *size == 4),
            [] => false,
        };
        let form = (16..=MOST).contains(&self.text.len());
        form && issued && written && !self.has_day() && keeps_luhn(&self.text)
    }

    fn has_day(&self) -> bool {
        self.groups.iter().any(|group| group.is_day)
    }
}

fn keeps_luhn(digits: &str) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let digits = digits.bytes().rev().map(|digit| u32::from(digit - b'0'));
    let sum: u32 = digits
        .enumerate()
        .map(|(at, digit)| if at % 2 == 1 { doubled(digit) } else { digit })
        .sum();
    sum.is_multiple_of(10)
}
