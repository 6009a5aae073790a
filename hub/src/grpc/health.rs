//! `grpc.health.v1` on both listeners, with one state: serving while the hub is up and its database answers,
//! not serving from the beginning of a drain.

use std::sync::Arc;

use notary_proto::hub::v1::certificate_service_server::CertificateServiceServer;
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
const SERVICES: [&str; 7] = [
    "",
    CertificateServiceServer::<()>::NAME,
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
