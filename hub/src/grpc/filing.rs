//! `FilingService`: what offices hand in that is not a case. An agent hands it in by itself, or for a notary whose session
//! it passes on: a form of the console that holds numbers of documents.

use notary_proto::hub::v1::filing_service_server::FilingService;
use notary_proto::hub::v1::{self as wire, SubmitFilingRequest, SubmitFilingResponse};
use tonic::{Request, Response, Status};

use super::error::{audit, database, invalid_field};
use super::lookup::{denied, who};
use super::office_of;
use super::token_key::told_by;
use super::value::{day, timestamp};
use crate::audit::{Action, Audit};
use crate::filing::body::Body;
use crate::filing::{self, Filing, FilingError, FilingKind, Raw, SubmitError};
use crate::identity::Person;
use crate::refusal::{Reason, Refusal};
use crate::supervision::worker::Supervision;

/// The service.
#[derive(Debug)]
pub struct FilingApi {
    supervision: Supervision,
    audit: Audit,
}

impl FilingApi {
    pub fn new(supervision: Supervision, audit: Audit) -> Self {
        Self { supervision, audit }
    }

    /// Who filled the form in: a notary of the certificate's office, or nobody when no session came along. Whoever is denied
    /// here is recorded.
    async fn notary<T: Sync>(&self, request: &Request<T>) -> Result<Option<Person>, Status> {
        if !request.metadata().contains_key("authorization") {
            return Ok(None);
        }
        let office_id = office_of(request)?.office_id;
        let (actor, asker) = who(office_id, request);
        let Err(denial) = asker else {
            return Ok(request.extensions().get().cloned());
        };
        let entry = denial.entry(office_id, actor, Action::SubmitFiling);
        let recorded = self.audit.append(entry).await;
        recorded.map_err(|error| audit(&error))?;
        Err(denied(denial))
    }
}

#[tonic::async_trait]
impl FilingService for FilingApi {
    async fn submit_filing(
        &self,
        request: Request<SubmitFilingRequest>,
    ) -> Result<Response<SubmitFilingResponse>, Status> {
        let office = office_of(&request)?;
        let told = told_by(&request);
        let notary = self.notary(&request).await?;
        let request = request.into_inner();
        let kind = kind(request.kind())?;
        let body = Body::parse(kind, &request.detail).map_err(field)?;
        let raw = Raw {
            filing_id: request.filing_id,
            source_case_id: request.source_case_id,
            text: request.text,
        };
        let filed_by = notary.as_ref().map(|person| person.account_id);
        let filing = Filing::parse(office.office_id, body, raw, filed_by).map_err(field)?;
        let receipt = filing::submit(
            &self.supervision,
            &self.audit,
            office.scope(),
            told,
            &filing,
        )
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
    let because = error.to_string();
    error
        .reason
        .because(because)
        .field(error.field, error.expected)
        .into()
}

fn refused(error: SubmitError) -> Status {
    match error {
        SubmitError::Field(error) => field(error),
        SubmitError::NothingToClose => invalid_field(
            "detail.about",
            "an earlier complaint or review of the office",
        ),
        SubmitError::IdTaken => filing::id_taken().into(),
        SubmitError::Key(error) => Refusal::from(&error).into(),
        SubmitError::Audit(error) => audit(&error),
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
