//! Values that cannot be wrong once they are read: addresses, durations, names and secrets.

use std::{
    env, fmt, fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use zeroize::Zeroizing;

fn from_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    String::deserialize(deserializer)?
        .parse()
        .map_err(D::Error::custom)
}

/// Declares the serde side of a type that is written as text.
macro_rules! serde_as_text {
    ($($name:ident),+) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                from_text(deserializer)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )+};
}

serde_as_text!(HubUrl, Interval, LoopbackAddr, Secret, SourceName);

/// An `https` address of the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubUrl {
    uri: http::Uri,
}

impl HubUrl {
    pub(super) fn local(port: u16) -> Self {
        format!("https://localhost:{port}")
            .parse()
            .expect("a fixed form with any port is an https address")
    }

    /// The address.
    #[must_use]
    pub fn uri(&self) -> &http::Uri {
        &self.uri
    }

    /// Host name or address that the hub's certificate must be made out to, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.uri
            .host()
            .unwrap_or_default()
            .trim_start_matches('[')
            .trim_end_matches(']')
    }

    /// As a browser names a page from there (RFC 6454): without the port when it is that of https.
    #[must_use]
    pub fn origin(&self) -> String {
        let host = self.uri.host().unwrap_or_default().to_ascii_lowercase();
        match self.port() {
            443 => format!("https://{host}"),
            port => format!("https://{host}:{port}"),
        }
    }

    /// TCP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(443)
    }
}

impl FromStr for HubUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected an address like https://hub.example:7443".to_owned();
        let uri: http::Uri = text.parse().map_err(|_| expected())?;
        let plain = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let no_user = uri
            .authority()
            .is_some_and(|authority| !authority.as_str().contains('@'));
        if uri.scheme_str() != Some("https") || !plain || !no_user {
            return Err(expected());
        }
        Ok(Self { uri })
    }
}

impl fmt::Display for HubUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.uri.to_string().trim_end_matches('/'))
    }
}

/// A duration written as `500ms`, `5s`, `10m`, `24h` or `2d`; never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval(Duration);

impl Interval {
    pub(super) fn five_seconds() -> Self {
        Self(Duration::from_secs(5))
    }

    pub(super) fn half_a_minute() -> Self {
        Self(Duration::from_secs(30))
    }

    /// The duration.
    #[must_use]
    pub fn get(self) -> Duration {
        self.0
    }
}

impl FromStr for Interval {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a duration like 500ms, 5s, 10m, 24h or 2d";
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or(EXPECTED)?;
        let (number, unit) = text.split_at(unit_at);
        let unit_ms: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(EXPECTED),
        };
        let number: u64 = number.parse().map_err(|_| EXPECTED)?;
        match number.checked_mul(unit_ms) {
            None | Some(0) => Err(EXPECTED),
            Some(ms) => Ok(Self(Duration::from_millis(ms))),
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            ms if ms % 1000 == 0 => write!(f, "{}s", ms / 1000),
            ms => write!(f, "{ms}ms"),
        }
    }
}

/// A loopback address: what listens there has no sign-in, so nobody else may reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopbackAddr(SocketAddr);

impl LoopbackAddr {
    /// The address.
    #[must_use]
    pub fn get(self) -> SocketAddr {
        self.0
    }
}

impl Default for LoopbackAddr {
    fn default() -> Self {
        Self(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7800))
    }
}

impl FromStr for LoopbackAddr {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let addr: SocketAddr = text
            .parse()
            .map_err(|_| "expected a loopback address and port like 127.0.0.1:7800")?;
        if addr.ip().is_loopback() {
            Ok(Self(addr))
        } else {
            Err(
                "only a loopback address may listen here, e.g. 127.0.0.1:7800: the endpoint has no sign-in",
            )
        }
    }
}

