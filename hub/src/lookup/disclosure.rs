//! What of the city's cases a question opens, and how much of each is told: as the rules in force say it for each matter.
//!
//! A matter may be closed to a question, because of its purpose or for want of a reference to an own case, or sealed
//! until the question is about another matter: a will (遗嘱) is told of to nobody but who settles an estate and names
//! the testator as its decedent, or as the testator of the will the estate passes by. The wills of heirs stay sealed.

use linkage::matter::{Disclosure, MatterType, RuleSet, Shown};
use linkage::token::Token;
use linkage::vocabulary::Purpose;

use super::question::Question;
use crate::store::lookup::{Opened, Wanted};

/// What may be looked for on behalf of a question.
pub fn wanted(rules: &RuleSet, question: &Question) -> Wanted {
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
    let (mut closed, mut opened) = (Vec::new(), Vec::new());
    for matter in MatterType::all() {
        match admitting(rules, question, matter) {
            Some(disclosure) if disclosure.sealed_until.is_none() => {}
            Some(disclosure) => {
                closed.push(matter);
                opened.extend(unsealed(matter, disclosure, question));
            }
            None => closed.push(matter),
        }
    }
    Wanted {
        party_tokens,
        subject_tokens,
        closed,
        opened,
        cases: Vec::new(),
    }
}

/// What is told of the matter, if anything is for the question's purpose and reference.
fn admitting<'a>(
    rules: &'a RuleSet,
    question: &Question,
    matter_type: MatterType,
) -> Option<&'a Disclosure> {
    rules.disclosure(matter_type).filter(|disclosure| {
        disclosure.admits(question.purpose, Some(question.case_reference.as_str()))
    })
}

/// Matters of which another office's intent is not told. An intent says where, and what is sealed opens with a case
/// alone.
pub fn untold_intents(rules: &RuleSet, question: &Question) -> Vec<MatterType> {
    MatterType::all()
        .filter(|matter| {
            is_withheld(rules, *matter) || admitting(rules, question, *matter).is_none()
        })
        .collect()
}

/// Whose cases of a sealed matter the question opens.
fn unsealed<'a>(
    matter_type: MatterType,
    disclosure: &'a Disclosure,
    question: &'a Question,
) -> impl Iterator<Item = Opened> + 'a {
    let opening = disclosure.sealed_until.as_ref();
    opening
        .filter(|opening| opening.about == question.matter_type)
        .into_iter()
        .flat_map(move |opening| {
            question
                .verified_parties()
                .filter(|(role, _)| opening.named_as.contains(role))
                .flat_map(move |(_, token)| {
                    opening.holder.iter().map(move |&holder| Opened {
                        matter_type,
                        holder,
                        token,
                    })
                })
        })
}

/// How much of a case of the matter is told.
pub fn shown(rules: &RuleSet, matter_type: MatterType) -> Shown {
    rules
        .disclosure(matter_type)
        .map_or(Shown::Hit, |disclosure| disclosure.shows)
}

/// Whether where a case of the matter is, and what it is, is kept from other offices that have nothing to do with it.
pub fn is_withheld(rules: &RuleSet, matter_type: MatterType) -> bool {
    rules.disclosure(matter_type).is_none_or(|disclosure| {
        disclosure.sealed_until.is_some() || disclosure.shows == Shown::Hit
    })
}

/// Whether the parties of another office's case of the matter are shown to whoever compares persons: they are names, and
/// it is the own case beside them that is verified.
pub fn is_reviewable(rules: &RuleSet, matter_type: MatterType) -> bool {
    const OWN_CASE: Option<&str> = Some("the own case of the pair");
    rules.disclosure(matter_type).is_some_and(|disclosure| {
        disclosure.shows == Shown::Names
            && disclosure.sealed_until.is_none()
            && disclosure.admits(Purpose::VerifyingCase, OWN_CASE)
    })
}

/// The matters of which that is not so.
pub fn unreviewable(rules: &RuleSet) -> Vec<MatterType> {
    MatterType::all()
        .filter(|matter| !is_reviewable(rules, *matter))
        .collect()
}

/// Whether an office with a case of `own` is shown another office's case of `other` beside it: not when a hit is all that
/// may be told, nor what is sealed to the own matter.
pub fn is_comparable(rules: &RuleSet, own: MatterType, other: MatterType) -> bool {
    rules
        .disclosure(other)
        .is_some_and(|disclosure| disclosure.shows != Shown::Hit && disclosure.is_open_to(own))
}

