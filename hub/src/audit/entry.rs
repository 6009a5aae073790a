//! What is to be recorded.

use linkage::office::OfficeId;
use serde_json::Value;
use uuid::Uuid;

use crate::identity::Person;

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person who signed in.
    Account(Uuid),
    /// An office's certificate, with nobody behind it.
    Office(OfficeId),
    /// Somebody whose session is none.
    Nobody,
    /// Whoever may run the hub's commands.
    Operator,
    /// The hub by itself.
    Hub,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    CheckApplication,
    SignIn,
    ListRejects,
    ListDuplicates,
    ExportStatistics,
    ReadAudit,
    VerifyAudit,
    ProveAudit,
    PruneAudit,
    /// The first entry of the tree, where it follows a hash chain.
    BeginTree,
    /// A request that the person's role does not allow.
    Request,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Hit,
    NoHit,
    Denied,
    Done,
}

/// What is to be recorded. Texts hold no control characters; `detail` holds tokens in hex and codes, never a
/// name or a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub actor: Actor,
    /// Office on whose behalf.
    pub office_id: Option<OfficeId>,
    pub action: Action,
    pub outcome: Outcome,
    pub purpose: Option<&'static str>,
    pub case_reference: Option<String>,
    pub detail: Value,
}

impl Actor {
    /// The form in which it is stored.
    pub fn code(&self) -> String {
        match self {
            Self::Account(account_id) => account_id.to_string(),
            Self::Office(office_id) => format!("office:{office_id}"),
            Self::Nobody => "nobody".into(),
            Self::Operator => "operator".into(),
            Self::Hub => "hub".into(),
        }
    }
}

impl Action {
    /// The form in which it is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CheckApplication => "lookup.check_application",
            Self::SignIn => "session.create",
            Self::ListRejects => "reject.list",
            Self::ListDuplicates => "duplicate.list",
            Self::ExportStatistics => "statistics.export",
            Self::ReadAudit => "audit.list",
            Self::VerifyAudit => "audit.verify",
            Self::ProveAudit => "audit.prove",
            Self::PruneAudit => "audit.prune",
            Self::BeginTree => "audit.begin",
            Self::Request => "request",
        }
    }
}

impl Outcome {
    /// The form in which it is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::NoHit => "no_hit",
            Self::Denied => "denied",
            Self::Done => "done",
        }
    }
}

impl Entry {
    /// What a person who signed in did.
    pub fn by(person: &Person, action: Action, outcome: Outcome, detail: Value) -> Self {
        Self {
            actor: Actor::Account(person.account_id),
            office_id: person.office_id(),
            action,
            outcome,
            purpose: None,
            case_reference: None,
            detail,
        }
    }
}
