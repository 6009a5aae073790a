//! `LookupService`: what a notary asks before accepting, with the office's certificate and the notary's session.

use std::sync::Arc;

use linkage::office::OfficeId;
use linkage::token::Token;
use notary_proto::hub::v1 as wire;
use notary_proto::hub::v1::lookup_service_server::LookupService;
use notary_proto::hub::v1::{CheckApplicationRequest, CheckApplicationResponse};
use tonic::{Request, Response, Status};

use super::error::{audit, database};
use super::lookup_answer::response;
use super::{bearer_of, office_of};
use crate::audit::Actor;
use crate::identity::{Role, Sessions};
use crate::ingest::decode::code;
use crate::lookup::question::{MOST_OF_EACH, Party, REFERENCE_CHARS};
use crate::lookup::{Asker, Denial, IntentAction, Lookup, LookupError, Purpose, Question};
use crate::refusal::Reason;

/// The service.
#[derive(Debug)]
pub struct LookupApi {
    lookup: Arc<Lookup>,
    sessions: Arc<Sessions>,
}

impl LookupApi {
    pub fn new(lookup: Arc<Lookup>, sessions: Arc<Sessions>) -> Self {
        Self { lookup, sessions }
    }
}

#[tonic::async_trait]
impl LookupService for LookupApi {
    async fn check_application(
        &self,
        request: Request<CheckApplicationRequest>,
    ) -> Result<Response<CheckApplicationResponse>, Status> {
        let office_id = office_of(&request)?.office_id;
        let session = bearer_of(&request).map(|token| self.sessions.verify(token));
        let (actor, asker) = match session {
            Some(Ok(person)) => (
                Actor::Account(person.account_id),
                asker(office_id, person.account_id, person.role),
            ),
            _ => (Actor::Office(office_id), Err(Denial::NoSession)),
        };
        let question = asker.and_then(|asker| Ok((asker, question(request.into_inner())?)));
        let result = match question {
            Ok((asker, question)) => self.lookup.check(asker, question).await,
            Err(denial) => Err(self.lookup.deny(office_id, actor, denial).await),
        };
        result.map(response).map_err(status).map(Response::new)
    }
}

/// A notary speaks through the certificate of the own office alone.
pub(super) fn asker(
    office_id: OfficeId,
    account_id: uuid::Uuid,
    role: Role,
) -> Result<Asker, Denial> {
    match role {
        Role::Notary(of) if of == office_id => Ok(Asker::new(account_id, office_id)),
        Role::Notary(_) => Err(Denial::OtherOffice),
        Role::Analyst | Role::Supervisor | Role::Operator => Err(Denial::NotANotary),
    }
}

fn question(request: CheckApplicationRequest) -> Result<Question, Denial> {
    let purpose = purpose(request.purpose)?;
    let case_reference = case_reference(&request.case_reference)?;
    let matter_type = request
        .matter_type
        .parse()
        .map_err(|_| field("matter_type", "a code of the catalogue"))?;
    if request.parties.is_empty() && request.subjects.is_empty() {
        return Err(field("parties", "at least one party or subject"));
    }
    if request.parties.len() > MOST_OF_EACH {
        return Err(field("parties", "at most 16"));
    }
    if request.subjects.len() > MOST_OF_EACH {
        return Err(field("subjects", "at most 16"));
    }
    let parties = request.parties.into_iter().enumerate();
    let subjects = request.subjects.into_iter().enumerate();
    Ok(Question {
        purpose,
        case_reference,
        matter_type,
        parties: parties.map(party).collect::<Result<_, _>>()?,
        subjects: subjects.map(subject).collect::<Result<_, _>>()?,
        place_of_use: place_of_use(request.place_of_use)?,
        intent: intent(request.intent, purpose)?,
    })
}

fn purpose(number: i32) -> Result<Purpose, Denial> {
    match wire::LookupPurpose::try_from(number) {
        Ok(wire::LookupPurpose::BeforeAcceptance) => Ok(Purpose::BeforeAcceptance),
        Ok(wire::LookupPurpose::VerifyingCase) => Ok(Purpose::VerifyingCase),
        Ok(wire::LookupPurpose::ReviewOrComplaint) => Ok(Purpose::ReviewOrComplaint),
        Ok(wire::LookupPurpose::Supervision) => Err(Denial::PurposeOfTheBureau),
        Ok(wire::LookupPurpose::Unspecified) | Err(_) => Err(Denial::NoPurpose),
    }
}

