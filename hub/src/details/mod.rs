//! Entrusted verification (委托核实): what a look-up does not tell is asked of the office that holds the case.
//!
//! A request rests on a look-up of the same notary that told of the case, named by its receipt: so it has a purpose, a
//! case reference and an audit entry, and reaches no case that the disclosure rules did not show. 公证法 art. 29;
//! 公证程序规则 art. 33: a month for the answer.
//!
//! Of a matter of which no more than a hit is told, the asking office asks without hearing whom: whose case it is, and
//! what it is about, stays the holding office's to say.

use linkage::long_number;
use linkage::matter::{MatterType, Shown};
use linkage::office::OfficeId;
use serde_json::json;
use sqlx::PgPool;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::audit::{Action, Actor, Audit, AuditError, Entry, Outcome as Recorded};
use crate::lookup::{Asker, Denial, disclosure};
use crate::refusal::Reason;
use crate::rules::Rules;
use crate::store::lookup::details::{self as store, Asked, NewRequest};

/// Characters of a question.
const QUESTION_CHARS: usize = 2000;
/// Characters of an answer.
const ANSWER_CHARS: usize = 4000;
/// Requests that one office may have waiting for an answer.
pub const MOST_OPEN: i64 = 200;

/// Asks, lists and answers on behalf of notaries.
#[derive(Clone, Debug)]
pub struct Details {
    pool: PgPool,
    audit: Audit,
    rules: Rules,
}

/// A question to the office that holds a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub request_id: Uuid,
    /// Audit entry of the look-up.
    pub audit_entry: i64,
    /// Which of its hits, from 0.
    pub hit: i32,
    pub question: String,
}

/// Which requests of an office.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    AskedByUs,
    AskedOfUs,
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Verified,
    CannotVerify,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Open,
    Overdue,
    Answered(Outcome),
}

/// A request as both offices see it.
#[derive(Clone, Debug)]
pub struct Entrusted {
    pub request_id: Uuid,
    pub asking_office: OfficeId,
    pub asking_office_name: String,
    pub case_reference: String,
    /// As far as the asking office may be told of the case.
    pub holding_office: Option<OfficeId>,
    pub holding_office_name: String,
    /// For the holding office alone.
    pub source_case_id: Option<String>,
    pub case_no: Option<String>,
    pub matter_type: Option<MatterType>,
    pub question: String,
    pub state: State,
    pub asked_at: OffsetDateTime,
    pub due_on: Date,
    pub answer: Option<String>,
    pub answered_at: Option<OffsetDateTime>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub request_id: Uuid,
    pub outcome: Outcome,
    pub text: String,
}

/// A field that cannot be used: its name, and what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` must be {expected}")]
pub struct FieldError {
    pub reason: Reason,
    pub field: &'static str,
    pub expected: &'static str,
}

impl FieldError {
    const fn new(field: &'static str, expected: &'static str) -> Self {
        Self {
            reason: Reason::FieldInvalid,
            field,
            expected,
        }
    }
}

/// Why something is not done.
#[derive(Debug, thiserror::Error)]
pub enum DetailsError {
    #[error("no look-up of this notary in the last 24 hours told of such a case of another office")]
    NotTold,
    #[error("the office has {MOST_OPEN} requests waiting for an answer")]
    TooManyOpen,
    #[error("this office was asked no such request")]
    NoSuchRequest,
    #[error("the request was answered already")]
    Answered,
    #[error("another request has this id")]
    IdTaken,
    #[error("store the request: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl Request {
    /// Checks a request as it came.
    pub fn parse(
        request_id: &str,
        audit_entry: u64,
        hit: u32,
        question: &str,
    ) -> Result<Self, FieldError> {
        let error = FieldError::new;
        Ok(Self {
            request_id: id(request_id)?,
            audit_entry: i64::try_from(audit_entry)
                .map_err(|_| error("audit_entry", "a receipt's number"))?,
            hit: i32::try_from(hit).map_err(|_| error("hit", "the place of a hit"))?,
            question: text(question, QUESTION_CHARS)
                .map_err(|reason| told("question", "1 to 2000 printable characters", reason))?,
        })
    }
}

impl Answer {
    /// Checks an answer as it came.
    pub fn parse(request_id: &str, outcome: Outcome, answer: &str) -> Result<Self, FieldError> {
        Ok(Self {
            request_id: id(request_id)?,
            outcome,
            text: text(answer, ANSWER_CHARS)
                .map_err(|reason| told("answer", "1 to 4000 printable characters", reason))?,
        })
    }
}

