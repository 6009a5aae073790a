//! What the hub wants people at the office to know.

use std::collections::BTreeMap;

use notary_proto::hub::v1 as wire;
use rusqlite::{Connection, Transaction, params};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::OutboxError;

/// A notice as `office-agent status` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptNotice {
    /// Tells repeats.
    pub notice_id: String,
    /// What it is about, as in the contract, e.g. `DUPLICATE_FOUND`.
    pub kind: String,
    /// The office's own case; may be empty.
    pub source_case_id: String,
    /// Text for people.
    pub text_zh: String,
    /// When the hub wrote it, seconds since 1970.
    pub created_at: i64,
}

/// Keeps a notice; says whether it is new.
pub(super) fn keep(
    tx: &Transaction<'_>,
    notice: &wire::Notice,
    now: OffsetDateTime,
) -> Result<bool, OutboxError> {
    let kind = notice.kind().as_str_name();
    let created = notice
        .created_at
        .map_or(now.unix_timestamp(), |at| at.seconds);
    let inserted = tx.execute(
        "INSERT OR IGNORE INTO notice (notice_id, kind, source_case_id, text_zh, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            notice.notice_id,
            kind.strip_prefix("NOTICE_KIND_").unwrap_or(kind),
            notice.source_case_id,
            notice.text_zh,
            created
        ],
    )?;
    Ok(inserted == 1)
}

/// The newest of each kind, at most so many of it, the newest first: many of one kind do not crowd out another.
pub(super) fn latest(
    connection: &Connection,
    of_each: u32,
) -> Result<Vec<KeptNotice>, OutboxError> {
    let mut statement = connection.prepare(
        "SELECT notice_id, kind, source_case_id, text_zh, created_at
         FROM (SELECT *, row_number() OVER (PARTITION BY kind ORDER BY created_at DESC, notice_id) AS place FROM notice)
         WHERE place <= ?1 ORDER BY created_at DESC, notice_id",
    )?;
    let rows = statement.query_map(params![of_each], |row| {
        Ok(KeptNotice {
            notice_id: row.get(0)?,
            kind: row.get(1)?,
            source_case_id: row.get(2)?,
            text_zh: row.get(3)?,
            created_at: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many there are of each kind.
pub(super) fn counts(connection: &Connection) -> Result<BTreeMap<String, u64>, OutboxError> {
    let mut statement = connection.prepare("SELECT kind, count(*) FROM notice GROUP BY kind")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
