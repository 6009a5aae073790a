//! One connection from its handshake to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use metrics::{counter, gauge};
use rustls::ServerConfig;
use time::OffsetDateTime;
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt;

use super::listener::{Audience, Stop};
use super::protocol::HttpLimits;
use super::{ClientAddress, Leaving};
use crate::departure::Untaken;
use crate::identity::LapsedOffice;
use crate::identity::enrolment::peer::{self, Peer};
use crate::telemetry::metrics::{CONNECTIONS_OPEN, HANDSHAKES_FAILED};

/// How long a TLS handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long the first request may take after it; covers the HTTP/2 preface as well.
const FIRST_REQUEST_TIME: Duration = Duration::from_secs(10);
/// How often a connection is looked at whose answers may not be taken.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a revoked office's connection lives on.
const LAST_WORD: Duration = Duration::from_millis(500);

/// What all connections of a listener share.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) audience: Audience,
    pub(super) http: HttpLimits,
    pub(super) tls: Arc<ServerConfig>,
    pub(super) router: Router,
    pub(super) age: Duration,
    pub(super) grace: Duration,
    pub(super) stop: Stop,
}

/// Serves one connection to its end.
pub(super) async fn serve(connection: &Connection, tcp: TcpStream, address: SocketAddr) {
    let listener = connection.audience.label();
    let Some(tls) = handshake(connection, tcp, address).await else {
        return;
    };
    let peer = match &connection.audience {
        Audience::People => None,
        Audience::Agents { trust_domain, .. } => {
            let leaf = tls.get_ref().1.peer_certificates().and_then(<[_]>::first);
            match leaf.and_then(|leaf| peer::identify(leaf, trust_domain).ok()) {
                Some(peer) => Some(peer),
                None => return,
            }
        }
    };
    let _open = Open::new(listener);
    run(connection, tls, peer, address).await;
}

/// Counts a connection as long as it is there, however it ends.
struct Open(&'static str);

impl Open {
    fn new(listener: &'static str) -> Self {
        gauge!(CONNECTIONS_OPEN, "listener" => listener).increment(1);
        Self(listener)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        gauge!(CONNECTIONS_OPEN, "listener" => self.0).decrement(1);
    }
}

async fn handshake(
    connection: &Connection,
    tcp: TcpStream,
    address: SocketAddr,
) -> Option<TlsStream<TcpStream>> {
    let acceptor = TlsAcceptor::from(Arc::clone(&connection.tls));
    let accepting = timeout(HANDSHAKE_TIME, acceptor.accept(tcp));
    let reason = match connection.stop.kill.run_until_cancelled(accepting).await? {
        Ok(Ok(tls)) => return Some(tls),
        Ok(Err(error)) => {
            tracing::info!(listener = connection.audience.label(), %address, %error, "handshake failed");
            "tls"
        }
        Err(_) => "timeout",
    };
    counter!(HANDSHAKES_FAILED, "listener" => connection.audience.label(), "reason" => reason)
        .increment(1);
    None
}

/// Runs HTTP on the connection until it ends by itself, is asked to end and does, or is cut.
async fn run(
    connection: &Connection,
    tls: TlsStream<TcpStream>,
    peer: Option<Peer>,
    address: SocketAddr,
) {
    let used = Arc::new(AtomicBool::new(false));
    let (leaving_calls, untaken) = (Leaving::default(), Untaken::default());
    let service = {
        let (router, used) = (connection.router.clone(), Arc::clone(&used));
        let (leaving_calls, untaken) = (leaving_calls.clone(), untaken.clone());
        service_fn(move |mut request: Request<Incoming>| {
            used.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(ClientAddress(address));
            request.extensions_mut().insert(leaving_calls.clone());
            request.extensions_mut().insert(untaken.clone());
            answer(router.clone(), request, peer)
        })
    };
    let builder = connection.http.builder();
    let mut http = pin!(builder.serve_connection(TokioIo::new(tls), service));
    let mut cut = pin!(cut(connection, peer));
    let mut leave = pin!(leave(connection));
    let mut first_request = pin!(sleep(FIRST_REQUEST_TIME));
    let mut grace = pin!(sleep(connection.grace));
    let mut look = interval(LOOK_EVERY);
    let (mut awaiting_first, mut leaving) = (true, false);
    loop {
        tokio::select! {
            // Errors of a connection are the peer's: resets, broken frames, missing signs of life.
            _ = http.as_mut() => return,
            () = cut.as_mut() => return,
            () = first_request.as_mut(), if awaiting_first => {
                awaiting_first = false;
                if !used.load(Ordering::Relaxed) {
                    return;
                }
            }
            _ = look.tick() => {
                if untaken.is_abandoned() {
                    tracing::info!(listener = connection.audience.label(), %address, "answers not taken; connection cut");
                    return;
                }
            }
            () = leave.as_mut(), if !leaving => {
                leaving = true;
                leaving_calls.ask();
                http.as_mut().graceful_shutdown();
                grace.as_mut().reset(Instant::now() + connection.grace);
            }
            () = grace.as_mut(), if leaving => return,
        }
    }
}

/// Ends when the connection must not go on.
async fn cut(connection: &Connection, peer: Option<Peer>) {
    match (&connection.audience, peer) {
        (Audience::Agents { revocations, .. }, Some(Peer { office, .. })) => tokio::select! {
            () = connection.stop.kill.cancelled() => {}
            revocation = revocations.revoked(office) => {
                tracing::warn!(office = %office.office_id, ?revocation, "connection cut");
                // Time for the answers that say why.
                sleep(LAST_WORD).await;
            }
        },
        _ => connection.stop.kill.cancelled().await,
    }
}

/// Ends when the connection should go on elsewhere. The age differs by chance, so that connections made
/// together do not come back together.
async fn leave(connection: &Connection) {
    let age = connection.age.mul_f64(1.0 + 0.1 * rand::random::<f64>());
    tokio::select! {
        () = connection.stop.drain.cancelled() => {}
        () = sleep(age) => {}
    }
}

async fn answer(
    router: Router,
    request: Request<Incoming>,
    peer: Option<Peer>,
) -> Result<Response<Body>, Infallible> {
    let mut request = request.map(Body::new);
    if let Some(Peer { office, not_after }) = peer {
        // A connection can outlive its certificate.
        match OffsetDateTime::now_utc() <= not_after {
            true => drop(request.extensions_mut().insert(office)),
            false => drop(request.extensions_mut().insert(LapsedOffice(office))),
        }
    }
    router.oneshot(request).await
}
