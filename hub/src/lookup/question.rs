//! A question that was parsed, and why one is denied.

use std::time::Duration;

use linkage::identifier::IdentifierKind;
use linkage::matter::MatterType;
use linkage::office::OfficeId;
use linkage::subject::SubjectKind;
use linkage::token::Token;
pub use linkage::vocabulary::Purpose;

use linkage::vocabulary::PartyRole;
use uuid::Uuid;

use crate::identity::Role;
use crate::store::scope::Scope;

/// Parties, and as many subjects, of one question.
pub const MOST_OF_EACH: usize = 16;
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
    pub const fn new(account_id: Uuid, office_id: OfficeId) -> Self {
        Self {
            account_id,
            office_id,
            scope: Scope::of(Role::Notary(office_id)),
        }
    }

    /// As whom the database lets the notary read.
    pub const fn scope(&self) -> Scope {
        self.scope
    }
}

/// A party to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    pub role: PartyRole,
    pub kind: IdentifierKind,
    pub token: Token,
    /// Whether the number's check digit holds. Others are recorded and match nothing.
    pub verified: bool,
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
            .filter(|party| party.verified)
            .map(|party| (party.role, party.token))
    }
}

impl Denial {
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
            Self::BudgetSpent { .. } => "budget_spent",
        }
    }
}
