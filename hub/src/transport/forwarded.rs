//! Whom a reverse proxy speaks for. Behind a proxy every connection comes from its address; limits by address, and the
//! share that each address has, want the client's. What a proxy of the configuration says of it is believed, and nobody
//! else's word.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::Response;

use super::ClientAddress;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Proxies whose word on a client's address is taken. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TrustedProxies(Arc<[IpAddr]>);

impl TrustedProxies {
    pub fn new(proxies: &[IpAddr]) -> Self {
        Self(proxies.iter().map(IpAddr::to_canonical).collect())
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// The last hop before those that are trusted. Each proxy adds at the end whom it heard it from; what stands before
    /// the first that is not trusted can have been written by anybody.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        while self.trusts(client) {
            match hops.next().map(|hop| hop.trim().parse()) {
                Some(Ok(hop)) => client = hop,
                Some(Err(_)) | None => break,
            }
        }
        client
    }
}

/// Puts the client's address in the place of a trusted proxy's.
pub async fn forwarded(
    State(proxies): State<TrustedProxies>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(&ClientAddress(peer)) = request.extensions().get() {
        let client = proxies.client(peer.ip(), request.headers());
        if client != peer.ip() {
            // Nobody says from which port.
            let client = ClientAddress(SocketAddr::new(client, 0));
            request.extensions_mut().insert(client);
        }
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[&str]) -> String {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let proxies = TrustedProxies::new(&[address("10.0.0.1"), address("10.0.0.2")]);
        let headers = lines
            .iter()
            .map(|line| (FORWARDED_FOR, line.parse().expect("a value")))
            .collect();
        proxies.client(address(peer), &headers).to_string()
    }

    #[test]
    fn a_trusted_proxy_says_who_the_client_is() {
        assert_eq!(client("10.0.0.1", &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(client("::ffff:10.0.0.1", &["2001:db8::7"]), "2001:db8::7");
        let through_both = client("10.0.0.1", &["192.0.2.7, 10.0.0.2"]);
        assert_eq!(through_both, "192.0.2.7");
        let in_two_lines = client("10.0.0.1", &["192.0.2.7", "10.0.0.2"]);
        assert_eq!(in_two_lines, "192.0.2.7");
    }

    #[test]
    fn what_a_client_wrote_itself_is_not_believed() {
        assert_eq!(client("192.0.2.7", &["198.51.100.1"]), "192.0.2.7");
        let put_before = client("10.0.0.1", &["198.51.100.1, 192.0.2.7"]);
        assert_eq!(put_before, "192.0.2.7");
        let as_a_proxy = client("10.0.0.1", &["198.51.100.1, 10.0.0.2, 192.0.2.7"]);
        assert_eq!(as_a_proxy, "192.0.2.7");
        let line_before = client("10.0.0.1", &["198.51.100.1", "192.0.2.7"]);
        assert_eq!(line_before, "192.0.2.7");
    }

    #[test]
    fn where_nothing_readable_is_said_the_proxy_is_the_client() {
        for lines in [&[][..], &[""], &["unknown"], &["192.0.2.7, _hidden"]] {
            assert_eq!(client("10.0.0.1", lines), "10.0.0.1", "{lines:?}");
        }
        let at_the_second = client("10.0.0.1", &["unknown, 10.0.0.2"]);
        assert_eq!(at_the_second, "10.0.0.2");
    }
}
