//! The hub's configuration: one TOML file with environment overrides. Every key has a default except
//! `data_dir`; every value is parsed here into a type that cannot be wrong.

mod default;
mod load;
mod value;

pub use load::ConfigError;
pub use value::{DatabaseUrl, IssuerUrl, Span, TrustDomain};

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls_pki_types::ServerName;
use serde::{Deserialize, Serialize};

use crate::identity::RoleKind;

/// How far back the hub remembers sessions that were ended before their time.
const LONGEST_SESSION: Duration = Duration::from_secs(24 * 3600);

/// Everything a hub can be told.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where keys, the embedded database and `addresses.json` live. Relative to the configuration file.
    pub data_dir: PathBuf,
    #[serde(default)]
    pub database: Database,
    #[serde(default = "Listener::agents")]
    pub agents: Listener,
    #[serde(default)]
    pub people: People,
    #[serde(default = "Listener::metrics")]
    pub metrics: Listener,
    #[serde(default)]
    pub tls: Tls,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub identity: Identity,
    /// Absent: people sign in with local accounts alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc: Option<Oidc>,
    #[serde(default)]
    pub ingest: Ingest,
    #[serde(default)]
    pub linking: Linking,
    #[serde(default)]
    pub background: Background,
    #[serde(default)]
    pub lookup: Lookup,
    #[serde(default)]
    pub exports: Exports,
    #[serde(default)]
    pub audit: Audit,
    #[serde(default)]
    pub log: Log,
}

/// Where the data is.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgres://…`, or `file:PATH`; absent: a private PostgreSQL in `data_dir/postgres`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<DatabaseUrl>,
    /// Connections of all pools together.
    pub max_connections: u32,
}

/// One address to listen on. Port 0 takes any free one; `addresses.json` says which.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    pub listen: SocketAddr,
}

/// Where people and enrolling agents come.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct People {
    pub listen: SocketAddr,
    /// Reverse proxies whose `X-Forwarded-For` is believed: limits by address count their clients'.
    pub trusted_proxies: Vec<IpAddr>,
}

/// Transport security of both TLS listeners.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    pub minimum_version: TlsVersion,
}

/// Oldest TLS version spoken.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
pub enum TlsVersion {
    /// Only for a middlebox that cannot be replaced.
    #[serde(rename = "1.2")]
    Tls12,
    #[default]
    #[serde(rename = "1.3")]
    Tls13,
}

/// Bounds of each TLS listener.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open connections.
    pub connections: usize,
    /// Open connections of one address. Offices behind one address translator share it.
    pub connections_per_address: usize,
    /// A connection this old (up to a tenth more, by chance) is asked to reconnect.
    pub connection_age: Span,
    /// How long open calls may take to end when the hub stops.
    pub drain: Span,
}

/// Who may speak.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// Domain of the offices' names: `spiffe://<trust_domain>/office/<office_id>`.
    pub trust_domain: TrustDomain,
    /// DNS names and IP addresses under which this hub is reached.
    pub names: Vec<String>,
    /// Life of an office's certificate; renewed at half of it.
    pub certificate_ttl: Span,
    /// How long after its end a certificate can still be renewed: offices close for holidays. A year at most.
    pub renewal_grace: Span,
    /// How many renewals an office has at once at one hub; as many again come within a certificate's life.
    pub renewals: NonZeroU32,
    /// Whether somebody at the bureau has to approve each key that asks for an office's first certificate.
    pub approve_enrolment: bool,
    /// Life of a person's session; a day at most.
    pub session_ttl: Span,
    /// Roles that cannot sign in without a second factor.
    pub second_factor: Vec<RoleKind>,
}

/// The bureau's identity provider (OpenID Connect).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// As the provider itself states it; its configuration is at `<issuer>/.well-known/openid-configuration`.
    pub issuer: IssuerUrl,
    /// Name of the hub at the provider.
    pub client_id: String,
    /// Certificates (PEM) that the provider's own is checked against.
    #[serde(default = "Oidc::ca_file")]
    pub ca_file: PathBuf,
}

/// How cases are taken in.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ingest {
    /// Writers; an office always has the same one.
    pub writers: u32,
}

/// How persons are linked.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Linking {
    /// Workers; 0 leaves the work to the other hubs of the database.
    pub workers: u32,
}

/// What follows from cases and is not waited for: linkage, supervision, adding figures up.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Background {
    /// Percent of one core's time that all of it together gets while cases come or look-ups are made at this hub; 1 to 100.
    /// Otherwise it takes what it needs.
    pub share_percent: NonZeroU32,
}

/// How often notaries may look up, counted at each hub.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lookup {
    pub person_per_minute: NonZeroU32,
    pub office_per_minute: NonZeroU32,
    pub alarm: LookupAlarm,
}

/// When look-ups raise an alarm, counted at each hub.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LookupAlarm {
    /// Over how long.
    pub window: Span,
    /// Different parties and things that a person asks for.
    pub person_subjects: NonZeroU32,
    /// Different parties and things of a person's look-ups that find nothing.
    pub person_misses: NonZeroU32,
    /// Different parties and things under one case reference of a person.
    pub reference_subjects: NonZeroU32,
    /// Different parties and things that all of an office's notaries ask for.
    pub office_subjects: NonZeroU32,
    /// Whether a person with an open alarm is not answered until it is lifted.
    pub blocks: bool,
}

/// Files made as jobs.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exports {
    /// How long a file stays after it was asked for.
    pub keep: Span,
}

