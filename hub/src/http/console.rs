//! The web console (`hub/console/`): its files are embedded in a release and read from the checkout in a debug build.
//! What the browser shows lives at paths of the console's own making; each is answered with the one page, and never
//! hides that the interface under `/api/` has no such route.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, HeaderName, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::problem::Problem;

#[derive(RustEmbed)]
#[folder = "console/dist/"]
#[exclude = ".gitignore"]
struct Files;

/// Nothing but our own files; no inline script, no eval, nowhere to send anything but this hub and, for a look-up, the
/// office's agent on the reader's own machine, because only an office may turn numbers into tokens.
const PAGE_HEADERS: [(HeaderName, &str); 4] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
         connect-src 'self' http://127.0.0.1:*; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];
/// The name of a file in `assets/` changes with its content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

const NOT_BUILT: &str = "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>控制台尚未构建</title>\
    <h1>控制台尚未构建</h1><p>请在源代码目录运行 <code>make console</code>，然后重新编译 notary-hub。\
    接口 <code>/api/v1/</code> 不受影响。</p></html>";

/// Answers whatever is no route.
pub(super) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if method != Method::GET && method != Method::HEAD || path == "api" || path.starts_with("api/")
    {
        return Problem::not_found().into_response();
    }
    let asset = path.starts_with("assets/");
    if asset || path == "favicon.svg" {
        return match file(path, &headers) {
            Some(response) => response,
            None => Problem::not_found().into_response(),
        };
    }
    match accepts(&headers, &ACCEPT, "text/html") {
        true => page(),
        false => Problem::not_found().into_response(),
    }
}

/// The one page.
fn page() -> Response {
    let mut response = match Files::get("index.html") {
        Some(index) => ([(CONTENT_TYPE, "text/html; charset=utf-8")], bytes(index)).into_response(),
        None => Html(NOT_BUILT).into_response(),
    };
    for (name, value) in PAGE_HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A file as it is, or as it was compressed when the console was built.
fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    // A debug build reads files by their path.
    if path.contains("..") {
        return None;
    }
    let brotli = accepts(headers, &ACCEPT_ENCODING, "br")
        .then(|| Files::get(&format!("{path}.br")))
        .flatten();
    let encoded = brotli.is_some();
    let file = brotli.or_else(|| Files::get(path))?;
    let mut response = ([(CONTENT_TYPE, content_type(path))], bytes(file)).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if encoded {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    Some(response)
}

fn bytes(file: EmbeddedFile) -> Body {
    match file.data {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    }
}

fn accepts(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    let mut values = headers.get_all(name).iter();
    values.any(|value| {
        value.to_str().is_ok_and(|list| {
            list.split(',')
                .any(|item| item.split(';').next().is_some_and(|it| it.trim() == wanted))
        })
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
