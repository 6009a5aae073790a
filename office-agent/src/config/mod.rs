//! The agent's configuration: one TOML file, overridden by `OFFICE_AGENT__SECTION__KEY` in the environment.
//! Whatever is read here is valid: addresses are loopback, hub addresses are `https`, durations are durations,
//! and an unknown key is an error that names the nearest known one.

mod load;
mod value;

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

pub use load::{ConfigError, UnknownKey};
pub use value::{HubUrl, Interval, LoopbackAddr, Secret, SecretError, SourceName};

/// Everything the agent is told.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the outbox and the identity live.
    pub data_dir: PathBuf,
    /// The hub.
    #[serde(default)]
    pub hub: Hub,
    /// The loopback endpoint for pushes and for `status`.
    #[serde(default)]
    pub local: Local,
    /// How long acknowledged records are kept.
    #[serde(default)]
    pub outbox: Outbox,
    /// Logging.
    #[serde(default)]
    pub log: Log,
    /// The office's own systems.
    #[serde(default, rename = "source")]
    pub sources: Vec<Source>,
}

/// Where the hub is and whom to trust for it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hub {
    /// Address for agents (client certificates).
    pub agents: HubUrl,
    /// Address for people; enrolment and sign-in use it.
    pub people: HubUrl,
    /// CA certificates (PEM) to trust before enrolment, as handed over by the operator.
    pub ca_file: PathBuf,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            agents: HubUrl::local(7443),
            people: HubUrl::local(8443),
            ca_file: "anchors.pem".into(),
        }
    }
}

/// The loopback endpoint.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Local {
    /// Loopback address and port; port 0 takes a free one and writes it to `data_dir/addresses.json`.
    pub listen: LoopbackAddr,
    /// Where people's browsers find the hub's console, when that is not `hub.people`; its page may look up here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console: Option<HubUrl>,
}

/// Keeping of acknowledged records.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outbox {
    /// Days an acknowledged record is kept, so that a hub restored from a backup can be refilled.
    pub retention_days: u16,
}

impl Default for Outbox {
    fn default() -> Self {
        Self { retention_days: 30 }
    }
}

/// Logging.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// One JSON object a line, or text for a terminal.
    pub format: LogFormat,
    /// Filter of `tracing-subscriber`, e.g. `info,office_agent::sync=debug`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            filter: "info".to_owned(),
        }
    }
}

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// One of the office's own systems.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// A database that is read.
    Sql(SqlSource),
    /// A folder whose files are read.
    Folder(FolderSource),
    /// A system that calls.
    Push(PushSource),
}

impl Source {
    /// Name that status, logs and the push address use.
    #[must_use]
    pub fn name(&self) -> &SourceName {
        match self {
            Self::Sql(source) => &source.name,
            Self::Folder(source) => &source.name,
            Self::Push(source) => &source.name,
        }
    }

    /// Mapping file.
    #[must_use]
    pub fn mapping(&self) -> &PathBuf {
        match self {
            Self::Sql(source) => &source.mapping,
            Self::Folder(source) => &source.mapping,
            Self::Push(source) => &source.mapping,
        }
    }
}

/// A database that is read, never written.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SqlSource {
    /// Name of the source.
    pub name: SourceName,
    /// Mapping file, relative to the configuration file.
    pub mapping: PathBuf,
    /// `postgres://…`, `mysql://…` or `sqlite:/path`, or where to find it: `env:NAME`, `file:PATH`.
    pub url: Secret,
    /// The rows, without watermark condition, order or limit: the agent adds them.
    pub query: String,
    /// Column that grows with every change.
    pub watermark: String,
    /// Unique column that tells rows of the same watermark apart.
    pub key: String,
    /// How often to look when nothing waits.
    #[serde(default = "Interval::five_seconds")]
    pub poll: Interval,
    /// Rows read at once, 1 to 10,000.
    #[serde(default = "default_page_rows")]
    pub page_rows: u16,
    /// How far behind the watermark to read again, for systems whose changes commit late.
    #[serde(default)]
    pub overlap: Option<Interval>,
    /// Encoding of texts in SQLite files; the other databases know their own.
    #[serde(default)]
    pub encoding: TextEncoding,
    /// Child rows by name.
    #[serde(default)]
    pub children: BTreeMap<String, SqlChild>,
}

/// Encoding of texts that say nothing of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TextEncoding {
    /// As SQLite means it.
    #[default]
    Utf8,
    /// GB 18030, which contains GBK and GB 2312, as older systems write all the same.
    Gb18030,
}

fn default_page_rows() -> u16 {
    1000
}

/// A child query of a database source.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SqlChild {
    /// The child rows, without condition or order.
    pub query: String,
    /// Column that holds the parent's `key`.
    pub parent_key: String,
    /// Column to order a parent's children by.
    #[serde(default)]
    pub order_by: Option<String>,
}

/// A folder whose files are read, never moved or changed.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FolderSource {
    /// Name of the source.
    pub name: SourceName,
    /// Mapping file, relative to the configuration file.
    pub mapping: PathBuf,
    /// The folder, relative to the configuration file.
    pub path: PathBuf,
    /// `*.csv` or `*.xlsx`, with any fixed part.
    pub pattern: String,
    /// Encoding of CSV files.
    #[serde(default)]
    pub encoding: Encoding,
    /// Sheet of XLSX files; the first when not named.
    #[serde(default)]
    pub sheet: Option<String>,
    /// How often to look, events or not: network shares lose events.
    #[serde(default = "Interval::half_a_minute")]
    pub rescan: Interval,
    /// Child sheets by name.
    #[serde(default)]
    pub children: BTreeMap<String, SheetChild>,
}

/// A child sheet of the same workbook.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SheetChild {
    /// Name of the sheet.
    pub sheet: String,
    /// Column, of the same name in both sheets, that joins them.
    pub parent_key: String,
}

/// Encoding of a CSV file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// Told by the bytes.
    #[default]
    Auto,
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// GB 18030, which contains GBK and GB 2312.
    #[serde(rename = "gb18030")]
    Gb18030,
}

/// A system that calls the loopback endpoint.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PushSource {
    /// Name of the source; part of the address.
    pub name: SourceName,
    /// Mapping file, relative to the configuration file.
    pub mapping: PathBuf,
}