/// Checkpoints of the audit log.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// Where they are kept; absent: `data_dir/checkpoints`. Relative to the configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_dir: Option<PathBuf>,
    /// The longest time between two while the log grows.
    pub checkpoint_every: Span,
    /// The most entries of this hub between two.
    pub checkpoint_entries: NonZeroU32,
}

/// What is logged.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    pub format: LogFormat,
    /// Directives of tracing's `EnvFilter`, e.g. `info,notary_hub=debug`.
    pub filter: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Json,
    Text,
}

impl Config {
    /// Where keys and certificates are.
    pub fn pki_dir(&self) -> PathBuf {
        self.data_dir.join("pki")
    }

    /// Where the private PostgreSQL keeps its data.
    pub fn postgres_dir(&self) -> PathBuf {
        self.data_dir.join("postgres")
    }

    /// Where checkpoints of the audit log are kept.
    pub fn checkpoint_dir(&self) -> PathBuf {
        let configured = self.audit.checkpoint_dir.clone();
        configured.unwrap_or_else(|| self.data_dir.join("checkpoints"))
    }

    /// Where the bound addresses are announced.
    pub fn addresses_file(&self) -> PathBuf {
        self.data_dir.join("addresses.json")
    }

    /// The configuration in force as TOML, a password in `database.url` left out.
    pub fn redacted(&self) -> String {
        toml::to_string_pretty(self).expect("every value of the configuration has a TOML form")
    }

    /// What one value alone cannot show to be wrong. `base` is the configuration file's folder.
    fn settle(mut self, base: &Path) -> Result<Self, String> {
        if self.data_dir.as_os_str().is_empty() {
            return Err("data_dir: must not be empty".into());
        }
        self.data_dir = std::path::absolute(base.join(&self.data_dir))
            .map_err(|error| format!("data_dir: {error}"))?;
        if let Some(url) = &mut self.database.url {
            url.settle(base)
                .map_err(|problem| format!("database.url: {problem}"))?;
        }
        if let Some(dir) = &self.audit.checkpoint_dir {
            let dir = std::path::absolute(base.join(dir))
                .map_err(|error| format!("audit.checkpoint_dir: {error}"))?;
            self.audit.checkpoint_dir = Some(dir);
        }
        if self.identity.names.is_empty() {
            return Err("identity.names: name at least one DNS name or IP address".into());
        }
        for name in &self.identity.names {
            ServerName::try_from(name.as_str())
                .map_err(|_| format!("identity.names: `{name}` is no DNS name or IP address"))?;
        }
        if let Some(oidc) = &mut self.oidc {
            oidc.ca_file = base.join(&oidc.ca_file);
            if oidc.client_id.is_empty() {
                return Err("oidc.client_id: must not be empty".into());
            }
        }
        if !self.metrics.listen.ip().is_loopback() {
            return Err(
                "metrics.listen: must be a loopback address; metrics have no sign-in".into(),
            );
        }
        let doors = [
            ("agents.listen", self.agents.listen),
            ("people.listen", self.people.listen),
            ("metrics.listen", self.metrics.listen),
        ];
        for (at, (key, door)) in doors.iter().enumerate() {
            if let Some((other, _)) = doors[..at].iter().find(|(_, other)| meet(*other, *door)) {
                return Err(format!("{key}: is the address of {other} too"));
            }
        }
        tracing_subscriber::EnvFilter::try_new(&self.log.filter)
            .map_err(|error| format!("log.filter: {error}"))?;
        let at_least = |key: &str, value: u64, least: u64| match value >= least {
            true => Ok(()),
            false => Err(format!("{key}: must be at least {least}")),
        };
        at_least(
            "database.max_connections",
            self.database.max_connections.into(),
            8,
        )?;
        at_least("ingest.writers", self.ingest.writers.into(), 1)?;
        at_least("limits.connections", self.limits.connections as u64, 1)?;
        at_least(
            "limits.connections_per_address",
            self.limits.connections_per_address as u64,
            1,
        )?;
        if self.background.share_percent.get() > 100 {
            return Err("background.share_percent: must be at most 100".into());
        }
        if Duration::from(self.identity.session_ttl) > LONGEST_SESSION {
            return Err("identity.session_ttl: must be at most 24h".into());
        }
        if self.identity.renewals.get() < 2 {
            return Err("identity.renewals: must be at least 2, as an office renews at half its certificate's life".into());
        }
        let busy = self
            .ingest
            .writers
            .saturating_mul(2)
            .saturating_add(self.linking.workers);
        if busy > self.database.max_connections {
            return Err(
                "ingest.writers: needs database.max_connections of at least twice as many, with linking.workers on top".into(),
            );
        }
        Ok(self)
    }
}

/// Whether both cannot be bound: the same port of an address, or of all addresses.
fn meet(one: SocketAddr, two: SocketAddr) -> bool {
    let same = one.ip() == two.ip() || one.ip().is_unspecified() || two.ip().is_unspecified();
    one.port() != 0 && one.port() == two.port() && same
}

impl Listener {
    /// The address by which a process on this machine reaches a socket bound here.
    pub fn reachable(bound: SocketAddr) -> SocketAddr {
        match bound {
            SocketAddr::V4(v4) if v4.ip().is_unspecified() => {
                SocketAddr::from((Ipv4Addr::LOCALHOST, v4.port()))
            }
            SocketAddr::V6(v6) if v6.ip().is_unspecified() => {
                SocketAddr::from((Ipv6Addr::LOCALHOST, v6.port()))
            }
            other => other,
        }
    }
}
