//! An agent as far as its certificate goes: it calls, and it renews.

use std::net::SocketAddr;

use notary_proto::hub::v1::RenewRequest;
use notary_proto::hub::v1::certificate_service_client::CertificateServiceClient;
use rustls_pki_types::CertificateDer;
use tonic::transport::Channel;

use crate::support::hub::{Hub, Office, ders};
use crate::support::{client, csr};

/// What an agent knows of itself and of the hub.
#[derive(Clone)]
pub struct Agent {
    pub key: Vec<u8>,
    pub chain: Vec<CertificateDer<'static>>,
    pub anchors: Vec<CertificateDer<'static>>,
    pub hub: SocketAddr,
}

impl Agent {
    pub fn of(hub: &Hub, office: &Office) -> Self {
        Self {
            key: office.key.clone(),
            chain: office.chain.clone(),
            anchors: ders(&office.enrolled.trust_anchors_der),
            hub: hub.app.addresses().agents,
        }
    }

    /// A connection of its own.
    pub fn channel(&self) -> Channel {
        let versions = &[&rustls::version::TLS13];
        let identity = Some((self.chain.clone(), self.key.clone()));
        let config = client::config_trusting(versions, &self.anchors, identity, &[b"h2"]);
        client::channel(self.hub, config)
    }

    pub async fn renewed(&self) -> Self {
        let (key, csr_der) = csr();
        let answer = CertificateServiceClient::new(self.channel())
            .renew(RenewRequest { csr_der })
            .await
            .expect("every renewal succeeds")
            .into_inner();
        Self {
            key: key.serialize_der(),
            chain: ders(&answer.certificate_chain_der),
            anchors: ders(&answer.trust_anchors_der),
            hub: self.hub,
        }
    }
}
