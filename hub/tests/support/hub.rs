//! A whole hub over real TLS, and offices enrolled at it.

use std::time::Duration;

use notary_hub::app::App;
use notary_hub::embedded::testing::{TestDatabase, fresh_database};
use notary_hub::grpc::error::DOMAIN;
use notary_hub::identity::enrolment;
use notary_proto::hub::v1::enrollment_service_client::EnrollmentServiceClient;
use notary_proto::hub::v1::{EnrollRequest, EnrollResponse};
use rustls_pki_types::CertificateDer;
use tonic::Status;
use tonic::transport::Channel;
use tonic_types::StatusExt;

use super::{Keys, add_office, client, csr};

/// A hub that serves, with its database.
pub struct Hub {
    pub keys: Keys,
    pub db: TestDatabase,
    pub app: App,
}

/// An office as it stands after enrolling.
pub struct Office {
    pub key: Vec<u8>,
    pub chain: Vec<CertificateDer<'static>>,
    pub enrolled: EnrollResponse,
}

impl Hub {
    pub async fn start() -> Self {
        Self::with("limits.drain = '2s'").await
    }

    /// `extra` is appended to the configuration file.
    pub async fn with(extra: &str) -> Self {
        let db = fresh_database().await;
        let url = &db.url;
        let keys = Keys::with(&format!(
            "database.url = '{url}'\nagents.listen = '127.0.0.1:0'\npeople.listen = '127.0.0.1:0'\n\
             metrics.listen = '127.0.0.1:0'\n{extra}"
        ));
        let app = App::start(keys.config.clone()).await.unwrap();
        Self { keys, db, app }
    }

    pub fn people(&self) -> Channel {
        let config = client::config(client::ca(&self.keys), None, &[b"h2"]);
        client::channel(self.app.addresses().people, config)
    }

    pub fn agents(&self, office: &Office) -> Channel {
        let identity = Some((office.chain.clone(), office.key.clone()));
        let config = client::config(client::ca(&self.keys), identity, &[b"h2"]);
        client::channel(self.app.addresses().agents, config)
    }

    pub async fn enrol(&self, office_id: &str) -> Office {
        add_office(&self.db.pool, office_id).await;
        self.enrol_again(office_id).await
    }

    /// An office that is there already.
    pub async fn enrol_again(&self, office_id: &str) -> Office {
        let day = Duration::from_secs(24 * 3600);
        let token =
            enrolment::make_join_token(&self.db.pool, office_id.parse().unwrap(), day).await;
        let (key, csr_der) = csr();
        let request = EnrollRequest {
            join_token: token.unwrap().unwrap().reveal(),
            csr_der,
        };
        let enrolled = EnrollmentServiceClient::new(self.people())
            .enroll(request)
            .await;
        let enrolled = enrolled.unwrap().into_inner();
        Office {
            key: key.serialize_der(),
            chain: ders(&enrolled.certificate_chain_der),
            enrolled,
        }
    }
}

pub fn ders(ders: &[Vec<u8>]) -> Vec<CertificateDer<'static>> {
    ders.iter().cloned().map(CertificateDer::from).collect()
}

/// The stable reason that a refusal carries.
pub fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().expect("an ErrorInfo");
    assert_eq!(info.domain, DOMAIN);
    info.reason.clone()
}