impl Details {
    pub fn new(pool: PgPool, audit: Audit, rules: Rules) -> Self {
        Self { pool, audit, rules }
    }

    /// Asks the office that holds the case. Returns the last day for its answer.
    pub async fn request(&self, asker: Asker, request: Request) -> Result<Date, DetailsError> {
        let mut reading = asker.scope().read(&self.pool).await?;
        let told = store::told(&mut reading, asker, request.audit_entry, request.hit).await?;
        drop(reading);
        let told = told.filter(|told| told.holding_office != asker.office_id);
        let detail = json!({
            "request": request.request_id,
            "look_up": request.audit_entry,
            "case": told.as_ref().map(|told| json!([told.holding_office.as_str(), told.source_case_id])),
        });
        let Some(told) = told else {
            self.record(asker, Action::RequestDetails, Recorded::Denied, detail)
                .await?;
            return Err(DetailsError::NotTold);
        };
        // Recorded first: a request that is not recorded is not made; one recorded and then not made harms nobody.
        self.record(asker, Action::RequestDetails, Recorded::Done, detail)
            .await?;
        let new = NewRequest {
            request_id: request.request_id,
            asker,
            audit_entry: request.audit_entry,
            told: &told,
            question: &request.question,
        };
        let (refused, why) = match store::insert(&self.pool, &new, MOST_OPEN).await? {
            Asked::Due(day) => return Ok(day),
            Asked::IdTaken => (DetailsError::IdTaken, "id_taken"),
            Asked::TooManyOpen => (DetailsError::TooManyOpen, "too_many_open"),
        };
        // What was recorded as done was not.
        let detail = json!({ "request": request.request_id, "denied": why });
        self.record(asker, Action::RequestDetails, Recorded::Denied, detail)
            .await?;
        Err(refused)
    }

    /// Records that somebody was denied before there was a request. `office_id` is the certificate's.
    pub async fn deny(
        &self,
        office_id: OfficeId,
        actor: Actor,
        action: Action,
        denial: &Denial,
    ) -> Result<(), AuditError> {
        let entry = denial.entry(office_id, actor, action);
        self.audit.append(entry).await.map(drop)
    }

    /// Up to `most` requests of the asker's office behind one, the newest first.
    pub async fn list(
        &self,
        asker: Asker,
        side: Side,
        behind: Option<Uuid>,
        most: i64,
    ) -> Result<Vec<Entrusted>, DetailsError> {
        let mut reading = asker.scope().read(&self.pool).await?;
        let mut found = store::list(&mut reading, asker.office_id, side, behind, most).await?;
        let ids: Vec<Uuid> = found.iter().map(|request| request.request_id).collect();
        let detail = json!({ "side": side.code(), "requests": ids });
        self.record(asker, Action::ListDetails, Recorded::Done, detail)
            .await?;
        if side == Side::AskedByUs {
            let rules = self.rules.current();
            let kept = |matter| disclosure::shown(&rules, matter) == Shown::Hit;
            for request in &mut found {
                if request.matter_type.is_some_and(kept) {
                    request.conceal();
                }
            }
        }
        Ok(found)
    }

    /// Answers a request that the asker's office was asked.
    pub async fn answer(
        &self,
        asker: Asker,
        answer: Answer,
    ) -> Result<OffsetDateTime, DetailsError> {
        let mut reading = asker.scope().read(&self.pool).await?;
        let state = store::state(&mut reading, asker.office_id, answer.request_id).await?;
        drop(reading);
        let refused = match state {
            None => Some(DetailsError::NoSuchRequest),
            Some(State::Answered(_)) => Some(DetailsError::Answered),
            Some(State::Open | State::Overdue) => None,
        };
        let outcome = match refused {
            None => Recorded::Done,
            Some(_) => Recorded::Denied,
        };
        let detail = json!({ "request": answer.request_id, "outcome": answer.outcome.code() });
        self.record(asker, Action::AnswerDetails, outcome, detail)
            .await?;
        if let Some(refused) = refused {
            return Err(refused);
        }
        if let Some(at) = store::answer(&self.pool, asker, &answer).await? {
            return Ok(at);
        }
        // A colleague was quicker: what was recorded as done was not.
        let detail = json!({ "request": answer.request_id, "denied": "answered" });
        self.record(asker, Action::AnswerDetails, Recorded::Denied, detail)
            .await?;
        Err(DetailsError::Answered)
    }