fn case_reference(text: &str) -> Result<String, Denial> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Denial::NoCaseReference);
    }
    let fits = text.chars().count() <= REFERENCE_CHARS && !text.contains(char::is_control);
    match fits {
        true => Ok(text.to_owned()),
        false => Err(field(
            "case_reference",
            "1 to 64 characters, none of them a control character",
        )),
    }
}

/// Only who is about to accept has an intent.
fn intent(number: i32, purpose: Purpose) -> Result<Option<IntentAction>, Denial> {
    let action = match wire::IntentAction::try_from(number) {
        Ok(wire::IntentAction::Unspecified) => return Ok(None),
        Ok(wire::IntentAction::Register) => IntentAction::Register,
        Ok(wire::IntentAction::Withdraw) => IntentAction::Withdraw,
        Err(_) => return Err(field("intent", "a known action")),
    };
    match purpose {
        Purpose::BeforeAcceptance => Ok(Some(action)),
        Purpose::VerifyingCase | Purpose::ReviewOrComplaint => {
            Err(field("intent", "unspecified, unless before acceptance"))
        }
    }
}

fn place_of_use(code: String) -> Result<Option<String>, Denial> {
    match code.as_bytes() {
        [] => Ok(None),
        [b'A'..=b'Z', b'A'..=b'Z'] => Ok(Some(code)),
        _ => Err(field(
            "place_of_use",
            "two capital letters of ISO 3166-1, or empty",
        )),
    }
}

fn party((index, party): (usize, wire::LookupParty)) -> Result<Party, Denial> {
    let at = |name: &str| format!("parties[{index}].{name}");
    let identifier = party
        .identifier
        .ok_or_else(|| field(at("identifier"), "present"))?;
    Ok(Party {
        role: code::party_role(party.role).ok_or_else(|| field(at("role"), "a known role"))?,
        kind: code::identifier_kind(identifier.kind)
            .ok_or_else(|| field(at("identifier.kind"), "a known kind"))?,
        token: token(&identifier.token, || at("identifier.token"))?,
        verified: identifier.verified,
    })
}

fn subject(
    (index, subject): (usize, wire::LookupSubject),
) -> Result<(linkage::subject::SubjectKind, Token), Denial> {
    let at = |name: &str| format!("subjects[{index}].{name}");
    let kind = code::subject_kind(subject.kind).ok_or_else(|| field(at("kind"), "a known kind"))?;
    Ok((kind, token(&subject.token, || at("token"))?))
}

fn token(bytes: &[u8], path: impl FnOnce() -> String) -> Result<Token, Denial> {
    Token::try_from(bytes).map_err(|_| field(path(), "16 bytes"))
}

fn field(path: impl Into<String>, expected: &'static str) -> Denial {
    Denial::Field {
        path: path.into(),
        expected,
    }
}

fn status(error: LookupError) -> Status {
    match error {
        LookupError::Denied(denial) => denied(denial),
        LookupError::Database(error) => database(&error),
        LookupError::Audit(error) => audit(&error),
    }
}

pub(super) fn denied(denial: Denial) -> Status {
    let message = denial.to_string();
    match denial {
        Denial::NoSession => Reason::Unauthenticated.because(message),
        Denial::NotANotary | Denial::PurposeOfTheBureau => {
            Reason::PermissionDenied.because(message)
        }
        Denial::OtherOffice => Reason::OfficeMismatch.because(message),
        Denial::NoPurpose => Reason::PurposeRequired.because(message),
        Denial::NoCaseReference => Reason::CaseReferenceRequired.because(message),
        Denial::Field { path, expected } => {
            Reason::FieldInvalid.because(message).field(path, expected)
        }
        Denial::BudgetSpent { retry_after } => Reason::RateLimited
            .because(message)
            .retry_after(retry_after),
    }
    .into()
}
