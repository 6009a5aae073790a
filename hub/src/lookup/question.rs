//! A question that was parsed, and why one is denied.

use std::fmt;
use std::time::Duration;

use linkage::compare::VerifiedNumber;
use linkage::identifier::IdentifierKind;
use linkage::matter::MatterType;
use linkage::office::OfficeId;
use linkage::place::DistrictCode;
use linkage::subject::SubjectKind;
use linkage::token::Token;
pub use linkage::vocabulary::Purpose;

use linkage::vocabulary::{PartyKind, PartyRole, Sex};
use serde_json::json;
use time::Date;
use uuid::Uuid;

use crate::audit::{Action, Actor, Entry, Outcome};
use crate::identity::Person;
use crate::store::scope::Scope;

/// Parties, and as many subjects, of one question.
pub const MOST_OF_EACH: usize = 16;
/// Parties and subjects of a batch.
pub const MOST_OF_BATCH: usize = 100;
/// Characters of a case reference.
pub const REFERENCE_CHARS: usize = 64;

/// A notary and the office of both the certificate and the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    pub account_id: Uuid,
    /// What the hub's own checks go by.
    pub office_id: OfficeId,
    /// What the database goes by, whatever becomes of `office_id`.
    scope: Scope,
}

impl Asker {
    /// `office_id` is that of the certificate, which has been found to be the person's.
    pub const fn new(person: &Person, office_id: OfficeId) -> Self {
        Self {
            account_id: person.account_id,
            office_id,
            scope: person.scope(),
        }
    }

    /// As whom the database lets the notary read, and whose own cases are told in full.
    pub const fn scope(&self) -> Scope {
        self.scope
    }
}

/// A party to look for: by its number when that is verified, by its description otherwise. It has one of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    pub role: PartyRole,
    pub number: Option<Number>,
    pub description: Option<Description>,
}

/// One of a question's parties or things, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    Party(usize),
    Subject(usize),
}

/// The number of a party's document, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    pub kind: IdentifierKind,
    pub token: Token,
    pub check: NumberCheck,
}

/// Whether the number's check digit holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberCheck {
    Verified,
    /// Matches nothing by itself; segments it has in common with another such number are evidence.
    Unverified {
        segments: Option<[Token; 3]>,
    },
}

/// What else is known of a party. It is compared, and neither shown nor recorded.
#[derive(Clone, PartialEq, Eq)]
pub struct Description {
    pub kind: PartyKind,
    pub name: String,
    pub sex: Option<Sex>,
    pub birth_date: Option<Date>,
    pub phone: Option<Token>,
    pub district: Option<DistrictCode>,
}

/// What a notary wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub purpose: Purpose,
    /// The notary's own case or intake reference.
    pub case_reference: String,
    /// The matter about to be accepted.
    pub matter_type: MatterType,
    pub parties: Vec<Party>,
    pub subjects: Vec<(SubjectKind, Token)>,
    /// ISO 3166-1 alpha-2; `None` when domestic or unknown.
    pub place_of_use: Option<String>,
    /// What becomes of the office's intent to accept the matter; `None` leaves it as it is.
    pub intent: Option<IntentAction>,
}

/// What is done about an office's intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntentAction {
    Register,
    Withdraw,
}

/// Why a question gets no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    #[error("a bearer token of a session is needed")]
    NoSession,
    #[error("only notaries look up through an office")]
    NotANotary,
    #[error("the session is of another office than the certificate")]
    OtherOffice,
    #[error("a look-up needs a purpose")]
    NoPurpose,
    #[error("supervision is the bureau's purpose, not an office's")]
    PurposeOfTheBureau,
    #[error("a look-up needs an own case or intake reference")]
    NoCaseReference,
    #[error("field `{path}` cannot be used")]
    Field {
        path: String,
        expected: &'static str,
    },
    #[error("look-ups are suspended until the bureau has looked at an alarm about them")]
    Suspended,
    #[error(
        "the matter is sealed: of no case of it another office may hear by a standing question"
    )]
    Sealed,
    #[error("this office has put no such standing question")]
    NoSuchWatch,
    #[error("the office has as many standing questions as it may have")]
    TooManyWatches,
    #[error("more look-ups than allowed; come back later")]
    BudgetSpent { retry_after: Duration },
}

impl IntentAction {
    /// The form in which it is recorded.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Withdraw => "withdraw",
        }
    }
}

impl Question {
    /// Roles and tokens of those whose number is verified.
    pub fn verified_parties(&self) -> impl Iterator<Item = (PartyRole, Token)> {
        self.parties
            .iter()
            .filter_map(|party| Some((party.role, party.verified()?.token)))
    }
}

impl Party {
    /// The number, if it is verified.
    pub fn verified(&self) -> Option<VerifiedNumber> {
        let number = self.number?;
        match number.check {
            NumberCheck::Verified => Some(VerifiedNumber {
                kind: number.kind,
                token: number.token,
            }),
            NumberCheck::Unverified { .. } => None,
        }
    }
}

/// Of a person.
impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Description")
    }
}

impl Denial {
    /// What is recorded of it. `office_id` is the certificate's.
    pub fn entry(&self, office_id: OfficeId, actor: Actor, action: Action) -> Entry {
        let mut detail = json!({ "denied": self.code() });
        if let Self::Field { path, .. } = self {
            detail["field"] = path.as_str().into();
        }
        Entry {
            office_id: Some(office_id),
            ..Entry::of(actor, action, Outcome::Denied, detail)
        }
    }

    /// The form in which it is recorded.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSession => "no_session",
            Self::NotANotary => "not_a_notary",
            Self::OtherOffice => "other_office",
            Self::NoPurpose => "no_purpose",
            Self::PurposeOfTheBureau => "purpose_of_the_bureau",
            Self::NoCaseReference => "no_case_reference",
            Self::Field { .. } => "field_invalid",
            Self::Suspended => "suspended",
            Self::Sealed => "sealed",
            Self::NoSuchWatch => "no_such_watch",
            Self::TooManyWatches => "too_many_watches",
            Self::BudgetSpent { .. } => "budget_spent",
        }
    }
}