    async fn record(
        &self,
        asker: Asker,
        action: Action,
        outcome: Recorded,
        detail: serde_json::Value,
    ) -> Result<(), AuditError> {
        let entry = Entry {
            office_id: Some(asker.office_id),
            ..Entry::of(Actor::Account(asker.account_id), action, outcome, detail)
        };
        self.audit.append(entry).await.map(drop)
    }
}

impl Entrusted {
    /// Leaves nothing by which the case would be known.
    fn conceal(&mut self) {
        self.holding_office = None;
        self.holding_office_name.clear();
        self.case_no = None;
        self.matter_type = None;
    }
}

impl Side {
    const fn code(self) -> &'static str {
        match self {
            Self::AskedByUs => "asked_by_us",
            Self::AskedOfUs => "asked_of_us",
        }
    }
}

impl Outcome {
    /// The form in which it is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::CannotVerify => "cannot_verify",
        }
    }
}

impl State {
    /// Of a request due on `due_on`, on a day in Asia/Shanghai.
    pub fn on(today: Date, due_on: Date, outcome: Option<Outcome>) -> Self {
        match outcome {
            Some(outcome) => Self::Answered(outcome),
            None if due_on < today => Self::Overdue,
            None => Self::Open,
        }
    }
}

fn id(text: &str) -> Result<Uuid, FieldError> {
    Uuid::parse_str(text).map_err(|_| FieldError::new("request_id", "a UUID"))
}

/// A text without control characters but line breaks and tabs, and without anybody's numbers: the case is named beside it.
fn text(raw: &str, most: usize) -> Result<String, Reason> {
    let text = raw.trim();
    let printable = |char: char| !char.is_control() || matches!(char, '\n' | '\r' | '\t');
    let fits = !text.is_empty() && text.chars().count() <= most && text.chars().all(printable);
    match fits {
        false => Err(Reason::FieldInvalid),
        true if long_number::is_in(text) => Err(Reason::NumberInText),
        true => Ok(text.to_owned()),
    }
}

fn told(field: &'static str, fits: &'static str, reason: Reason) -> FieldError {
    match reason {
        Reason::NumberInText => FieldError {
            reason,
            field,
            expected: "a text without phone or document numbers",
        },
        _ => FieldError::new(field, fits),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_request_is_overdue_from_the_day_behind_its_last() {
        let due = date!(2024 - 05 - 06);
        assert_eq!(State::on(due, due, None), State::Open);
        assert_eq!(State::on(date!(2024 - 05 - 07), due, None), State::Overdue);
        let answered = Some(Outcome::Verified);
        let state = State::on(date!(2024 - 06 - 01), due, answered);
        assert_eq!(state, State::Answered(Outcome::Verified));
    }

    #[test]
    fn a_field_that_cannot_be_used_is_named() {
        let id = Uuid::nil().to_string();
        let field = |request: Result<Request, FieldError>| request.map_err(|error| error.field);
        assert_eq!(field(Request::parse("x", 1, 0, "问")), Err("request_id"));
        assert_eq!(
            field(Request::parse(&id, u64::MAX, 0, "问")),
            Err("audit_entry")
        );
        assert_eq!(field(Request::parse(&id, 1, u32::MAX, "问")), Err("hit"));
        for question in ["", "  ", "a\0b", &"问".repeat(2001)] {
            assert_eq!(field(Request::parse(&id, 1, 0, question)), Err("question"));
        }
        assert!(Request::parse(&id, 1, 0, &"问".repeat(2000)).is_ok());
        assert!(Answer::parse(&id, Outcome::Verified, "属实。\n见卷。").is_ok());
    }

    #[test]
    fn nobodys_number_goes_to_another_office() {
        let id = Uuid::nil().to_string();
        let said = "当事人身份证号 11010519491231002X 是否属实？";
        let asked = Request::parse(&id, 1, 0, said).expect_err("a number");
        let answered = Answer::parse(&id, Outcome::Verified, said).expect_err("a number");
        for error in [asked, answered] {
            assert_eq!(error.reason, Reason::NumberInText);
            assert!(!error.to_string().contains("110105"));
        }
    }
}
