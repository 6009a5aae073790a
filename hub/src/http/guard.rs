//! What every request passes: measurement, headers of the answer, room, and a limit of time.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use metrics::histogram;
use tokio::time::{Instant, timeout};

use super::problem::Problem;
use crate::arrival::{ArrivalError, Arrivals};
use crate::departure::{self, Departures, Untaken};
use crate::gate::Gate;
use crate::refusal::{Reason, Refusal};
use crate::telemetry::metrics::HTTP_SECONDS;
use crate::transport::ClientAddress;

/// Requests that are answered at once.
const AT_ONCE: usize = 128;
/// Those of one address: whoever lets his requests hang delays nobody else.
const AT_ONCE_OF_ONE: usize = 32;
/// How long an answer may take once the request's body is there.
const TIME: Duration = Duration::from_secs(35);

/// Nothing here is for a shared cache, a frame, or a page of somebody else's.
const HEADERS: [(HeaderName, &str); 6] = [
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (REFERRER_POLICY, "no-referrer"),
    (STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
];

/// Room for requests; whoever finds none is told at once.
#[derive(Clone, Debug)]
pub(super) struct Room {
    arriving: Arrivals<Option<IpAddr>>,
    answering: Gate<Option<IpAddr>>,
    leaving: Departures<Option<IpAddr>>,
}

impl Room {
    /// `largest` body of a request, bytes.
    pub(super) fn new(largest: usize) -> Self {
        Self {
            arriving: Arrivals::new(largest, AT_ONCE_OF_ONE),
            answering: Gate::new(AT_ONCE, AT_ONCE_OF_ONE),
            leaving: Departures::new(),
        }
    }
}

pub(super) async fn bounded(
    State(room): State<Room>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let address = request.extensions().get::<ClientAddress>();
    let caller = address.map(|address| address.network());
    let request = room.arriving.whole(caller, request).await?;
    let _place = room
        .answering
        .enter(caller)
        .map_err(|_| overloaded("too many requests at once"))?;
    let untaken = Untaken::of(request.extensions());
    let on_its_way = room
        .leaving
        .enter(caller)
        .map_err(|_| overloaded("too many answers are not taken yet"))?;
    let answer = timeout(TIME, next.run(request))
        .await
        .map_err(|_| overloaded("the request took too long"))?;
    Ok(departure::holding(answer, on_its_way, untaken))
}

fn overloaded(message: impl Into<String>) -> Refusal {
    Reason::Overloaded
        .because(message)
        .retry_after(Duration::from_secs(1))
}

impl From<ArrivalError> for Problem {
    fn from(error: ArrivalError) -> Self {
        match error {
            ArrivalError::NoRoom | ArrivalError::TooSlow => overloaded(error.to_string()).into(),
            ArrivalError::TooLarge => Self::body(StatusCode::PAYLOAD_TOO_LARGE),
            ArrivalError::Broken => Self::body(StatusCode::BAD_REQUEST),
        }
    }
}

/// The console's page and files say more about themselves.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

pub(super) async fn measured(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none", |route| route.as_str()).to_owned();
    let begun = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_str().to_owned();
    histogram!(HTTP_SECONDS, "route" => route, "status" => status)
        .record(begun.elapsed().as_secs_f64());
    response
}
