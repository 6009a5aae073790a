//! One entry and its canonical bytes.

use linkage::office::OfficeId;
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::identity::Person;

/// SHA-256 over an entry and everything before it.
pub type ChainHash = [u8; 32];

/// What stands before the first entry.
pub const GENESIS: ChainHash = [0; 32];

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person who signed in.
    Account(Uuid),
    /// An office's certificate, with nobody behind it.
    Office(OfficeId),
    /// Whoever gives the hub's own commands on its machine.
    Operator,
    /// Somebody whose session is none.
    Nobody,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    CheckApplication,
    RequestDetails,
    ListDetails,
    AnswerDetails,
    SignIn,
    SignOut,
    ListRejects,
    ListDuplicates,
    ExportStatistics,
    ReadAudit,
    VerifyAudit,
    ListReviews,
    ReadReview,
    DecideReview,
    ConfirmReview,
    DeclineReview,
    WithdrawReview,
    AddOffice,
    RevokeOffice,
    RefuseLateRenewal,
    AllowLateRenewal,
    MakeJoinToken,
    ApproveEnrolment,
    RefuseEnrolment,
    RotateCa,
    ActivateCa,
    RetireCa,
    RotateSessionKey,
    ReplaceSessionKeys,
    AddAccount,
    ChangePassword,
    ChangeRole,
    DisableAccount,
    EnableAccount,
    EndSessions,
    EnrolSecondFactor,
    ResetSecondFactor,
    LinkProvider,
    UnlinkProvider,
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

/// An entry as it stands in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    pub entry_no: i64,
    pub recorded_at: OffsetDateTime,
    pub actor: String,
    pub office_id: Option<String>,
    pub action: String,
    pub outcome: String,
    pub purpose: Option<String>,
    pub case_reference: Option<String>,
    pub detail: Value,
    pub chain_hash: Vec<u8>,
}

impl Actor {
    /// The form in which it is stored.
    pub fn code(&self) -> String {
        match self {
            Self::Account(account_id) => account_id.to_string(),
            Self::Office(office_id) => format!("office:{office_id}"),
            Self::Operator => "operator".into(),
            Self::Nobody => "nobody".into(),
        }
    }
}

impl Action {
    /// The form in which it is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CheckApplication => "lookup.check_application",
            Self::RequestDetails => "details.request",
            Self::ListDetails => "details.list",
            Self::AnswerDetails => "details.answer",
            Self::SignIn => "session.create",
            Self::SignOut => "session.delete",
            Self::ListRejects => "reject.list",
            Self::ListDuplicates => "duplicate.list",
            Self::ExportStatistics => "statistics.export",
            Self::ReadAudit => "audit.list",
            Self::VerifyAudit => "audit.verify",
            Self::ListReviews => "review.list",
            Self::ReadReview => "review.read",
            Self::DecideReview => "review.decide",
            Self::ConfirmReview => "review.confirm",
            Self::DeclineReview => "review.decline",
            Self::WithdrawReview => "review.withdraw",
            Self::AddOffice => "office.add",
            Self::RevokeOffice => "office.revoke",
            Self::RefuseLateRenewal => "office.refuse_late_renewal",
            Self::AllowLateRenewal => "office.allow_late_renewal",
            Self::MakeJoinToken => "enrolment.make_token",
            Self::ApproveEnrolment => "enrolment.approve",
            Self::RefuseEnrolment => "enrolment.refuse",
            Self::RotateCa => "ca.rotate",
            Self::ActivateCa => "ca.activate",
            Self::RetireCa => "ca.retire",
            Self::RotateSessionKey => "session_key.rotate",
            Self::ReplaceSessionKeys => "session_key.replace",
            Self::AddAccount => "account.add",
            Self::ChangePassword => "account.change_password",
            Self::ChangeRole => "account.change_role",
            Self::DisableAccount => "account.disable",
            Self::EnableAccount => "account.enable",
            Self::EndSessions => "account.end_sessions",
            Self::EnrolSecondFactor => "account.enrol_second_factor",
            Self::ResetSecondFactor => "account.reset_second_factor",
            Self::LinkProvider => "account.link_provider",
            Self::UnlinkProvider => "account.unlink_provider",
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

