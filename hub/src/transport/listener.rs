//! The accept loop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use metrics::counter;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ClientAddress;
use super::connection::{Connection, serve};
use super::protocol::HttpLimits;
use crate::config::{Limits, TrustDomain};
use crate::gate::{Full, Gate};
use crate::identity::revocation::Revocations;
use crate::telemetry::metrics::{ACCEPT_ERRORS, CONNECTIONS_REFUSED};

/// Pause after an error of accept(2): without a free file descriptor the next try fails as well.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Who connects here.
#[derive(Clone, Debug)]
pub enum Audience {
    /// Offices, each with its certificate; a revoked one is cut off.
    Agents {
        trust_domain: TrustDomain,
        revocations: Revocations,
    },
    /// Anybody.
    People,
}

impl Audience {
    /// Label of metrics and logs.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Agents { .. } => "agents",
            Self::People => "people",
        }
    }

    const fn http(&self) -> HttpLimits {
        match self {
            Self::Agents { .. } => HttpLimits::AGENTS,
            Self::People => HttpLimits::PEOPLE,
        }
    }
}

/// When a listener ends.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// No new connection, no new call on open ones; open calls go on.
    pub drain: CancellationToken,
    /// Everything ends now.
    pub kill: CancellationToken,
}

/// A bound address, not accepting yet.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    audience: Audience,
    tls: Arc<ServerConfig>,
    limits: Limits,
}

impl Listener {
    /// Takes the address; port 0 takes any free port.
    pub async fn bind(
        address: SocketAddr,
        audience: Audience,
        tls: ServerConfig,
        limits: Limits,
    ) -> io::Result<Self> {
        Ok(Self {
            tcp: TcpListener::bind(address).await?,
            audience,
            tls: Arc::new(tls),
            limits,
        })
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Accepts until `stop.drain`, then waits for the open connections to end, at most until `stop.kill`.
    pub async fn serve(self, router: Router, stop: Stop) {
        let gate = Gate::new(self.limits.connections, self.limits.connections_per_address);
        let label = self.audience.label();
        let connection = Arc::new(Connection {
            http: self.audience.http(),
            audience: self.audience,
            tls: self.tls,
            router,
            age: self.limits.connection_age.into(),
            grace: self.limits.drain.into(),
            stop: stop.clone(),
        });
        let open = TaskTracker::new();
        while let Some(accepted) = stop.drain.run_until_cancelled(self.tcp.accept()).await {
            let (tcp, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    accept_failed(label, &error).await;
                    continue;
                }
            };
            match gate.enter(ClientAddress(address).network()) {
                Ok(place) => {
                    let connection = Arc::clone(&connection);
                    open.spawn(async move {
                        let _place = place;
                        serve(&connection, nodelay(tcp), address).await;
                    });
                }
                Err(full) => {
                    let reason = match full {
                        Full::Total => "total",
                        Full::OfOne => "address",
                    };
                    counter!(CONNECTIONS_REFUSED, "listener" => label, "reason" => reason)
                        .increment(1);
                }
            }
        }
        drop(self.tcp);
        open.close();
        open.wait().await;
    }
}

/// An error here is never the end of the loop (RUSTSEC-2024-0376 was one that did).
async fn accept_failed(listener: &'static str, error: &io::Error) {
    let of_the_peer = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    );
    if of_the_peer {
        return;
    }
    counter!(ACCEPT_ERRORS, "listener" => listener).increment(1);
    tracing::error!(listener, %error, "a connection could not be accepted; trying on");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

fn nodelay(tcp: TcpStream) -> TcpStream {
    // Fails only when the peer is gone already, which the handshake notices.
    let _ = tcp.set_nodelay(true);
    tcp
}
