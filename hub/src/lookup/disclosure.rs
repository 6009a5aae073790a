//! What of the city's cases a question opens.
//!
//! A will (遗嘱) is sealed: while its testator may live, not even its existence is told. A look-up that is about
//! an inheritance names the testator as the decedent, or as the testator of the will the estate passes by, and
//! opens the wills of that person alone; the wills of heirs stay sealed. That the testator has died is the
//! notary's word, for which purpose, case reference and audit entry stand.

use linkage::matter::MatterType;
use linkage::token::Token;
use linkage::vocabulary::PartyRole;

use super::question::Question;
use crate::store::lookup::Wanted;

/// Code of the matter that is sealed.
pub const SEALED: &str = "will";
/// Code of the matter that opens it.
pub const OPENS: &str = "inheritance";

/// Whether an office with a case of `own` may hear that another office has one of `other` about the same matter.
pub fn is_open_to(own: MatterType, other: MatterType) -> bool {
    other != matter(SEALED) || own == matter(OPENS)
}

/// Whether a case of `matter` is told to no other office by itself.
pub fn is_sealed(matter_type: MatterType) -> bool {
    matter_type == matter(SEALED)
}

/// What may be looked for on behalf of a question.
pub fn wanted(question: &Question) -> Wanted {
    let mut party_tokens: Vec<Token> = question
        .verified_parties()
        .map(|(_, token)| token)
        .collect();
    party_tokens.sort_unstable();
    party_tokens.dedup();
    let mut subject_tokens: Vec<Token> =
        question.subjects.iter().map(|(_, token)| *token).collect();
    subject_tokens.sort_unstable();
    subject_tokens.dedup();
    Wanted {
        party_tokens,
        subject_tokens,
        sealed: vec![sealed()],
        decedents: decedents(question),
    }
}

fn decedents(question: &Question) -> Vec<Token> {
    if question.matter_type != matter(OPENS) {
        return Vec::new();
    }
    question
        .verified_parties()
        .filter(|(role, _)| matches!(role, PartyRole::Decedent | PartyRole::Testator))
        .map(|(_, token)| token)
        .collect()
}

/// The matter whose cases and intents are sealed.
pub fn sealed() -> MatterType {
    matter(SEALED)
}

fn matter(code: &str) -> MatterType {
    code.parse().expect("a test looks it up in the catalogue")
}

#[cfg(test)]
mod tests {
    use linkage::identifier::IdentifierKind;

    use super::*;
    use crate::lookup::question::{Party, Purpose};

    fn question(matter_type: &str, roles: &[(PartyRole, u8, bool)]) -> Question {
        Question {
            purpose: Purpose::BeforeAcceptance,
            case_reference: "1".into(),
            matter_type: matter(matter_type),
            parties: roles
                .iter()
                .map(|&(role, number, verified)| Party {
                    role,
                    kind: IdentifierKind::ResidentId,
                    token: Token::from([number; 16]),
                    verified,
                })
                .collect(),
            subjects: Vec::new(),
            place_of_use: None,
            intent: None,
        }
    }

    #[test]
    fn wills_are_sealed_whatever_is_asked() {
        for code in [SEALED, OPENS, "mandate"] {
            assert_eq!(wanted(&question(code, &[])).sealed, [matter(SEALED)]);
        }
    }

    #[test]
    fn a_will_is_heard_of_by_an_inheritance_alone() {
        let (will, inheritance) = (matter(SEALED), matter(OPENS));
        assert!(!is_open_to(will, will));
        assert!(!is_open_to(matter("mandate"), will));
        assert!(is_open_to(inheritance, will));
        assert!(is_open_to(will, inheritance));
    }

    #[test]
    fn only_an_inheritance_opens_the_wills_of_its_decedent_alone() {
        let parties = [
            (PartyRole::Decedent, 1, true),
            (PartyRole::Heir, 2, true),
            (PartyRole::Testator, 3, true),
            (PartyRole::Decedent, 4, false),
        ];
        let opened = wanted(&question(OPENS, &parties)).decedents;
        assert_eq!(opened, [Token::from([1; 16]), Token::from([3; 16])]);
        assert!(wanted(&question("mandate", &parties)).decedents.is_empty());
    }

    #[test]
    fn a_number_that_is_not_verified_is_not_looked_for() {
        let parties = [(PartyRole::Heir, 1, false), (PartyRole::Heir, 2, true)];
        let wanted = wanted(&question(OPENS, &parties));
        assert_eq!(wanted.party_tokens, [Token::from([2; 16])]);
    }
}
