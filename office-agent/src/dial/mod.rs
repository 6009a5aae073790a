//! Connections to the hub: TLS 1.3 with the hub's name checked, then gRPC over it. One connection a channel; who
//! wants another dials again, and with whatever certificates are current then.

mod dialer;
mod failure;
mod tls;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

pub use dialer::Dialer;
pub use failure::{DialError, Refusal, TOKEN_KEY_UNKNOWN};
pub use tls::{TlsError, anonymous, as_office};

use crate::config::HubUrl;

/// How long resolving, connecting and the handshake may take together.
const TIME: Duration = Duration::from_secs(20);
/// A peer that vanished without a word is noticed after the two together.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(20);
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(20);

/// Opens a connection to the hub.
///
/// # Errors
/// When there is none; the error says in plain words why.
pub async fn dial(hub: &HubUrl, tls: ClientConfig) -> Result<Channel, DialError> {
    let stream = timeout(TIME, connect(hub, tls))
        .await
        .map_err(|_| DialError::TimedOut { hub: hub.clone() })??;
    over(hub, stream).await
}

/// Speaks gRPC over a connection that is there.
///
/// # Errors
/// When the peer does not speak HTTP/2.
pub async fn over<S>(hub: &HubUrl, stream: S) -> Result<Channel, DialError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut stream = Some(TokioIo::new(stream));
    let once = service_fn(move |_: http::Uri| {
        let stream = stream
            .take()
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, "the connection is gone"));
        async move { stream }
    });
    // The scheme tells tonic to leave TLS alone: it is done.
    Endpoint::from_static("http://hub.invalid")
        .origin(hub.uri().clone())
        .http2_keep_alive_interval(KEEPALIVE_EVERY)
        .keep_alive_timeout(KEEPALIVE_ANSWER)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(256 * 1024)
        .initial_connection_window_size(512 * 1024)
        .connect_with_connector(once)
        .await
        .map_err(|error| DialError::Protocol {
            hub: hub.clone(),
            problem: failure::chain(&error),
        })
}

async fn connect(hub: &HubUrl, tls: ClientConfig) -> Result<TlsStream<TcpStream>, DialError> {
    let name = ServerName::try_from(hub.host().to_owned())
        .map_err(|_| DialError::NoName { hub: hub.clone() })?;
    let socket = TcpStream::connect((hub.host(), hub.port()))
        .await
        .map_err(|source| DialError::Unreachable {
            hub: hub.clone(),
            source,
        })?;
    socket
        .set_nodelay(true)
        .map_err(|source| DialError::Unreachable {
            hub: hub.clone(),
            source,
        })?;
    TlsConnector::from(Arc::new(tls))
        .connect(name, socket)
        .await
        .map_err(|error| failure::of_handshake(hub, error))
}
