//! The outbox at a glance, for `office-agent status`; also of an agent that does not run.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::notice::{self, KeptNotice};
use super::reject::{self, OpenReject};
use super::{OutboxError, schema, window};

/// Rejects, and notices of each kind, told at most; the counts are of all.
const SHOWN: u32 = 5000;

/// What is in the outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// UUIDv7 of the outbox.
    pub epoch: String,
    /// Highest sequence given out.
    pub last_sequence: u64,
    /// Highest sequence the hub has committed.
    pub acked_sequence: u64,
    /// Records the hub has not committed.
    pub waiting: u64,
    /// What each source has brought; told source by source by whoever shows it.
    #[serde(skip)]
    pub sources: Vec<SourceSummary>,
    /// Refusals that are open.
    pub rejects_open: u64,
    /// The newest of them.
    pub rejects: Vec<OpenReject>,
    /// The newest notices of each kind.
    pub notices: Vec<KeptNotice>,
    /// How many there are of each kind.
    #[serde(default)]
    pub notice_counts: BTreeMap<String, u64>,
}

/// What one source has brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSummary {
    /// Its name.
    pub name: String,
    /// Records it put into the outbox so far.
    pub stored: u64,
    /// When it last handed rows on, seconds since 1970.
    pub last_read_at: i64,
}

impl Summary {
    /// Looks into an outbox beside a running agent or without one; `None` when there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of(path: &Path) -> Result<Option<Self>, OutboxError> {
        schema::open_read_only(path)?
            .map(|connection| read(&connection))
            .transpose()
    }
}

pub(super) fn read(connection: &Connection) -> Result<Summary, OutboxError> {
    let position = window::position(connection)?;
    let mut statement =
        connection.prepare("SELECT name, stored, written_at FROM source ORDER BY name")?;
    let sources = statement
        .query_map([], |row| {
            Ok(SourceSummary {
                name: row.get(0)?,
                stored: row.get::<_, i64>(1)?.unsigned_abs(),
                last_read_at: row.get(2)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    let rejects_open: i64 =
        connection.query_row("SELECT count(*) FROM reject", [], |row| row.get(0))?;
    Ok(Summary {
        epoch: position.epoch,
        last_sequence: position.last,
        acked_sequence: position.acked,
        waiting: position.last - position.acked.min(position.last),
        sources,
        rejects_open: rejects_open.unsigned_abs(),
        rejects: reject::open(connection, SHOWN)?,
        notices: notice::latest(connection, SHOWN)?,
        notice_counts: notice::counts(connection)?,
    })
}
