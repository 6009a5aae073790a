//! TCP and TLS under both HTTP listeners: one accept loop, every limit explicit, no way to hold the hub with
//! half a handshake, half a header or a thousand idle connections.

mod connection;
mod gate;
mod listener;
mod protocol;
mod tls;

pub use listener::{Audience, Listener, Stop};
pub use protocol::{HttpLimits, MAX_MESSAGE_IN, MAX_MESSAGE_OUT};
pub use tls::{TlsSetupError, agents_tls, people_tls};

use std::net::SocketAddr;

use tokio_util::sync::CancellationToken;

/// Where a request came from; in the extensions of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub SocketAddr);

/// Tells a long call that its connection should go on elsewhere: the hub stops, or the connection is old. In the
/// extensions of every request.
#[derive(Clone, Debug, Default)]
pub struct Leaving(CancellationToken);

impl Leaving {
    /// Ends when the call should end as soon as it can.
    pub async fn asked(&self) {
        self.0.cancelled().await;
    }

    fn ask(&self) {
        self.0.cancel();
    }
}