    /// The entry as number `entry_no` behind `previous`.
    pub fn chained(
        self,
        entry_no: i64,
        recorded_at: OffsetDateTime,
        previous: &ChainHash,
    ) -> Recorded {
        let mut recorded = Recorded {
            entry_no,
            recorded_at: to_microseconds(recorded_at),
            actor: self.actor.code(),
            office_id: self.office_id.map(|office_id| office_id.to_string()),
            action: self.action.code().into(),
            outcome: self.outcome.code().into(),
            purpose: self.purpose.map(Into::into),
            case_reference: self.case_reference,
            detail: self.detail,
            chain_hash: Vec::new(),
        };
        recorded.chain_hash = recorded.hash_behind(previous).to_vec();
        recorded
    }
}

impl Recorded {
    /// What the chain's value is if nothing was changed.
    pub fn hash_behind(&self, previous: &ChainHash) -> ChainHash {
        let mut hash = Sha256::new().chain_update(previous);
        for field in self.fields() {
            match field {
                Some(bytes) => {
                    hash.update([1]);
                    hash.update((bytes.len() as u64).to_be_bytes());
                    hash.update(bytes);
                }
                None => hash.update([0]),
            }
        }
        hash.finalize().into()
    }

    /// Every field as bytes, in an order that never changes. Each is hashed with its length before it, so that
    /// no two different entries give the same input.
    fn fields(&self) -> [Option<Vec<u8>>; 9] {
        let text = |text: &Option<String>| text.as_ref().map(|text| text.as_bytes().to_vec());
        let microseconds = self.recorded_at.unix_timestamp_nanos() / 1000;
        // jsonb keeps no order of keys, so the canonical form has one.
        let mut detail = self.detail.clone();
        detail.sort_all_objects();
        [
            Some(self.entry_no.to_be_bytes().to_vec()),
            Some(microseconds.to_be_bytes().to_vec()),
            Some(self.actor.as_bytes().to_vec()),
            text(&self.office_id),
            Some(self.action.as_bytes().to_vec()),
            Some(self.outcome.as_bytes().to_vec()),
            text(&self.purpose),
            text(&self.case_reference),
            Some(detail.to_string().into_bytes()),
        ]
    }
}

/// PostgreSQL keeps microseconds.
fn to_microseconds(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_nanosecond(at.nanosecond() / 1000 * 1000)
        .expect("fewer nanoseconds than before")
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    fn entry() -> Entry {
        Entry {
            actor: Actor::Nobody,
            office_id: "hzgl".parse().ok(),
            action: Action::CheckApplication,
            outcome: Outcome::NoHit,
            purpose: Some("before_acceptance"),
            case_reference: Some("2024-1".into()),
            detail: json!({"b": 1, "a": ["x"]}),
        }
    }

    fn hash(entry: Entry) -> ChainHash {
        let at = datetime!(2024-08-15 09:00:00.123456789 UTC);
        let recorded = entry.chained(1, at, &GENESIS);
        recorded.hash_behind(&GENESIS)
    }

    #[test]
    fn every_field_and_what_came_before_counts() {
        let base = hash(entry());
        let change = |change: fn(&mut Entry)| {
            let mut changed = entry();
            change(&mut changed);
            hash(changed)
        };
        for other in [
            change(|e| e.actor = Actor::Office("hzgl".parse().expect("an id"))),
            change(|e| e.office_id = None),
            change(|e| e.action = Action::SignIn),
            change(|e| e.outcome = Outcome::Hit),
            change(|e| e.purpose = None),
            change(|e| e.case_reference = Some("2024-2".into())),
            change(|e| e.detail = json!({"b": 2, "a": ["x"]})),
        ] {
            assert_ne!(other, base);
        }
        let at = datetime!(2024-08-15 09:00:00.123456 UTC);
        let second = entry().chained(2, at, &GENESIS);
        assert_ne!(second.hash_behind(&GENESIS), base);
        let behind = entry().chained(1, at, &[1; 32]);
        assert_ne!(behind.hash_behind(&[1; 32]), base);
    }

    #[test]
    fn the_order_of_keys_and_what_a_database_rounds_do_not_count() {
        let mut reordered = entry();
        reordered.detail = json!({"a": ["x"], "b": 1});
        assert_eq!(hash(reordered), hash(entry()));
        let stored = entry().chained(1, datetime!(2024-08-15 09:00:00.123456 UTC), &GENESIS);
        assert_eq!(stored.hash_behind(&GENESIS), hash(entry()));
    }

    #[test]
    fn a_text_does_not_flow_into_its_neighbour() {
        let with = |purpose, reference: &str| {
            let mut entry = entry();
            entry.purpose = purpose;
            entry.case_reference = Some(reference.into());
            hash(entry)
        };
        assert_ne!(with(Some("ab"), "c"), with(Some("a"), "bc"));
        assert_ne!(with(None, "ab"), with(Some(""), "ab"));
    }
}
