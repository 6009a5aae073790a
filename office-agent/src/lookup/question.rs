//! The question, and how its numbers become tokens.

use std::fmt;
use std::str::FromStr;

use linkage::identifier::{IdentifierError, IdentifierKind, ParsedIdentifier};
use linkage::matter::MatterType;
use linkage::subject::{SubjectError, SubjectKind, SubjectNumber};
use linkage::token::TokenKey;
use linkage::vocabulary::PartyRole;
use notary_proto::hub::v1 as wire;
use zeroize::Zeroizing;

use crate::mapping::{Party, PlaceCode};
use crate::minimise;

/// Why somebody looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// 受理前查重.
    BeforeAcceptance,
    /// 办理中核实.
    VerifyingCase,
    /// 复查投诉.
    ReviewOrComplaint,
}

impl FromStr for Purpose {
    type Err = &'static str;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        match code {
            "before_acceptance" => Ok(Self::BeforeAcceptance),
            "verifying_case" => Ok(Self::VerifyingCase),
            "review_or_complaint" => Ok(Self::ReviewOrComplaint),
            _ => Err("expected before_acceptance, verifying_case or review_or_complaint"),
        }
    }
}

impl From<Purpose> for wire::LookupPurpose {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::BeforeAcceptance => Self::BeforeAcceptance,
            Purpose::VerifyingCase => Self::VerifyingCase,
            Purpose::ReviewOrComplaint => Self::ReviewOrComplaint,
        }
    }
}

/// A party as typed in.
#[derive(Clone)]
pub struct RawParty {
    /// Role in the matter about to be accepted.
    pub role: PartyRole,
    /// Kind of document.
    pub kind: IdentifierKind,
    /// Its number.
    pub number: Zeroizing<String>,
}

/// A thing as typed in.
#[derive(Clone)]
pub struct RawSubject {
    /// Kind of thing.
    pub kind: SubjectKind,
    /// Its number.
    pub number: Zeroizing<String>,
}

/// A question as typed in.
pub struct Question {
    /// Why.
    pub purpose: Purpose,
    /// The own case or intake reference.
    pub reference: String,
    /// Matter about to be accepted.
    pub matter: MatterType,
    /// Whom to look for by number.
    pub parties: Vec<RawParty>,
    /// Whom to look for by name and whatever else is known: without a number, or with one whose check digit fails.
    pub persons: Vec<Party>,
    /// What to look for.
    pub subjects: Vec<RawSubject>,
    /// Where the certificate is to be used, when it is abroad and known.
    pub place_of_use: Option<PlaceCode>,
    /// What becomes of the office's intent to accept the matter.
    pub intent: Option<IntentAction>,
}

/// What is done about the office's intent (受理意向).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntentAction {
    /// It stands from now on.
    Register,
    /// It ends.
    Withdraw,
}

impl From<IntentAction> for wire::IntentAction {
    fn from(action: IntentAction) -> Self {
        match action {
            IntentAction::Register => Self::Register,
            IntentAction::Withdraw => Self::Withdraw,
        }
    }
}

/// The numbers typed in are of persons.
macro_rules! shows_nothing {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}
shows_nothing!(RawParty, RawSubject, Question);

/// A number that nothing can be found by. It is not quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// A document number of a party.
    #[error("第 {at} 个当事人的证件号码有误，请核对 (--party {at}: {source})")]
    Party {
        /// Which, from 1.
        at: usize,
        /// Why.
        source: IdentifierError,
    },
    /// A number of a thing.
    #[error("第 {at} 个标的的编号有误，请核对 (--subject {at}: {source})")]
    Subject {
        /// Which, from 1.
        at: usize,
        /// Why.
        source: SubjectError,
    },
}

impl Question {
    /// The question as it is sent: tokens only.
    ///
    /// # Errors
    /// When a number is mistyped: the hub could only answer that nothing was found, which would mislead.
    pub fn tokenised(
        &self,
        key: &TokenKey,
    ) -> Result<wire::CheckApplicationRequest, QuestionError> {
        Ok(wire::CheckApplicationRequest {
            purpose: wire::LookupPurpose::from(self.purpose).into(),
            case_reference: self.reference.clone(),
            matter_type: self.matter.code().to_owned(),
            parties: (1..)
                .zip(&self.parties)
                .map(|(at, raw)| {
                    party(raw, key).map_err(|source| QuestionError::Party { at, source })
                })
                .chain(self.persons.iter().map(|party| Ok(person(party, key))))
                .collect::<Result<_, _>>()?,
            subjects: (1..)
                .zip(&self.subjects)
                .map(|(at, raw)| {
                    subject(raw, key).map_err(|source| QuestionError::Subject { at, source })
                })
                .collect::<Result<_, _>>()?,
            place_of_use: self
                .place_of_use
                .map_or_else(String::new, |place| place.as_str().to_owned()),
            intent: self
                .intent
                .map_or(wire::IntentAction::Unspecified, Into::into)
                .into(),
        })
    }
}

