//! `CertificateService`: an office's next certificate, and the token key that is to follow. The one service that an ended certificate may call.

use std::sync::Arc;

use notary_proto::hub::v1::certificate_service_server::CertificateService;
use notary_proto::hub::v1::{RenewRequest, RenewResponse};
use tonic::{Request, Response, Status};

use super::enrollment::{ders, status, token_key};
use super::guard::office_or_lapsed;
use crate::identity::LapsedOffice;
use crate::identity::enrolment::Enrolment;
use crate::refusal::Reason;

/// The service.
#[derive(Debug)]
pub struct CertificateApi {
    enrolment: Arc<Enrolment>,
}

impl CertificateApi {
    pub fn new(enrolment: Arc<Enrolment>) -> Self {
        Self { enrolment }
    }
}

#[tonic::async_trait]
impl CertificateService for CertificateApi {
    async fn renew(
        &self,
        request: Request<RenewRequest>,
    ) -> Result<Response<RenewResponse>, Status> {
        let office = office_or_lapsed(request.extensions())
            .ok_or_else(|| Reason::Unauthenticated.because("a client certificate is needed"))?;
        let late = request.extensions().get::<LapsedOffice>().is_some();
        let chain = self
            .enrolment
            .renew(office, &request.get_ref().csr_der, late)
            .await
            .map_err(|error| {
                tracing::warn!(office = %office.office_id, serial = %office.serial, %error, "renewal refused");
                status(&error)
            })?;
        tracing::info!(office = %office.office_id, serial = %office.serial, late, "certificate renewed");
        let keys = self.enrolment.token_keys();
        Ok(Response::new(RenewResponse {
            certificate_chain_der: ders(&chain),
            trust_anchors_der: ders(&self.enrolment.trust_anchors()),
            next_token_key: keys.next.as_ref().map(token_key),
            token_key: Some(token_key(&keys.present)),
        }))
    }
}
