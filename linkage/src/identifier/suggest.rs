//! Numbers that a number failing its check may have been meant to be.
//!
//! For the office that holds the document, and for nobody else: a suggestion is put beside what was typed, and a
//! clerk who looks at the card takes it or not. Several numbers fit almost every slip, so none is ever put in its
//! place by a program.

use super::{Identifier, ParsedIdentifier, UnverifiedIdentifier};

/// One slip that explains a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slip {
    /// Two neighbours changed places; the first stands at this place, counted from zero.
    Transposed(usize),
    /// The character at this place is another.
    WrongCharacter(usize),
}

/// A number with the slip that would have made the typed one of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The number that keeps its standard.
    pub identifier: Identifier,
    /// What would have happened to it.
    pub slip: Slip,
}

/// Every number of the same kind that keeps its standard and is one wrong character or one swap of neighbours away
/// from the typed one: swaps first, then by place. None for kinds without a check character, for which any number
/// would do. Narrow them by the birth date and sex that the office has beside the number.
///
/// ```
/// use linkage::identifier::{IdentifierKind, ParsedIdentifier, suggest};
///
/// let ParsedIdentifier::Unverified(typed) =
///     ParsedIdentifier::parse(IdentifierKind::ResidentId, "11010519491231020X")?
/// else {
///     panic!("its check character does not fit");
/// };
/// let fits = suggest(&typed);
/// assert!(fits.iter().any(|fit| fit.identifier.masked_tail() == "002X"));
/// # Ok::<_, linkage::identifier::IdentifierError>(())
/// ```
#[must_use]
pub fn suggest(typed: &UnverifiedIdentifier) -> Vec<Suggestion> {
    const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    // The kinds with a check character have 18.
    if typed.number.len() != 18 || !typed.number.is_ascii() {
        return Vec::new();
    }
    let number = typed.number.as_bytes();
    let swaps = (0..number.len() - 1).map(|at| {
        let mut swapped = zeroize::Zeroizing::new(number.to_vec());
        swapped.swap(at, at + 1);
        (Slip::Transposed(at), swapped)
    });
    let replacements = (0..number.len()).flat_map(|at| {
        ALPHABET
            .iter()
            .filter(move |&&other| other != number[at])
            .map(move |&other| {
                let mut replaced = zeroize::Zeroizing::new(number.to_vec());
                replaced[at] = other;
                (Slip::WrongCharacter(at), replaced)
            })
    });
    swaps
        .chain(replacements)
        .filter_map(|(slip, candidate)| {
            let candidate = std::str::from_utf8(&candidate).ok()?;
            match ParsedIdentifier::parse(typed.kind, candidate).ok()? {
                ParsedIdentifier::Verified(identifier) => Some(Suggestion { identifier, slip }),
                ParsedIdentifier::Unverified(_) => None,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::identifier::{
        IdentifierKind,
        samples::{credit_code, resident_id},
    };

    fn typed(kind: IdentifierKind, number: &str) -> Option<UnverifiedIdentifier> {
        match ParsedIdentifier::parse(kind, number) {
            Ok(ParsedIdentifier::Unverified(unverified)) => Some(unverified),
            _ => None,
        }
    }

    #[test]
    fn kinds_without_a_check_character_get_no_suggestion() {
        let passport = typed(IdentifierKind::Passport, "护照E1234").expect("not its form");
        assert!(suggest(&passport).is_empty());
        let short = typed(IdentifierKind::ResidentId, "3301061990").expect("too short");
        assert!(suggest(&short).is_empty());
    }

    proptest! {
        #[test]
        fn the_number_meant_is_among_the_suggestions(number in resident_id(), at in 0usize..17, digit in b'0'..=b'9') {
            let mut slipped = number.clone().into_bytes();
            slipped[at] = digit;
            let slipped = String::from_utf8(slipped).expect("ASCII");
            prop_assume!(slipped != number);
            let unverified = typed(IdentifierKind::ResidentId, &slipped).expect("one wrong digit never fits");
            let fits = suggest(&unverified);
            let meant = fits.iter().find(|fit| fit.identifier.normalised() == number);
            prop_assert_eq!(meant.map(|fit| fit.slip), Some(Slip::WrongCharacter(at)));
        }

        #[test]
        fn two_digits_that_changed_places_are_suggested_back(number in resident_id(), at in 0usize..16) {
            let mut slipped = number.clone().into_bytes();
            slipped.swap(at, at + 1);
            let slipped = String::from_utf8(slipped).expect("ASCII");
            prop_assume!(slipped != number);
            let unverified = typed(IdentifierKind::ResidentId, &slipped).expect("a swap never fits");
            prop_assert!(suggest(&unverified).iter().any(|fit| fit.identifier.normalised() == number));
        }

        #[test]
        fn every_suggestion_keeps_its_standard_and_is_one_slip_away(code in credit_code(), at in 8usize..17) {
            let mut slipped = code.into_bytes();
            slipped[at] = if slipped[at] == b'7' { b'8' } else { b'7' };
            let slipped = String::from_utf8(slipped).expect("ASCII");
            let Some(unverified) = typed(IdentifierKind::CreditCode, &slipped) else { return Ok(()) };
            for fit in suggest(&unverified) {
                let apart = fit.identifier.normalised().bytes().zip(slipped.bytes()).filter(|(a, b)| a != b).count();
                prop_assert_eq!(apart, match fit.slip { Slip::Transposed(_) => 2, Slip::WrongCharacter(_) => 1 });
            }
        }
    }
}