fn party(raw: &RawParty, key: &TokenKey) -> Result<wire::LookupParty, IdentifierError> {
    let identifier = match ParsedIdentifier::parse(raw.kind, &raw.number)? {
        ParsedIdentifier::Verified(identifier) => identifier,
        ParsedIdentifier::Unverified(identifier) => return Err(identifier.reason()),
    };
    Ok(wire::LookupParty {
        role: named::<wire::PartyRole>(
            "PARTY_ROLE_",
            raw.role.code(),
            wire::PartyRole::from_str_name,
        ),
        identifier: Some(wire::IdentifierToken {
            kind: named(
                "IDENTIFIER_KIND_",
                raw.kind.code(),
                wire::IdentifierKind::from_str_name,
            ),
            token: key.identifier(&identifier).as_bytes().to_vec(),
            verified: true,
            masked_tail: identifier.masked_tail().to_owned(),
            segment_tokens: Vec::new(),
        }),
        ..wire::LookupParty::default()
    })
}

fn person(party: &Party, key: &TokenKey) -> wire::LookupParty {
    let wire::Party {
        role,
        kind,
        name,
        identifier,
        sex,
        birth_day,
        phone_token,
        address_district,
    } = minimise::party(party, key);
    wire::LookupParty {
        role,
        identifier,
        kind,
        name,
        sex,
        birth_day,
        phone_token,
        address_district,
    }
}

fn subject(raw: &RawSubject, key: &TokenKey) -> Result<wire::LookupSubject, SubjectError> {
    let number = SubjectNumber::parse(raw.kind, &raw.number)?;
    Ok(wire::LookupSubject {
        kind: named(
            "SUBJECT_KIND_",
            raw.kind.code(),
            wire::SubjectKind::from_str_name,
        ),
        token: key.subject(&number).as_bytes().to_vec(),
    })
}

/// The contract's number of a code: both have the same names, one in capitals behind a prefix.
fn named<T: Into<i32>>(prefix: &str, code: &str, find: fn(&str) -> Option<T>) -> i32 {
    find(&format!("{prefix}{}", code.to_uppercase())).map_or(0, Into::into)
}

#[cfg(test)]
mod tests {
    use linkage::token::TokenAlgorithm;

    use super::*;

    #[test]
    fn every_code_has_its_number_in_the_contract() {
        for role in PartyRole::ALL {
            assert_ne!(
                named("PARTY_ROLE_", role.code(), wire::PartyRole::from_str_name),
                0
            );
        }
        for kind in IdentifierKind::ALL {
            let number = named(
                "IDENTIFIER_KIND_",
                kind.code(),
                wire::IdentifierKind::from_str_name,
            );
            assert_ne!(number, 0);
        }
        for kind in SubjectKind::ALL {
            assert_ne!(
                named(
                    "SUBJECT_KIND_",
                    kind.code(),
                    wire::SubjectKind::from_str_name
                ),
                0
            );
        }
    }

    fn question(number: &str) -> Question {
        Question {
            purpose: Purpose::BeforeAcceptance,
            reference: "2024-0815".to_owned(),
            matter: "mandate".parse().expect("in the catalogue"),
            parties: vec![RawParty {
                role: PartyRole::Principal,
                kind: IdentifierKind::ResidentId,
                number: Zeroizing::new(number.to_owned()),
            }],
            persons: Vec::new(),
            subjects: Vec::new(),
            place_of_use: Some("JP".parse().expect("a place")),
            intent: None,
        }
    }

    #[test]
    fn a_question_carries_tokens_and_no_number() {
        let key = TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32]);
        let sent = question("11010519491231002x")
            .tokenised(&key)
            .expect("a number");
        let bytes = prost::Message::encode_to_vec(&sent);
        assert!(!bytes.windows(8).any(|at| at == b"19491231"));
        assert_eq!(sent.place_of_use, "JP");
        assert_eq!(
            sent.parties[0]
                .identifier
                .as_ref()
                .expect("there")
                .token
                .len(),
            16
        );
    }

    #[test]
    fn a_mistyped_number_is_said_and_not_asked_about() {
        let key = TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32]);
        let error = question("110105194912310021")
            .tokenised(&key)
            .expect_err("check digit");
        assert!(error.to_string().contains("第 1 个当事人"), "{error}");
        assert!(!error.to_string().contains("1949"), "{error}");
    }
}
