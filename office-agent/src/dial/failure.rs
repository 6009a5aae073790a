//! What went wrong between here and the hub, in words that say what to do.

use std::error::Error;
use std::fmt::Write;
use std::io;
use std::time::Duration;

use rustls::CertificateError;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::TlsError;
use crate::config::HubUrl;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The configured host is no name.
    #[error(
        "{hub}: the host is neither a DNS name nor an address; correct it in the configuration"
    )]
    NoName {
        /// Address dialled.
        hub: HubUrl,
    },
    /// No TCP connection.
    #[error("the hub cannot be reached at {hub}: {source}")]
    Unreachable {
        /// Address dialled.
        hub: HubUrl,
        /// Why.
        source: io::Error,
    },
    /// Nobody answered.
    #[error("the hub at {hub} does not answer")]
    TimedOut {
        /// Address dialled.
        hub: HubUrl,
    },
    /// The peer's certificate is of another CA.
    #[error(
        "what answers at {hub} is not certified by the CA this agent trusts; compare hub.ca_file (before enrolment) \
         with the operator's anchors.pem, or enrol again"
    )]
    WrongCa {
        /// Address dialled.
        hub: HubUrl,
    },
    /// The peer's certificate is of another host.
    #[error(
        "the hub's certificate is not made out to `{}`; use one of the names in the hub's identity.names",
        hub.host()
    )]
    WrongName {
        /// Address dialled.
        hub: HubUrl,
    },
    /// The peer's certificate is not valid now.
    #[error(
        "by this machine's clock the hub's certificate at {hub} is not valid {}; set the clock, or tell the operator",
        if *.not_yet { "yet" } else { "any more" }
    )]
    WrongClock {
        /// Address dialled.
        hub: HubUrl,
        /// Whether its time has not begun; otherwise it is over.
        not_yet: bool,
    },
    /// The handshake failed otherwise.
    #[error("no secure connection to {hub}: {problem}")]
    Handshake {
        /// Address dialled.
        hub: HubUrl,
        /// What TLS says.
        problem: String,
    },
    /// HTTP/2 could not begin.
    #[error("{hub} does not speak the hub's protocol: {problem}")]
    Protocol {
        /// Address dialled.
        hub: HubUrl,
        /// What it says.
        problem: String,
    },
    /// Nothing to connect with.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl DialError {
    /// What is to be mended here, for staff, Chinese; `None` where it may be the network or the hub.
    #[must_use]
    pub fn remedy_zh(&self) -> Option<&'static str> {
        match self {
            Self::WrongCa { .. } => Some("平台证书不受信任。请核对 hub.ca_file 或重新注册。"),
            Self::WrongClock { .. } => Some("本机时钟可能不正确。请校准本机时间。"),
            Self::NoName { .. } | Self::WrongName { .. } => {
                Some("平台地址与其证书不符。请核对配置中的平台地址。")
            }
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Handshake { .. }
            | Self::Protocol { .. }
            | Self::Tls(_) => None,
        }
    }
}

pub(super) fn of_handshake(hub: &HubUrl, error: io::Error) -> DialError {
    let hub = hub.clone();
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(problem)) => of_certificate(hub, problem),
        Some(other) => DialError::Handshake {
            hub,
            problem: other.to_string(),
        },
        None => DialError::Unreachable { hub, source: error },
    }
}

fn of_certificate(hub: HubUrl, problem: &CertificateError) -> DialError {
    match problem {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            DialError::WrongCa { hub }
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            DialError::WrongName { hub }
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            DialError::WrongClock { hub, not_yet: true }
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            DialError::WrongClock {
                hub,
                not_yet: false,
            }
        }
        other => DialError::Handshake {
            hub,
            problem: other.to_string(),
        },
    }
}

/// Reason given here when the hub's TLS refuses this office's certificate, which leaves no call to refuse.
const CERTIFICATE_NOT_ACCEPTED: &str = "CERTIFICATE_NOT_ACCEPTED";

/// The hub's reason for a call whose tokens are made with another key than the city's: it went over to the next one.
pub const TOKEN_KEY_UNKNOWN: &str = "TOKEN_KEY_UNKNOWN";

/// A call that the hub, or the way to it, refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Stable reason of docs/errors.md, or [`CERTIFICATE_NOT_ACCEPTED`]; empty when the hub gave none.
    pub reason: String,
    /// gRPC status code.
    pub code: Code,
    /// Fields of the call that the hub could not use, by their paths.
    pub fields: Vec<String>,
    /// For logs and operators, English.
    pub message: String,
    /// For staff, Chinese; empty when the hub answered and gave none.
    pub message_zh: String,
    /// When to come back, when the hub said so.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// Reads a refusal; a failure of the connection becomes one too.
    #[must_use]
    pub fn of(status: &Status) -> Self {
        let details = status.get_error_details();
        let mut reason = details
            .error_info()
            .map(|info| info.reason.clone())
            .unwrap_or_default();
        let (message, own_zh) = match Error::source(status) {
            // The hub's alert on our certificate comes after the handshake, with the first answer.
            Some(source) if chain(source).contains("fatal alert") => {
                CERTIFICATE_NOT_ACCEPTED.clone_into(&mut reason);
                (
                    format!(
                        "the hub does not accept this office's certificate ({}); it may have ended too long ago or be of \
                     another CA: enrol again with a new token",
                        last(source)
                    ),
                    "平台不接受本处证书。请向平台管理员领取新的注册码，重新注册。",
                )
            }
            Some(source) if reason.is_empty() => (
                format!("the connection to the hub broke: {}", last(source)),
                "与平台的连接中断，恢复后自动继续报送。",
            ),
            _ => (status.message().to_owned(), ""),
        };
        Self {
            reason,
            code: status.code(),
            fields: details.bad_request().map_or_else(Vec::new, |bad| {
                let violations = bad.field_violations.iter();
                violations.map(|one| one.field.clone()).collect()
            }),
            message,
            message_zh: details
                .localized_message()
                .map_or_else(|| own_zh.to_owned(), |text| text.message.clone()),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
        }
    }

    /// Whether who this agent is was refused, not what it asked: a person has to help.
    #[must_use]
    pub fn is_of_identity(&self) -> bool {
        matches!(
            self.reason.as_str(),
            CERTIFICATE_NOT_ACCEPTED | "CERTIFICATE_REVOKED" | "OFFICE_REVOKED" | "OFFICE_MISMATCH"
        )
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match self.reason.as_str() {
            "" => {}
            reason => write!(f, " ({reason})")?,
        }
        match self.fields.as_slice() {
            [] => Ok(()),
            fields => write!(f, ": {}", fields.join(", ")),
        }
    }
}

impl Error for Refusal {}

/// An error with all it came from.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let _ = write!(text, ": {error}");
        next = error.source();
    }
    text
}

fn last(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}
