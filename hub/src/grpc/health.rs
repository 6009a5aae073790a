//! `grpc.health.v1` on both listeners, with one state: serving while the hub is up and its database answers,
//! not serving from the beginning of a drain.

use std::sync::Arc;

use notary_proto::hub::v1::certificate_service_server::CertificateServiceServer;
use notary_proto::hub::v1::details_service_server::DetailsServiceServer;
use notary_proto::hub::v1::enrollment_service_server::EnrollmentServiceServer;
use notary_proto::hub::v1::filing_service_server::FilingServiceServer;
use notary_proto::hub::v1::lookup_service_server::LookupServiceServer;
use notary_proto::hub::v1::session_service_server::SessionServiceServer;
use notary_proto::hub::v1::sync_service_server::SyncServiceServer;
use tokio::sync::Mutex;
use tonic::server::NamedService;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

/// Everything that has a state; the empty name is the hub as a whole.
const SERVICES: [&str; 8] = [
    "",
    CertificateServiceServer::<()>::NAME,
    DetailsServiceServer::<()>::NAME,
    EnrollmentServiceServer::<()>::NAME,
    FilingServiceServer::<()>::NAME,
    LookupServiceServer::<()>::NAME,
    SessionServiceServer::<()>::NAME,
    SyncServiceServer::<()>::NAME,
];

/// Where a hub stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Starting,
    Serving,
    /// Up, but its database does not answer.
    WithoutDatabase,
    /// Stopping; there is no way back.
    Draining,
}

impl Standing {
    const fn status(self) -> ServingStatus {
        match self {
            Self::Serving => ServingStatus::Serving,
            Self::Starting | Self::WithoutDatabase | Self::Draining => ServingStatus::NotServing,
        }
    }
}

/// The hub's standing as others see it.
#[derive(Clone, Debug)]
pub struct Health {
    reporter: HealthReporter,
    standing: Arc<Mutex<Standing>>,
}

impl Health {
    pub async fn new() -> Self {
        let health = Self {
            reporter: HealthReporter::new(),
            standing: Arc::new(Mutex::new(Standing::Starting)),
        };
        health.report(Standing::Starting).await;
        health
    }

    /// Tells everybody, those who watch as well. A draining hub stays so.
    pub async fn set(&self, standing: Standing) {
        // Held while reporting, so that the last report is of the last standing.
        let mut current = self.standing.lock().await;
        if *current != Standing::Draining && *current != standing {
            *current = standing;
            self.report(standing).await;
        }
    }

    pub async fn standing(&self) -> Standing {
        *self.standing.lock().await
    }

    async fn report(&self, standing: Standing) {
        for service in SERVICES {
            self.reporter
                .set_service_status(service, standing.status())
                .await;
        }
    }

    pub(super) fn server(&self) -> HealthServer<HealthService> {
        HealthServer::new(HealthService::from_health_reporter(self.reporter.clone()))
            .max_decoding_message_size(4096)
            .max_encoding_message_size(4096)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use notary_proto::DESCRIPTORS;
    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::*;

    #[test]
    fn every_service_of_the_hubs_contract_has_a_state() {
        let described = FileDescriptorSet::decode(DESCRIPTORS).expect("descriptors");
        let files = described.file.iter();
        let described: BTreeSet<String> = files
            .filter(|file| file.package() == "notary.hub.v1")
            .flat_map(|file| file.service.iter())
            .map(|service| format!("notary.hub.v1.{}", service.name()))
            .collect();
        let known = SERVICES.iter().filter(|name| !name.is_empty());
        assert_eq!(
            known
                .map(|name| (*name).to_owned())
                .collect::<BTreeSet<_>>(),
            described
        );
    }
}