impl fmt::Display for LoopbackAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Name of a source: 1 to 40 lower-case letters, digits, `-` or `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(String);

impl SourceName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SourceName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=40).contains(&text.len())
            && text
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err("a source's name has 1 to 40 lower-case letters, digits, - or _")
        }
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that is not shown: given literally, or as `env:NAME` or `file:PATH`.
#[derive(Clone)]
pub struct Secret(Place);

#[derive(Clone)]
enum Place {
    Literal(Zeroizing<String>),
    Env(String),
    File(PathBuf),
}

/// A secret that is not where the configuration says.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set or not text.
    #[error("the environment variable {0} is not set; set it, or write the value elsewhere")]
    NoVariable(String),
    /// The file cannot be read.
    #[error("the secret file {path} cannot be read: {source}")]
    NoFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Secret {
    /// The text, read where it stands; a file's last line end is left out.
    ///
    /// # Errors
    /// When the variable or the file is not there.
    pub fn reveal(&self) -> Result<Zeroizing<String>, SecretError> {
        match &self.0 {
            Place::Literal(text) => Ok(text.clone()),
            Place::Env(name) => env::var(name)
                .map(Zeroizing::new)
                .map_err(|_| SecretError::NoVariable(name.clone())),
            Place::File(path) => match fs::read_to_string(path).map(Zeroizing::new) {
                Ok(text) => Ok(Zeroizing::new(
                    text.trim_end_matches(['\r', '\n']).to_owned(),
                )),
                Err(source) => Err(SecretError::NoFile {
                    path: path.clone(),
                    source,
                }),
            },
        }
    }

    pub(super) fn anchor(&mut self, base: &Path) {
        if let Place::File(path) = &mut self.0 {
            *path = base.join(&*path);
        }
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(match text.split_once(':') {
            Some(("env", name)) => Place::Env(name.to_owned()),
            Some(("file", path)) => Place::File(path.into()),
            _ => Place::Literal(Zeroizing::new(text.to_owned())),
        }))
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Literal(_) => f.write_str("[redacted]"),
            Place::Env(name) => write!(f, "env:{name}"),
            Place::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_are_not_zero() {
        assert_eq!("500ms".parse(), Ok(Interval(Duration::from_millis(500))));
        assert_eq!("2d".parse(), Ok(Interval(Duration::from_secs(172_800))));
        for wrong in [
            "",
            "5",
            "s",
            "0s",
            "-5s",
            "5 s",
            "5w",
            "99999999999999999999s",
        ] {
            assert!(wrong.parse::<Interval>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_https_addresses_without_path_are_hub_addresses() {
        let url: HubUrl = "https://[::1]:7443".parse().expect("fits");
        assert_eq!((url.host(), url.port()), ("::1", 7443));
        assert_eq!(url.to_string(), "https://[::1]:7443");
        for wrong in [
            "http://hub:1",
            "hub:7443",
            "https://hub/x",
            "https://u:p@hub",
            "https://",
        ] {
            assert!(wrong.parse::<HubUrl>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_loopback_may_listen() {
        assert!("127.0.0.1:0".parse::<LoopbackAddr>().is_ok());
        assert!("[::1]:7800".parse::<LoopbackAddr>().is_ok());
        let error = "0.0.0.0:7800"
            .parse::<LoopbackAddr>()
            .expect_err("open to all");
        assert!(error.contains("loopback"));
    }

    #[test]
    fn a_secret_shows_where_it_stands_and_never_itself() {
        let secret: Secret = "postgres://u:geheim@db/x".parse().expect("any text");
        assert_eq!(
            format!("{secret} {secret:?}"),
            "[redacted] Secret([redacted])"
        );
        assert_eq!(
            secret.reveal().expect("literal").as_str(),
            "postgres://u:geheim@db/x"
        );
        let missing: Secret = "env:OFFICE_AGENT_NO_SUCH".parse().expect("any text");
        assert_eq!(missing.to_string(), "env:OFFICE_AGENT_NO_SUCH");
        assert!(missing.reveal().is_err());
    }
}
