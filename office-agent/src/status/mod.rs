//! How the agent stands: what `/v1/status` answers and `office-agent status` prints.

mod ask;

use serde::{Deserialize, Serialize};
use time::macros::{format_description, offset};
use time::{OffsetDateTime, UtcOffset};

pub use ask::ask;

use crate::config::{Config, Source};
use crate::identity::{self, Identity};
use crate::outbox::{self, Drift, OutboxError, Summary};
use crate::source::{Doing, SourceState, SourceStates};
use crate::sync::SyncState;

/// How the agent stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Agent's version.
    pub version: String,
    /// Whether the answer comes from a running agent.
    pub running: bool,
    /// The office; absent before enrolment.
    pub office_id: Option<String>,
    /// Its Chinese name.
    pub office_name: String,
    /// When the certificate ends, seconds since 1970.
    pub certificate_ends_at: Option<i64>,
    /// The connection; absent when no agent runs.
    pub sync: Option<SyncState>,
    /// The last comparison with the hub; absent before the first of a running agent.
    #[serde(default)]
    pub compared: Option<Compared>,
    /// What is in the outbox.
    #[serde(flatten)]
    pub outbox: Summary,
    /// The configured sources.
    pub sources: Vec<SourceStatus>,
}

/// What a comparison with the hub found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// When, seconds since 1970.
    pub at: i64,
    /// What.
    pub drift: Drift,
}

/// How one source stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceStatus {
    /// Its name.
    pub name: String,
    /// `sql`, `folder` or `push`.
    pub kind: String,
    /// Records it put into the outbox so far.
    pub stored: u64,
    /// Whether everything it has is in the outbox; false when no agent runs to know it.
    pub caught_up: bool,
    /// What it does now.
    #[serde(flatten)]
    pub state: SourceState,
}

impl Status {
    /// How a running agent stands.
    #[must_use]
    pub fn of_running(
        config: &Config,
        identity: &Identity,
        sync: SyncState,
        outbox: Summary,
        sources: &SourceStates,
    ) -> Self {
        let mut status = Self::new(config, Some(identity), outbox);
        status.running = true;
        status.sync = Some(sync);
        for (source, told) in config.sources.iter().zip(&mut status.sources) {
            told.running(source, sources.of(source.name()));
        }
        status
    }

    /// What the files of an agent say that does not run.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub fn of_stopped(config: &Config) -> Result<Self, OutboxError> {
        let identity = identity::load(&config.data_dir).ok();
        let outbox = Summary::of(&config.data_dir.join(outbox::FILE))?.unwrap_or_default();
        Ok(Self::new(config, identity.as_ref(), outbox))
    }

    /// Whether nothing can be handed over until the certificate is renewed, or the office enrols again.
    #[must_use]
    pub fn has_dead_identity(&self, now: OffsetDateTime) -> bool {
        let ended = self
            .certificate_ends_at
            .is_some_and(|ends| ends < now.unix_timestamp());
        ended || self.sync.as_ref().is_some_and(|sync| sync.identity_refused)
    }

    fn new(config: &Config, identity: Option<&Identity>, outbox: Summary) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            running: false,
            office_id: identity.map(|identity| identity.office_id().to_string()),
            office_name: identity
                .map(|identity| identity.office_name().to_owned())
                .unwrap_or_default(),
            certificate_ends_at: identity.map(|identity| identity.not_after().unix_timestamp()),
            sync: None,
            compared: None,
            sources: config
                .sources
                .iter()
                .map(|source| SourceStatus::new(source, &outbox))
                .collect(),
            outbox,
        }
    }
}

impl SourceStatus {
    fn new(source: &Source, outbox: &Summary) -> Self {
        let name = source.name().as_str();
        let known = outbox.sources.iter().find(|known| known.name == name);
        let kind = match source {
            Source::Sql(_) => "sql",
            Source::Folder(_) => "folder",
            Source::Push(_) => "push",
        };
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            stored: known.map_or(0, |known| known.stored),
            caught_up: false,
            state: SourceState {
                last_read_at: known.map(|known| known.last_read_at),
                ..SourceState::default()
            },
        }
    }

    fn running(&mut self, source: &Source, state: SourceState) {
        // What is pushed is in the outbox before the call ends: nothing is ever behind.
        self.caught_up = matches!(source, Source::Push(_)) || matches!(state.doing, Doing::Waiting);
        self.state = SourceState {
            last_read_at: state.last_read_at.or(self.state.last_read_at),
            ..state
        };
    }
}

/// A time as staff read it: in China's one time zone.
#[must_use]
pub fn time_zh(seconds: i64) -> String {
    const CHINA: UtcOffset = offset!(+8);
    let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|time| time.to_offset(CHINA).format(form).ok())
        .unwrap_or_else(|| "—".to_owned())
}
