//! `EnrollmentService`: an office's first certificate.

use std::sync::Arc;
use std::time::Duration;

use linkage::token::{TokenAlgorithm, TokenKey};
use notary_proto::hub::v1::enrollment_service_server::EnrollmentService;
use notary_proto::hub::v1::{self as wire, EnrollRequest, EnrollResponse};
use rustls_pki_types::CertificateDer;
use tonic::{Request, Response, Status};

use super::address_of;
use super::error::{audit, database, internal};
use crate::identity::enrolment::{EnrolError, Enrolled, Enrolment};
use crate::refusal::Reason;

/// When to ask again whether the bureau has approved.
const APPROVAL_TIME: Duration = Duration::from_secs(60);

/// The service.
#[derive(Debug)]
pub struct EnrollmentApi {
    enrolment: Arc<Enrolment>,
}

impl EnrollmentApi {
    pub fn new(enrolment: Arc<Enrolment>) -> Self {
        Self { enrolment }
    }
}

#[tonic::async_trait]
impl EnrollmentService for EnrollmentApi {
    async fn enroll(
        &self,
        request: Request<EnrollRequest>,
    ) -> Result<Response<EnrollResponse>, Status> {
        let address = address_of(&request)?;
        let EnrollRequest {
            join_token,
            csr_der,
        } = request.into_inner();
        let enrolled = self
            .enrolment
            .enrol(&join_token, &csr_der, address)
            .await
            .map_err(|error| {
                tracing::warn!(%address, %error, "enrolment refused");
                status(&error)
            })?;
        tracing::info!(%address, office = %enrolled.office_id, "office enrolled");
        let anchors = self.enrolment.trust_anchors();
        Ok(Response::new(response(enrolled, &anchors)))
    }
}

fn response(enrolled: Enrolled, anchors: &[CertificateDer<'static>]) -> EnrollResponse {
    EnrollResponse {
        office_id: enrolled.office_id.to_string(),
        office_name: enrolled.office_name,
        certificate_chain_der: ders(&enrolled.chain),
        trust_anchors_der: ders(anchors),
        token_key: Some(token_key(&enrolled.token_keys.present)),
        next_token_key: enrolled.token_keys.next.as_ref().map(token_key),
    }
}

pub(super) fn token_key(key: &TokenKey) -> wire::TokenKey {
    wire::TokenKey {
        key_id: key.id(),
        algorithm: wire_algorithm(key.algorithm()).into(),
        secret: key.secret().to_vec(),
    }
}

fn wire_algorithm(algorithm: TokenAlgorithm) -> wire::TokenAlgorithm {
    match algorithm {
        TokenAlgorithm::HmacSha256 => wire::TokenAlgorithm::HmacSha256,
        TokenAlgorithm::HmacSm3 => wire::TokenAlgorithm::HmacSm3,
    }
}

pub(super) fn ders(certificates: &[CertificateDer<'static>]) -> Vec<Vec<u8>> {
    certificates
        .iter()
        .map(|certificate| certificate.to_vec())
        .collect()
}

pub(super) fn status(error: &EnrolError) -> Status {
    match error {
        EnrolError::TokenInvalid => Reason::JoinTokenInvalid.because(error.to_string()).into(),
        EnrolError::AwaitingApproval => Reason::EnrolmentPending
            .because(error.to_string())
            .retry_after(APPROVAL_TIME)
            .into(),
        EnrolError::LateRenewalRefused => Reason::RenewalRefused.because(error.to_string()).into(),
        EnrolError::CertificateRevoked => {
            Reason::CertificateRevoked.because(error.to_string()).into()
        }
        EnrolError::Csr(_) | EnrolError::KeyOfAnother => Reason::CsrInvalid
            .because(error.to_string())
            .field("csr_der", error.to_string())
            .into(),
        EnrolError::TooOften { retry_after } | EnrolError::RenewedTooOften { retry_after } => {
            Reason::RateLimited
                .because(error.to_string())
                .retry_after(*retry_after)
                .into()
        }
        EnrolError::Authority(problem) => internal(problem),
        EnrolError::Audit(problem) => audit(problem),
        EnrolError::Database(problem) => database(problem),
    }
}
