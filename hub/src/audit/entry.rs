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
    /// Whoever gives the hub's own commands on its machine.
    Operator,
    /// Somebody whose session is none.
    Nobody,
    /// The hub by itself.
    Hub,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    CheckApplication,
    BatchCheck,
    FindPerson,
    WatchMatter,
    ListWatches,
    EndWatch,
    /// A standing question was answered: the notice leaves.
    TellWatch,
    RequestDetails,
    ListDetails,
    RaiseAlarm,
    ListAlarms,
    LiftAlarm,
    PlantHoney,
    RemoveHoney,
    AnswerDetails,
    SignIn,
    SignOut,
    ListRejects,
    ListDuplicates,
    ExportStatistics,
    FreezeReport,
    ReissueReport,
    ExportReport,
    ReadAudit,
    VerifyAudit,
    ListReviews,
    ReadReview,
    DecideReview,
    ConfirmReview,
    DeclineReview,
    WithdrawReview,
    ListFindings,
    ReadFinding,
    TakeFindingStep,
    PlanInspection,
    ListInspections,
    ReadInspection,
    TakeInspectionStep,
    SubmitFiling,
    ListFilings,
    PutProfile,
    AddOffice,
    ChangeOffice,
    RevokeOffice,
    RefuseLateRenewal,
    AllowLateRenewal,
    MakeJoinToken,
    ApproveEnrolment,
    RefuseEnrolment,
    RotateCa,
    ActivateCa,
    RetireCa,
    RestoreDatabase,
    RotateSessionKey,
    ReplaceSessionKeys,
    RotateTokenKey,
    WithdrawTokenKey,
    RetireTokenKey,
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
    ProveAudit,
    PruneAudit,
    RelinkPersons,
    TrainWeights,
    ActivateWeights,
    ExplainPersons,
    /// The first entry of the tree, where it follows a hash chain.
    BeginTree,
    ActivateRules,
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
            Self::Operator => "operator".into(),
            Self::Nobody => "nobody".into(),
            Self::Hub => "hub".into(),
        }
    }
}

impl Action {
    /// The form in which it is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CheckApplication => "lookup.check_application",
            Self::BatchCheck => "lookup.batch_check",
            Self::FindPerson => "lookup.find_person",
            Self::WatchMatter => "lookup.watch_matter",
            Self::ListWatches => "lookup.list_watches",
            Self::EndWatch => "lookup.end_watch",
            Self::TellWatch => "lookup.tell_watch",
            Self::RequestDetails => "details.request",
            Self::ListDetails => "details.list",
            Self::RaiseAlarm => "alarm.raise",
            Self::ListAlarms => "alarm.list",
            Self::LiftAlarm => "alarm.lift",
            Self::PlantHoney => "honey.plant",
            Self::RemoveHoney => "honey.remove",
            Self::AnswerDetails => "details.answer",
            Self::SignIn => "session.create",
            Self::SignOut => "session.delete",
            Self::ListRejects => "reject.list",
            Self::ListDuplicates => "duplicate.list",
            Self::ExportStatistics => "statistics.export",
            Self::FreezeReport => "report.freeze",
            Self::ReissueReport => "report.reissue",
            Self::ExportReport => "report.export",
            Self::ReadAudit => "audit.list",
            Self::VerifyAudit => "audit.verify",
            Self::ListReviews => "review.list",
            Self::ReadReview => "review.read",
            Self::DecideReview => "review.decide",
            Self::ConfirmReview => "review.confirm",
            Self::DeclineReview => "review.decline",
            Self::WithdrawReview => "review.withdraw",
            Self::ListFindings => "supervision.list",
            Self::ReadFinding => "supervision.read",
            Self::TakeFindingStep => "supervision.step",
            Self::PlanInspection => "inspection.plan",
            Self::ListInspections => "inspection.list",
            Self::ReadInspection => "inspection.read",
            Self::TakeInspectionStep => "inspection.step",
            Self::SubmitFiling => "filing.submit",
            Self::ListFilings => "filing.list",
            Self::PutProfile => "office.put_profile",
            Self::AddOffice => "office.add",
            Self::ChangeOffice => "office.change",
            Self::RevokeOffice => "office.revoke",
            Self::RefuseLateRenewal => "office.refuse_late_renewal",
            Self::AllowLateRenewal => "office.allow_late_renewal",
            Self::MakeJoinToken => "enrolment.make_token",
            Self::ApproveEnrolment => "enrolment.approve",
            Self::RefuseEnrolment => "enrolment.refuse",
            Self::RotateCa => "ca.rotate",
            Self::ActivateCa => "ca.activate",
            Self::RetireCa => "ca.retire",
            Self::RestoreDatabase => "database.restored",
            Self::RotateSessionKey => "session_key.rotate",
            Self::ReplaceSessionKeys => "session_key.replace",
            Self::RotateTokenKey => "token_key.rotate",
            Self::WithdrawTokenKey => "token_key.withdraw",
            Self::RetireTokenKey => "token_key.retire",
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
            Self::ProveAudit => "audit.prove",
            Self::PruneAudit => "audit.prune",
            Self::BeginTree => "audit.begin",
            Self::ActivateRules => "rules.activate",
            Self::RelinkPersons => "persons.relink",
            Self::TrainWeights => "persons.train",
            Self::ActivateWeights => "persons.activate",
            Self::ExplainPersons => "persons.explain",
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
    /// What somebody did on no office's behalf.
    pub fn of(actor: Actor, action: Action, outcome: Outcome, detail: Value) -> Self {
        Self {
            actor,
            office_id: None,
            action,
            outcome,
            purpose: None,
            case_reference: None,
            detail,
        }
    }

    /// What a person who signed in did.
    pub fn by(person: &Person, action: Action, outcome: Outcome, detail: Value) -> Self {
        let actor = Actor::Account(person.account_id);
        Self {
            office_id: person.office_id(),
            ..Self::of(actor, action, outcome, detail)
        }
    }
}
