//! `DetailsService`: asking the office that holds a case.

use notary_proto::hub::v1 as wire;
use notary_proto::hub::v1::details_service_server::DetailsService;
use notary_proto::hub::v1::{
    AnswerDetailsRequest, AnswerDetailsResponse, ListDetailsRequestsRequest,
    ListDetailsRequestsResponse, RequestDetailsRequest, RequestDetailsResponse,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::error::{audit, database, invalid_field};
use super::lookup::{denied, who};
use super::office_of;
use super::value::{day, timestamp};
use crate::audit::Action;
use crate::details::{
    Answer, Details, DetailsError, Entrusted, FieldError, Outcome, Request as Asked, Side, State,
};
use crate::lookup::Asker;
use crate::refusal::Reason;

const USUAL: u32 = 50;
const MOST: u32 = 200;

/// The service.
#[derive(Debug)]
pub struct DetailsApi {
    details: Details,
}

impl DetailsApi {
    pub fn new(details: Details) -> Self {
        Self { details }
    }

    /// A notary with the certificate of the own office; whoever is denied here is recorded as well.
    async fn notary<T: Sync>(&self, request: &Request<T>, action: Action) -> Result<Asker, Status> {
        let office_id = office_of(request)?.office_id;
        let (actor, asker) = who(office_id, request);
        match asker {
            Ok(asker) => Ok(asker),
            Err(denial) => {
                let recorded = self.details.deny(office_id, actor, action, &denial).await;
                recorded.map_err(|error| audit(&error))?;
                Err(denied(denial))
            }
        }
    }
}

#[tonic::async_trait]
impl DetailsService for DetailsApi {
    async fn request_details(
        &self,
        request: Request<RequestDetailsRequest>,
    ) -> Result<Response<RequestDetailsResponse>, Status> {
        let asker = self.notary(&request, Action::RequestDetails).await?;
        let raw = request.into_inner();
        let asked = Asked::parse(&raw.request_id, raw.audit_entry, raw.hit, &raw.question);
        let due_on = self.details.request(asker, asked.map_err(field)?).await;
        Ok(Response::new(RequestDetailsResponse {
            due_day: day(due_on.map_err(status)?),
        }))
    }

    async fn list_details_requests(
        &self,
        request: Request<ListDetailsRequestsRequest>,
    ) -> Result<Response<ListDetailsRequestsResponse>, Status> {
        let asker = self.notary(&request, Action::ListDetails).await?;
        let raw = request.into_inner();
        let side = match raw.side() {
            wire::DetailsSide::AskedByUs => Side::AskedByUs,
            wire::DetailsSide::AskedOfUs => Side::AskedOfUs,
            wire::DetailsSide::Unspecified => return Err(invalid_field("side", "a known side")),
        };
        let behind = match raw.cursor.as_str() {
            "" => None,
            cursor => Some(
                Uuid::parse_str(cursor)
                    .map_err(|_| invalid_field("cursor", "the next_cursor of a page before"))?,
            ),
        };
        let limit = match raw.limit {
            0 => USUAL,
            1..=MOST => raw.limit,
            _ => return Err(invalid_field("limit", "1 to 200")),
        };
        let found = self.details.list(asker, side, behind, i64::from(limit) + 1);
        let mut found = found.await.map_err(status)?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        Ok(Response::new(ListDetailsRequestsResponse {
            next_cursor: found
                .last()
                .filter(|_| more)
                .map_or_else(String::new, |last| last.request_id.to_string()),
            requests: found.into_iter().map(entrusted).collect(),
        }))
    }

    async fn answer_details(
        &self,
        request: Request<AnswerDetailsRequest>,
    ) -> Result<Response<AnswerDetailsResponse>, Status> {
        let asker = self.notary(&request, Action::AnswerDetails).await?;
        let raw = request.into_inner();
        let outcome = match raw.outcome() {
            wire::DetailsOutcome::Verified => Outcome::Verified,
            wire::DetailsOutcome::CannotVerify => Outcome::CannotVerify,
            wire::DetailsOutcome::Unspecified => {
                return Err(invalid_field("outcome", "a known outcome"));
            }
        };
        let answer = Answer::parse(&raw.request_id, outcome, &raw.answer).map_err(field)?;
        let answered_at = self.details.answer(asker, answer).await.map_err(status)?;
        Ok(Response::new(AnswerDetailsResponse {
            answered_at: Some(timestamp(answered_at)),
        }))
    }
}

fn entrusted(request: Entrusted) -> wire::DetailsRequest {
    let state = match request.state {
        State::Open => wire::DetailsState::Open,
        State::Overdue => wire::DetailsState::Overdue,
        State::Answered(Outcome::Verified) => wire::DetailsState::Verified,
        State::Answered(Outcome::CannotVerify) => wire::DetailsState::CannotVerify,
    };
    wire::DetailsRequest {
        request_id: request.request_id.to_string(),
        asking_office: request.asking_office.to_string(),
        asking_office_name: request.asking_office_name,
        case_reference: request.case_reference,
        holding_office: request
            .holding_office
            .map_or_else(String::new, |office| office.to_string()),
        holding_office_name: request.holding_office_name,
        source_case_id: request.source_case_id.unwrap_or_default(),
        case_no: request.case_no.unwrap_or_default(),
        matter_type: request
            .matter_type
            .map_or_else(String::new, |matter| matter.code().to_owned()),
        question: request.question,
        state: state.into(),
        asked_at: Some(timestamp(request.asked_at)),
        due_day: day(request.due_on),
        answer: request.answer.unwrap_or_default(),
        answered_at: request.answered_at.map(timestamp),
    }
}

fn field(error: FieldError) -> Status {
    let because = error.to_string();
    error
        .reason
        .because(because)
        .field(error.field, error.expected)
        .into()
}

fn status(error: DetailsError) -> Status {
    let message = error.to_string();
    match error {
        DetailsError::NotTold => Reason::DetailsNotTold.because(message).into(),
        DetailsError::NoSuchRequest => Reason::DetailsUnknown.because(message).into(),
        DetailsError::Answered => Reason::DetailsAnswered.because(message).into(),
        DetailsError::IdTaken => Reason::FieldInvalid
            .because(message)
            .field("request_id", "a UUID of its own for each request")
            .into(),
        DetailsError::TooManyOpen => Reason::RateLimited.because(message).into(),
        DetailsError::Database(problem) => database(&problem),
        DetailsError::Audit(problem) => audit(&problem),
    }
}
