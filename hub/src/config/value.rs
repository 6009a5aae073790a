//! Values of the configuration that are more than a number or a text.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time written as people write it: `24h`, `15m`, `1h 30m`. At least a second, at most a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

/// A text that is no [`Span`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a length of time between 1s and 365d, such as \"24h\" or \"15m\"")]
pub struct SpanError;

const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

impl Span {
    pub(super) const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    pub(super) const fn minutes(minutes: u64) -> Self {
        Self::seconds(minutes * 60)
    }

    pub(super) const fn hours(hours: u64) -> Self {
        Self::minutes(hours * 60)
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.0
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let span = humantime::parse_duration(text).map_err(|_| SpanError)?;
        match (Duration::from_secs(1)..=LONGEST).contains(&span) {
            true => Ok(Self(span)),
            false => Err(SpanError),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

/// Issuer of an identity provider: an `https` URL without query, fragment or user, compared byte by byte (OpenID
/// Connect Discovery 1.0, section 3).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct IssuerUrl(String);

/// A text that is no [`IssuerUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected an https URL without query or fragment, such as \"https://id.example.org/realms/bureau\""
)]
pub struct IssuerUrlError;

impl IssuerUrl {
    /// The issuer as the provider states it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the provider's configuration is.
    pub fn discovery(&self) -> String {
        let base = self.0.trim_end_matches('/');
        format!("{base}/.well-known/openid-configuration")
    }
}

impl TryFrom<String> for IssuerUrl {
    type Error = IssuerUrlError;

    fn try_from(text: String) -> Result<Self, IssuerUrlError> {
        let url: http::Uri = text.parse().map_err(|_| IssuerUrlError)?;
        let https = url.scheme_str() == Some("https");
        let host = url.authority().is_some_and(|at| !at.as_str().contains('@'));
        match https && host && !text.contains(['?', '#']) {
            true => Ok(Self(text)),
            false => Err(IssuerUrlError),
        }
    }
}

impl From<IssuerUrl> for String {
    fn from(url: IssuerUrl) -> Self {
        url.0
    }
}

/// Trust domain of a SPIFFE id: lower-case letters, digits, `-`, `.` and `_`; 1 to 255 characters.
/// SPIFFE-ID standard, section 2.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustDomain(String);

/// A text that is no [`TrustDomain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a trust domain has 1 to 255 lower-case letters, digits, hyphens, dots or underscores")]
pub struct TrustDomainError;

impl TrustDomain {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TrustDomain {
    fn default() -> Self {
        Self("notary.hangzhou".into())
    }
}

impl FromStr for TrustDomain {
    type Err = TrustDomainError;

    fn from_str(text: &str) -> Result<Self, TrustDomainError> {
        let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_');
        match (1..=255).contains(&text.len()) && text.bytes().all(allowed) {
            true => Ok(Self(text.into())),
            false => Err(TrustDomainError),
        }
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the database is: `postgres://…`, or `file:PATH` of a file that says it, so that the service and operators' commands
/// have it from one place. Shown and printed without its password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DatabaseUrl {
    /// Empty until the file was read.
    url: String,
    file: Option<PathBuf>,
}

/// A text that is no [`DatabaseUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected the address of a PostgreSQL, postgres://user:password@host/database, or file:PATH of a file that holds it"
)]
pub struct DatabaseUrlError;

impl TryFrom<String> for DatabaseUrl {
    type Error = DatabaseUrlError;

    fn try_from(text: String) -> Result<Self, DatabaseUrlError> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self {
                url: String::new(),
                file: Some(path.into()),
            }),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(Self {
                url: text,
                file: None,
            }),
            _ => Err(DatabaseUrlError),
        }
    }
}

impl DatabaseUrl {
    /// The whole URL, password included.
    pub fn secret(&self) -> &str {
        &self.url
    }

    /// Reads the file, relative to the configuration's folder.
    pub(super) fn settle(&mut self, base: &Path) -> Result<(), String> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        *file = base.join(&*file);
        let text = std::fs::read_to_string(&*file)
            .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        let read = Self::try_from(text.trim_end().to_owned()).ok();
        let read = read.filter(|read| read.file.is_none());
        self.url = read
            .ok_or_else(|| {
                let file = file.display();
                format!(
                    "{file} has to hold postgres://user:password@host/database and nothing else"
                )
            })?
            .url;
        Ok(())
    }

    fn shown(&self) -> String {
        match &self.file {
            Some(file) => format!("file:{}", file.display()),
            None => without_password(&self.url),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}

macro_rules! serde_as_text {
    ($type:ty) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(D::Error::custom)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

serde_as_text!(Span);
serde_as_text!(TrustDomain);

/// A connection URL with its password replaced, wherever it stands: before the `@` or as a parameter.
fn without_password(url: &str) -> String {
    let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
    let scheme = address.find("://").map_or(0, |at| at + 3);
    let mut shown = match address.rfind('@') {
        Some(at) if at >= scheme => {
            let user = address[scheme..at].split(':').next().unwrap_or_default();
            let secret = if address[scheme..at].contains(':') {
                ":***"
            } else {
                ""
            };
            format!("{}{user}{secret}{}", &address[..scheme], &address[at..])
        }
        _ => address.to_owned(),
    };
    for (number, parameter) in parameters.split('&').filter(|p| !p.is_empty()).enumerate() {
        shown.push(if number == 0 { '?' } else { '&' });
        match parameter.split_once('=') {
            Some((name, _)) if name.eq_ignore_ascii_case("password") => {
                shown.push_str(name);
                shown.push_str("=***");
            }
            _ => shown.push_str(parameter),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_written_as_people_write_them() {
        for (text, seconds) in [
            ("24h", 86_400),
            ("15m", 900),
            ("1h 30m", 5400),
            ("7days", 604_800),
        ] {
            let span: Span = text.parse().expect(text);
            assert_eq!(Duration::from(span), Duration::from_secs(seconds));
            assert_eq!(span.to_string().parse(), Ok(span));
        }
        for text in ["", "24", "-1h", "0s", "10ms", "2years", "soon"] {
            assert_eq!(text.parse::<Span>(), Err(SpanError), "{text}");
        }
    }

    #[test]
    fn trust_domains_of_another_form_are_refused() {
        assert!("notary.hangzhou".parse::<TrustDomain>().is_ok());
        for text in [
            "",
            "Notary",
            "a/b",
            "a:1",
            "a%20b",
            "杭州",
            &"a".repeat(256),
        ] {
            assert_eq!(text.parse::<TrustDomain>(), Err(TrustDomainError), "{text}");
        }
    }

    #[test]
    fn passwords_are_left_out_of_urls() {
        for (url, shown) in [
            (
                "postgres://hub:s3cret@db:5432/hub",
                "postgres://hub:***@db:5432/hub",
            ),
            ("postgres://hub:p@ss@db/hub", "postgres://hub:***@db/hub"),
            ("postgres://hub@db/hub", "postgres://hub@db/hub"),
            (
                "postgres:///hub?host=/run&user=hub&password=s3cret",
                "postgres:///hub?host=/run&user=hub&password=***",
            ),
            ("postgres:///hub", "postgres:///hub"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
