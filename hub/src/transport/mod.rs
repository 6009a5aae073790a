//! TCP and TLS under both HTTP listeners: one accept loop, every limit explicit, no way to hold the hub with
//! half a handshake, half a header or a thousand idle connections.

mod connection;
mod forwarded;
mod listener;
mod protocol;
mod tls;

pub use forwarded::{TrustedProxies, forwarded};
pub use listener::{Audience, Listener, Stop};
pub use protocol::{HttpLimits, MAX_CALL_IN, MAX_MESSAGE_IN, MAX_MESSAGE_OUT};
pub use tls::{TlsSetupError, agents_tls, people_tls};

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use tokio_util::sync::CancellationToken;

use crate::gate;

/// Where a request came from; in the extensions of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub SocketAddr);

impl ClientAddress {
    /// What counts as one caller.
    pub(crate) fn network(self) -> IpAddr {
        gate::network(self.0.ip())
    }
}

/// The bearer token of a request that carries exactly one.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (values.next().is_none() && scheme.eq_ignore_ascii_case("bearer")).then_some(token)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_one_network_count_as_one_caller() {
        let network = |text: &str| ClientAddress(text.parse().expect("an address")).network();
        assert_eq!(network("10.0.0.1:1"), network("[::ffff:10.0.0.1]:2"));
        assert_ne!(network("10.0.0.1:1"), network("10.0.0.2:1"));
        assert_eq!(network("[2001:db8::1]:1"), network("[2001:db8::2]:1"));
        assert_ne!(network("[2001:db8::1]:1"), network("[2001:db8:0:1::1]:1"));
    }
}
