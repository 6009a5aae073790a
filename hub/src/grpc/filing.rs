//! `FilingService`: what offices hand in that is not a case.

use notary_proto::hub::v1::filing_service_server::FilingService;
use notary_proto::hub::v1::{self as wire, SubmitFilingRequest, SubmitFilingResponse};
use sqlx::PgPool;
use tonic::{Request, Response, Status};

use super::error::{database, invalid_field};
use super::office_of;
use super::value::timestamp;
use crate::filing::{self, Filing, FilingKind, Raw};
use crate::refusal::Reason;

/// The service.
#[derive(Debug)]
pub struct FilingApi {
    pool: PgPool,
}

impl FilingApi {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[tonic::async_trait]
impl FilingService for FilingApi {
    async fn submit_filing(
        &self,
        request: Request<SubmitFilingRequest>,
    ) -> Result<Response<SubmitFilingResponse>, Status> {
        let office_id = office_of(&request)?.office_id;
        let request = request.into_inner();
        let kind = kind(request.kind())?;
        let raw = Raw {
            filing_id: request.filing_id,
            source_case_id: request.source_case_id,
            text: request.text,
        };
        let filing = Filing::parse(office_id, kind, raw)
            .map_err(|error| invalid_field(error.field, error.expected))?;
        let recorded_at = filing::submit(&self.pool, &filing)
            .await
            .map_err(|error| database(&error))?;
        Ok(Response::new(SubmitFilingResponse {
            recorded_at: Some(timestamp(recorded_at)),
        }))
    }
}

fn kind(kind: wire::FilingKind) -> Result<FilingKind, Status> {
    match kind {
        wire::FilingKind::MajorCaseReport => Ok(FilingKind::MajorCaseReport),
        wire::FilingKind::Refusal => Ok(FilingKind::Refusal),
        wire::FilingKind::Unspecified => Err(Reason::FilingKindUnknown
            .because("the filing is of no known kind")
            .field("kind", "a known kind of filing")
            .into()),
    }
}
