//! Pages of the interface that are no part of the console: read without a session, or printed. Text, one style and no
//! script; the style is named to the browser by its digest, so that nothing else of that kind is applied.

use std::sync::LazyLock;

use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse, Response};
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("html.css");

/// A page.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
}

impl Page {
    /// `title` is text; `body` is HTML, whatever it quotes [`escaped`].
    pub(super) fn new(title: &str, body: &str) -> Self {
        let title = escaped(title);
        Self {
            text: format!(
                "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>{title}</title>\
                 <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head>\
                 <body>{body}</body></html>"
            ),
        }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
            let digest = BASE64.encode(&Sha256::digest(STYLE));
            let policy =
                format!("default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'");
            HeaderValue::try_from(policy).ok()
        });
        let mut response = Html(self.text).into_response();
        if let Some(policy) = POLICY.clone() {
            response
                .headers_mut()
                .insert(CONTENT_SECURITY_POLICY, policy);
        }
        response
    }
}

/// Text as HTML shows it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_an_office_publishes_is_text() {
        assert_eq!(
            super::escaped("<b>\"a\" & b"),
            "&lt;b&gt;&quot;a&quot; &amp; b"
        );
    }
}
