//! What offices' agents call. A handler parses, calls one use case and maps the error.

mod certificate;
mod details;
mod enrollment;
pub mod error;
mod filing;
mod guard;
pub mod health;
mod lookup;
mod lookup_answer;
mod lookup_question;
mod lookup_watch;
mod padding;
mod session;
mod sync;
mod token_key;
mod value;

pub use certificate::CertificateApi;
pub use details::DetailsApi;
pub use enrollment::EnrollmentApi;
pub use filing::FilingApi;
pub(crate) use guard::no_such_method;
pub use lookup::LookupApi;
pub use session::SessionApi;
pub use sync::SyncApi;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use notary_proto::hub::v1::certificate_service_server::CertificateServiceServer;
use notary_proto::hub::v1::details_service_server::DetailsServiceServer;
use notary_proto::hub::v1::enrollment_service_server::EnrollmentServiceServer;
use notary_proto::hub::v1::filing_service_server::FilingServiceServer;
use notary_proto::hub::v1::lookup_service_server::LookupServiceServer;
use notary_proto::hub::v1::session_service_server::SessionServiceServer;
use notary_proto::hub::v1::sync_service_server::SyncServiceServer;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic::{Request, Status};
use tower_http::catch_panic::CatchPanicLayer;

use crate::audit::Audit;
use crate::details::Details;
use crate::entrance::Entrance;
use crate::identity::OfficeIdentity;
use crate::identity::account::Sessions;
use crate::identity::enrolment::Enrolment;
use crate::identity::revocation::Revocations;
use crate::lookup::Lookup;
use crate::refusal::Reason;
use crate::supervision::worker::Supervision;
use crate::sync::Feeds;
use crate::transport::{ClientAddress, MAX_CALL_IN, MAX_MESSAGE_IN, MAX_MESSAGE_OUT, bearer};
use guard::Lane;
use health::Health;
use token_key::TokenKey;

/// A generated server with the message limits of the hub.
macro_rules! limited {
    ($server:ident, $api:expr) => {
        limited!($server, $api, MAX_CALL_IN)
    };
    ($server:ident, $api:expr, $largest:ident) => {
        $server::new($api)
            .max_decoding_message_size($largest)
            .max_encoding_message_size(MAX_MESSAGE_OUT)
    };
}

/// What the agents' listener serves: everything behind the office's certificate.
#[derive(Clone, Debug)]
pub struct Agents {
    pub enrolment: Arc<Enrolment>,
    pub revocations: Revocations,
    pub health: Health,
    pub feeds: Feeds,
    pub lookup: Arc<Lookup>,
    pub sessions: Arc<Sessions>,
    pub details: Details,
    /// For what is neither sync nor look-up.
    pub supervision: Supervision,
    pub audit: Audit,
}

impl Agents {
    pub fn router(self) -> Router {
        let sessions = Arc::clone(&self.sessions);
        self.routes(|calls| calls.layer(from_fn_with_state(sessions.clone(), guard::person)))
    }

    /// `known` tells the handlers who asks: the certificate's office stands in a call's extensions, and a person is put
    /// there.
    pub fn routes(self, known: impl Fn(Router) -> Router) -> Router {
        let of_feeds = TokenKey::new(self.feeds.pool.clone());
        let of_lookups = TokenKey::new(self.lookup.pool());
        let sync = SyncApi::new(self.feeds, self.revocations.clone());
        let office_calls = Routes::from(Router::new())
            .add_service(
                limited!(SyncServiceServer, sync, MAX_MESSAGE_IN)
                    .accept_compressed(CompressionEncoding::Zstd),
            )
            .add_service(limited!(
                FilingServiceServer,
                FilingApi::new(self.supervision, self.audit)
            ))
            .into_axum_router();
        let office_calls =
            office_calls.layer(from_fn_with_state(of_feeds, token_key::is_the_citys));
        let office_calls =
            known(office_calls).layer(from_fn_with_state(Lane::new(), guard::unary_or_stream));
        let lookup = LookupApi::new(self.lookup);
        let details = DetailsApi::new(self.details);
        // Room of their own: look-ups come before sync.
        let lookups = Routes::from(Router::new())
            .add_service(limited!(LookupServiceServer, lookup))
            .add_service(limited!(DetailsServiceServer, details))
            .into_axum_router();
        let lookups = lookups.layer(from_fn_with_state(of_lookups, token_key::is_the_citys));
        let lookups = known(lookups).layer(from_fn_with_state(Lane::new(), guard::unary));
        let standing = Routes::from(office_calls.merge(lookups))
            .add_service(self.health.server())
            .into_axum_router()
            .layer(from_fn(guard::not_ended));
        let renewal = Routes::from(Router::new())
            .add_service(limited!(
                CertificateServiceServer,
                CertificateApi::new(self.enrolment)
            ))
            .into_axum_router();
        let renewal = known(renewal).layer(from_fn_with_state(Lane::new(), guard::unary));
        standing
            .merge(renewal)
            .layer(CatchPanicLayer::custom(guard::defect))
            .layer(from_fn_with_state(self.revocations, guard::not_revoked))
            .layer(from_fn(guard::measured))
            .fallback(guard::no_such_method)
    }
}

/// The gRPC part of what the people's listener serves.
#[derive(Debug)]
pub struct People {
    pub enrolment: Arc<Enrolment>,
    pub entrance: Arc<Entrance>,
    pub health: Health,
}

impl People {
    /// Routes without a fallback, to be merged with those of the REST interface.
    pub fn router(self) -> Router {
        let unary = Routes::from(Router::new())
            .add_service(limited!(
                EnrollmentServiceServer,
                EnrollmentApi::new(self.enrolment)
            ))
            .add_service(limited!(
                SessionServiceServer,
                SessionApi::new(self.entrance)
            ))
            .into_axum_router()
            .layer(from_fn_with_state(Lane::new(), guard::unary));
        Routes::from(unary)
            .add_service(self.health.server())
            .into_axum_router()
            .layer(from_fn(guard::measured))
    }
}

/// The office whose certificate carried this request.
pub fn office_of<T>(request: &Request<T>) -> Result<OfficeIdentity, Status> {
    request
        .extensions()
        .get::<OfficeIdentity>()
        .copied()
        .ok_or_else(|| {
            Reason::Unauthenticated
                .because("a client certificate is needed")
                .into()
        })
}

/// The bearer token of a call that carries exactly one.
pub fn bearer_of<T>(request: &Request<T>) -> Option<&str> {
    bearer(request.metadata().as_ref())
}

/// The address a request came from.
fn address_of<T>(request: &Request<T>) -> Result<IpAddr, Status> {
    request
        .extensions()
        .get::<ClientAddress>()
        .map(|address| address.0.ip().to_canonical())
        .ok_or_else(|| {
            Reason::Internal
                .because("the request has no address")
                .into()
        })
}
