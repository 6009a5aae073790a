//! What every call passes before its handler: measurement, revocation, room, and a limit of time.

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Extensions;
use axum::middleware::Next;
use axum::response::Response;
use linkage::office::OfficeId;
use metrics::histogram;
use tokio::time::{Instant, timeout};
use tonic::{Code, Status};

use crate::arrival::{ArrivalError, Arrivals};
use crate::departure::{self, Departures, Untaken};
use crate::gate::Gate;
use crate::identity::revocation::{Revocation, Revocations};
use crate::identity::{LapsedOffice, OfficeIdentity, Sessions};
use crate::refusal::{Reason, Refusal};
use crate::telemetry::metrics::RPC_SECONDS;
use crate::transport::{ClientAddress, MAX_CALL_IN, bearer};

/// Unary calls of one lane at once.
const AT_ONCE: usize = 256;
/// Those of one caller: whoever lets his calls hang delays nobody else.
const AT_ONCE_OF_ONE: usize = 64;
/// How long a unary call may take once its request is there.
const UNARY_TIME: Duration = Duration::from_secs(30);

/// The call that stays open for hours.
const SYNC_STREAM: &str = "/notary.hub.v1.SyncService/Sync";

/// Room for unary calls. Whoever finds none is told at once: a queue would only make everybody late.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    arriving: Arrivals<Caller>,
    answering: Gate<Caller>,
    leaving: Departures<Caller>,
}

/// Who shares a lane with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Caller {
    Office(OfficeId),
    Network(IpAddr),
    /// Not by way of a listener.
    Nobody,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self {
            // tonic reads a request to its end, however many messages there are.
            arriving: Arrivals::new(MAX_CALL_IN, AT_ONCE_OF_ONE),
            answering: Gate::new(AT_ONCE, AT_ONCE_OF_ONE),
            leaving: Departures::new(),
        }
    }
}

fn caller(extensions: &Extensions) -> Caller {
    match (
        office_or_lapsed(extensions),
        extensions.get::<ClientAddress>(),
    ) {
        (Some(office), _) => Caller::Office(office.office_id),
        (None, Some(address)) => Caller::Network(address.network()),
        (None, None) => Caller::Nobody,
    }
}

pub(super) async fn unary(State(lane): State<Lane>, request: Request, next: Next) -> Response {
    let caller = caller(request.extensions());
    let request = match lane.arriving.whole(caller, request).await {
        Ok(request) => request,
        Err(error) => return refuse(not_arrived(error)),
    };
    let Ok(_room) = lane.answering.enter(caller) else {
        return refuse(overloaded("too many calls at once"));
    };
    let untaken = Untaken::of(request.extensions());
    let Ok(on_its_way) = lane.leaving.enter(caller) else {
        return refuse(overloaded("too many answers are not taken yet"));
    };
    match timeout(UNARY_TIME, next.run(request)).await {
        Ok(response) => departure::holding(response, on_its_way, untaken),
        Err(_) => refuse(Status::deadline_exceeded("the call took too long")),
    }
}

fn overloaded(message: impl Into<String>) -> Refusal {
    Reason::Overloaded
        .because(message)
        .retry_after(Duration::from_secs(1))
}

fn not_arrived(error: ArrivalError) -> Status {
    match error {
        ArrivalError::NoRoom => overloaded(error.to_string()).into(),
        ArrivalError::TooSlow => Status::deadline_exceeded(error.to_string()),
        ArrivalError::TooLarge => {
            Status::out_of_range("the call's messages are larger than a call may be")
        }
        ArrivalError::Broken => Status::cancelled(error.to_string()),
    }
}

/// [`unary`] for services of which one call is a long stream.
pub(super) async fn unary_or_stream(lane: State<Lane>, request: Request, next: Next) -> Response {
    match request.uri().path() {
        SYNC_STREAM => next.run(request).await,
        _ => unary(lane, request, next).await,
    }
}

/// Tells the handlers who speaks through the certificate, if a session says so. Which calls need a person is theirs to
/// say: whom they deny, they record.
pub(super) async fn person(
    State(sessions): State<Arc<Sessions>>,
    mut request: Request,
    next: Next,
) -> Response {
    let session = bearer(request.headers()).map(|token| sessions.verify(token));
    if let Some(Ok(person)) = session {
        request.extensions_mut().insert(person);
    }
    next.run(request).await
}

/// A certificate is good until it is revoked, which its connection does not learn by itself.
pub(super) async fn not_revoked(
    State(revocations): State<Revocations>,
    request: Request,
    next: Next,
) -> Response {
    let Some(office) = office_or_lapsed(request.extensions()) else {
        return refuse(Reason::Unauthenticated.because("a client certificate is needed"));
    };
    match revocations.of(&office) {
        None => next.run(request).await,
        Some(revocation) => refuse(revoked(revocation)),
    }
}

/// Why a revoked caller is refused.
pub(super) fn revoked(revocation: Revocation) -> Status {
    match revocation {
        Revocation::Office => Reason::OfficeRevoked
            .because("the office is revoked")
            .into(),
        Revocation::Certificate => Reason::CertificateRevoked
            .because("the certificate is revoked")
            .into(),
    }
}

/// Everything but renewing needs a certificate that has not ended.
pub(super) async fn not_ended(request: Request, next: Next) -> Response {
    match request.extensions().get::<LapsedOffice>() {
        None => next.run(request).await,
        Some(_) => refuse(Reason::CertificateEnded.because("the certificate has ended; renew it")),
    }
}

/// The office of a certificate, whether it has ended or not.
pub(super) fn office_or_lapsed(extensions: &Extensions) -> Option<OfficeIdentity> {
    let lapsed = || extensions.get().map(|LapsedOffice(office)| office);
    extensions.get().or_else(lapsed).copied()
}

pub(super) async fn measured(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let service = route
        .and_then(|route| route.as_str().split('/').nth(1))
        .unwrap_or_default()
        .to_owned();
    let begun = Instant::now();
    let response = next.run(request).await;
    // A call that failed before its first message says so in the headers; others only in their trailers.
    let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
    histogram!(RPC_SECONDS, "service" => service, "code" => format!("{code:?}"))
        .record(begun.elapsed().as_secs_f64());
    response
}

/// A defect ends the call it was met by, and not the connection with all others on it.
pub(super) fn defect(_: Box<dyn Any + Send>) -> Response {
    refuse(Reason::Internal.because("a defect of the hub ended the call"))
}

pub(crate) async fn no_such_method() -> Response {
    refuse(Status::unimplemented("this listener has no such method"))
}

pub(super) fn refuse(status: impl Into<Status>) -> Response {
    status.into().into_http::<Body>()
}
