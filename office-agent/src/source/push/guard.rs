//! Keeps browsers out. A page of somebody else's can make a browser on this machine call loopback, directly
//! (which carries `Origin`) or under a name of its own that resolves to loopback (DNS rebinding, which carries
//! that name as `Host`). Neither is a case system.

use std::net::IpAddr;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};

/// Answers calls of this machine's own programs alone.
pub(crate) fn guarded(router: Router) -> Router {
    router.layer(from_fn(no_browser))
}

async fn no_browser(request: Request, next: Next) -> Response {
    if request.headers().contains_key(ORIGIN) {
        return refuse("calls come from programs of this machine, not from a browser\n");
    }
    if !addressed_to_loopback(request.headers(), request.uri()) {
        return refuse("calls are taken under localhost or a loopback address only\n");
    }
    next.run(request).await
}

fn refuse(why: &'static str) -> Response {
    (StatusCode::FORBIDDEN, why).into_response()
}

/// Every name the request was addressed to must be this machine's, and there must be one.
pub(crate) fn addressed_to_loopback(headers: &HeaderMap, uri: &Uri) -> bool {
    let hosts = headers.get_all(HOST);
    let named = uri.authority().is_some() || hosts.iter().next().is_some();
    let in_headers = hosts.iter().all(|host| {
        let authority = host.to_str().ok().and_then(|host| host.parse().ok());
        authority.is_some_and(|authority: Authority| is_loopback(authority.host()))
    });
    let in_uri = uri
        .authority()
        .is_none_or(|authority| is_loopback(authority.host()));
    named && in_headers && in_uri
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn taken(host: Option<&'static str>, uri: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.extend(host.map(|host| (HOST, HeaderValue::from_static(host))));
        addressed_to_loopback(&headers, &Uri::from_static(uri))
    }

    #[test]
    fn only_loopback_names_are_this_machines() {
        for host in [
            "localhost:7800",
            "LOCALHOST",
            "127.0.0.1:7800",
            "127.0.0.2",
            "[::1]:7800",
        ] {
            assert!(taken(Some(host), "/v1/push/a"), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:7800",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1:7800",
            "evil@",
            "",
        ] {
            assert!(!taken(Some(host), "/v1/push/a"), "{host}");
        }
    }

    #[test]
    fn http2_names_its_host_in_the_address_and_both_must_agree() {
        assert!(taken(None, "http://127.0.0.1:7800/x"));
        assert!(!taken(None, "http://evil.example/x"));
        assert!(!taken(Some("evil.example"), "http://127.0.0.1:7800/x"));
        assert!(!taken(Some("localhost"), "http://evil.example/x"));
        assert!(!taken(None, "/x"), "a request without a host is nobody's");
    }
}
