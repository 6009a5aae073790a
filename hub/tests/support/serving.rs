//! The hub's program while it serves, and how offices come to it.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use notary_proto::hub::v1::EnrollRequest;
use notary_proto::hub::v1::enrollment_service_client::EnrollmentServiceClient;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;
use tonic::transport::Channel;

use super::hub::ders;
use super::program::Site;
use super::{client, csr};

impl Site {
    /// A hub that serves.
    pub fn serve(&self) -> Child {
        let announced = self.path("data/addresses.json");
        let _ = fs::remove_file(&announced);
        let child = self
            .command(&["serve"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while !announced.exists() {
            assert!(Instant::now() < deadline, "the hub does not serve");
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    }

    /// To one of the addresses that the hub announced.
    pub fn channel(&self, listener: &str, identity: Option<client::Identity>) -> Channel {
        let addresses = fs::read(self.path("data/addresses.json")).unwrap();
        let addresses: Value = serde_json::from_slice(&addresses).unwrap();
        let address = addresses[listener].as_str().unwrap().parse().unwrap();
        let ca = CertificateDer::from_pem_file(self.path("data/pki/ca.pem")).unwrap();
        client::channel(address, client::config(ca, identity, &[b"h2"]))
    }

    /// A certificate of the office that is there.
    pub async fn enrol(&self, office: &str) -> client::Identity {
        let join_token = self.said(&["enroll-token", office]);
        let (key, csr_der) = csr();
        let request = EnrollRequest {
            join_token,
            csr_der,
        };
        let enrolled = EnrollmentServiceClient::new(self.channel("people", None))
            .enroll(request)
            .await
            .unwrap();
        let chain = ders(&enrolled.into_inner().certificate_chain_der);
        (chain, key.serialize_der())
    }
}