/// Pairs of matters, the own before the other office's, of which that is not so.
pub fn incomparable(rules: &RuleSet) -> Vec<(MatterType, MatterType)> {
    MatterType::all()
        .flat_map(|own| MatterType::all().map(move |other| (own, other)))
        .filter(|(own, other)| !is_comparable(rules, *own, *other))
        .collect()
}

/// Sealed matters, each with the one that a case must be of for its office to know of them.
pub fn seals(rules: &RuleSet) -> Vec<(MatterType, MatterType)> {
    MatterType::all()
        .filter_map(|matter| {
            let opening = rules.disclosure(matter)?.sealed_until.as_ref()?;
            Some((matter, opening.about))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use linkage::identifier::IdentifierKind;
    use linkage::vocabulary::PartyRole;

    use super::*;
    use crate::lookup::question::{Number, NumberCheck, Party, Purpose};
    use crate::rules::Edition;

    fn matter(code: &str) -> MatterType {
        code.parse().expect("a code of the catalogue")
    }

    fn question(matter_type: &str, roles: &[(PartyRole, u8, bool)]) -> Question {
        Question {
            purpose: Purpose::BeforeAcceptance,
            case_reference: "1".into(),
            matter_type: matter(matter_type),
            parties: roles
                .iter()
                .map(|&(role, number, verified)| Party {
                    role,
                    number: Some(Number {
                        kind: IdentifierKind::ResidentId,
                        token: Token::from([number; 16]),
                        check: match verified {
                            true => NumberCheck::Verified,
                            false => NumberCheck::Unverified { segments: None },
                        },
                    }),
                    description: None,
                })
                .collect(),
            subjects: Vec::new(),
            place_of_use: None,
            intent: None,
        }
    }

    fn wanted(question: &Question) -> Wanted {
        super::wanted(&Edition::shipped().rules, question)
    }

    fn opened_wills(question: &Question) -> Vec<Token> {
        let opened = wanted(question).opened.into_iter();
        opened
            .filter(|opened| opened.matter_type == matter("will"))
            .map(|opened| opened.token)
            .collect()
    }

    #[test]
    fn wills_and_what_is_kept_are_closed_whatever_is_asked() {
        for code in ["will", "inheritance", "mandate"] {
            let closed = wanted(&question(code, &[])).closed;
            assert!(closed.contains(&matter("will")) && closed.contains(&matter("safekeeping")));
            assert!(!closed.contains(&matter("mandate")));
        }
    }

    #[test]
    fn a_matter_is_closed_to_a_purpose_that_is_not_its() {
        let mut question = question("mandate", &[]);
        assert!(
            !wanted(&question)
                .closed
                .contains(&matter("criminal_record"))
        );
        question.purpose = Purpose::VerifyingCase;
        assert!(
            wanted(&question)
                .closed
                .contains(&matter("criminal_record"))
        );
        question.case_reference.clear();
        assert_eq!(wanted(&question).closed.len(), MatterType::all().len());
    }

    #[test]
    fn persons_are_reviewed_where_names_may_be_told_to_verify_a_case() {
        let rules = Edition::shipped().rules;
        assert!(is_reviewable(&rules, matter("mandate")));
        for code in ["birth", "criminal_record", "adoption", "will"] {
            assert!(!is_reviewable(&rules, matter(code)), "{code}");
        }
    }

    #[test]
    fn a_will_is_heard_of_by_an_inheritance_alone() {
        let (will, inheritance) = (matter("will"), matter("inheritance"));
        assert!(seals(&Edition::shipped().rules).contains(&(will, inheritance)));
    }

    #[test]
    fn only_an_inheritance_opens_the_wills_of_its_decedent_alone() {
        let parties = [
            (PartyRole::Decedent, 1, true),
            (PartyRole::Heir, 2, true),
            (PartyRole::Testator, 3, true),
            (PartyRole::Decedent, 4, false),
        ];
        let opened = opened_wills(&question("inheritance", &parties));
        assert_eq!(opened, [Token::from([1; 16]), Token::from([3; 16])]);
        assert!(opened_wills(&question("mandate", &parties)).is_empty());
    }

    #[test]
    fn a_number_that_is_not_verified_is_not_looked_for() {
        let parties = [(PartyRole::Heir, 1, false), (PartyRole::Heir, 2, true)];
        let wanted = wanted(&question("inheritance", &parties));
        assert_eq!(wanted.party_tokens, [Token::from([2; 16])]);
    }

    #[test]
    fn little_is_told_of_an_adoption() {
        let rules = Edition::shipped().rules;
        assert_eq!(shown(&rules, matter("adoption")), Shown::Hit);
        assert_eq!(shown(&rules, matter("birth")), Shown::Case);
        assert_eq!(shown(&rules, matter("mandate")), Shown::Names);
    }
}
