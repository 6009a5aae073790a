//! `FilingService`: what offices hand in that is not a case.

use notary_proto::hub::v1::filing_service_server::FilingService;
use notary_proto::hub::v1::{self as wire, SubmitFilingRequest, SubmitFilingResponse};
use tonic::{Request, Response, Status};

use super::error::{database, invalid_field};
use super::office_of;
use super::value::{day, timestamp};
use crate::filing::body::Body;
use crate::filing::{self, Filing, FilingError, FilingKind, Raw, SubmitError};
use crate::refusal::Reason;
use crate::supervision::worker::Supervision;

/// The service.
#[derive(Debug)]
pub struct FilingApi {
    supervision: Supervision,
}

impl FilingApi {
    pub fn new(supervision: Supervision) -> Self {
        Self { supervision }
    }
}

#[tonic::async_trait]
impl FilingService for FilingApi {
    async fn submit_filing(
        &self,
        request: Request<SubmitFilingRequest>,
    ) -> Result<Response<SubmitFilingResponse>, Status> {
        let office = office_of(&request)?;
        let request = request.into_inner();
        let kind = kind(request.kind())?;
        let body = Body::parse(kind, &request.detail).map_err(field)?;
        let raw = Raw {
            filing_id: request.filing_id,
            source_case_id: request.source_case_id,
            text: request.text,
        };
        let filing = Filing::parse(office.office_id, body, raw, None).map_err(field)?;
        let Supervision {
            pool,
            rules,
            calendar,
        } = &self.supervision;
        let receipt = filing::submit(pool, office.scope(), rules, calendar, &filing)
            .await
            .map_err(refused)?;
        Ok(Response::new(SubmitFilingResponse {
            recorded_at: Some(timestamp(receipt.recorded_at)),
            due_day: receipt.due_on.map(day),
            late: receipt.late,
        }))
    }
}

fn field(error: FilingError) -> Status {
    invalid_field(&error.field, error.expected)
}

fn refused(error: SubmitError) -> Status {
    match error {
        SubmitError::Field(error) => field(error),
        SubmitError::NothingToClose => invalid_field(
            "detail.about",
            "an earlier complaint or review of the office",
        ),
        SubmitError::Database(error) => database(&error),
    }
}

fn kind(kind: wire::FilingKind) -> Result<FilingKind, Status> {
    match kind {
        wire::FilingKind::MajorCaseReport => Ok(FilingKind::MajorCaseReport),
        wire::FilingKind::Refusal => Ok(FilingKind::Refusal),
        wire::FilingKind::Instruction => Ok(FilingKind::Instruction),
        wire::FilingKind::Complaint => Ok(FilingKind::Complaint),
        wire::FilingKind::Review => Ok(FilingKind::Review),
        wire::FilingKind::Outcome => Ok(FilingKind::Outcome),
        wire::FilingKind::Accountability => Ok(FilingKind::Accountability),
        wire::FilingKind::Satisfaction => Ok(FilingKind::Satisfaction),
        wire::FilingKind::QualityFollowUp => Ok(FilingKind::QualityFollowUp),
        wire::FilingKind::ServiceCounts => Ok(FilingKind::ServiceCounts),
        wire::FilingKind::SpecialPaper => Ok(FilingKind::SpecialPaper),
        wire::FilingKind::Recusal => Ok(FilingKind::Recusal),
        wire::FilingKind::SelfAssessment => Ok(FilingKind::SelfAssessment),
        wire::FilingKind::Unspecified => Err(Reason::FilingKindUnknown
            .because("the filing is of no known kind")
            .field("kind", "a known kind of filing")
            .into()),
    }
}
