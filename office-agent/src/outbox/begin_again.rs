//! Reading sources from their beginning again: what was passed over comes, and what is known is recognised.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use time::OffsetDateTime;

use super::{Outbox, OutboxError};
use crate::config::SourceName;

impl Outbox {
    /// Whether a source is to be read from its beginning; its cursor is gone then. `is_due` says it of a source that was
    /// last begun then, as of now.
    ///
    /// # Errors
    /// When the outbox cannot be read or written.
    pub async fn begins_again(
        &self,
        source: &SourceName,
        is_due: fn(OffsetDateTime, OffsetDateTime) -> bool,
    ) -> Result<bool, OutboxError> {
        let now = (self.clock)();
        let asked = source.clone();
        let begins = self
            .worker
            .read(move |connection| {
                let begun_at = begun_at(connection, asked.as_str())?;
                Ok(begun_at.is_some_and(|at| is_due(at, now))
                    || is_asked(connection, asked.as_str())?)
            })
            .await?;
        if begins {
            let source = source.clone();
            self.worker
                .write(move |tx| begin(tx, source.as_str(), now))
                .await?;
        }
        Ok(begins)
    }

    /// Has a source read from its beginning, also by an agent that runs beside this; says whether it was ever read.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub async fn read_again(&self, source: &SourceName) -> Result<bool, OutboxError> {
        let source = source.clone();
        self.worker.write(move |tx| ask(tx, source.as_str())).await
    }

    /// Notes by what a source's rows are read and understood, whatever text that is. Rows that were read by something else
    /// are to be read again; says so.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub async fn read_by(
        &self,
        source: &SourceName,
        made_from: String,
    ) -> Result<bool, OutboxError> {
        let source = source.clone();
        let now = (self.clock)();
        self.worker
            .write(move |tx| read_by(tx, source.as_str(), &made_from, now))
            .await
    }
}

/// Has every source read from its beginning.
pub(super) fn ask_all(tx: &Transaction<'_>) -> Result<(), OutboxError> {
    tx.execute("UPDATE source SET read_again = 1", [])?;
    Ok(())
}

/// Has one source read from its beginning; says whether it was ever read.
pub(super) fn ask(tx: &Transaction<'_>, source: &str) -> Result<bool, OutboxError> {
    let asked = tx.execute(
        "UPDATE source SET read_again = 1 WHERE name = ?1",
        params![source],
    )?;
    Ok(asked > 0)
}

/// Whether a source is to be read from its beginning.
pub(super) fn is_asked(connection: &Connection, source: &str) -> Result<bool, OutboxError> {
    Ok(connection
        .prepare_cached("SELECT read_again FROM source WHERE name = ?1")?
        .query_row(params![source], |row| row.get(0))
        .optional()?
        .unwrap_or(false))
}

/// Whether any source is still to be read from its beginning. One that is pushed has no cursor, and nobody reads it.
pub(super) fn any_is_asked(connection: &Connection) -> Result<bool, OutboxError> {
    Ok(connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM source WHERE read_again = 1 AND cursor IS NOT NULL)",
        [],
        |row| row.get(0),
    )?)
}

/// Takes the wish, if there is one: the source's cursor is gone then.
pub(super) fn begin(
    tx: &Transaction<'_>,
    source: &str,
    now: OffsetDateTime,
) -> Result<(), OutboxError> {
    tx.execute(
        "UPDATE source SET read_again = 0, cursor = NULL WHERE name = ?1",
        params![source],
    )?;
    tx.execute(
        "UPDATE reading SET begun_at = ?2 WHERE source = ?1",
        params![source, now.unix_timestamp()],
    )?;
    Ok(())
}

/// When a source was last begun to be read from its beginning.
pub(super) fn begun_at(
    connection: &Connection,
    source: &str,
) -> Result<Option<OffsetDateTime>, OutboxError> {
    let begun_at: Option<i64> = connection
        .prepare_cached("SELECT begun_at FROM reading WHERE source = ?1")?
        .query_row(params![source], |row| row.get(0))
        .optional()?;
    Ok(begun_at.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()))
}

/// Notes by what a source's rows are read and understood. Rows that were read by something else, or nobody knows by what,
/// are to be read again; says so.
pub(super) fn read_by(
    tx: &Transaction<'_>,
    source: &str,
    made_from: &str,
    now: OffsetDateTime,
) -> Result<bool, OutboxError> {
    let before: Option<String> = tx
        .query_row(
            "SELECT made_from FROM reading WHERE source = ?1",
            params![source],
            |row| row.get(0),
        )
        .optional()?;
    if before.as_deref() == Some(made_from) {
        return Ok(false);
    }
    tx.execute(
        "INSERT INTO reading (source, made_from, begun_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (source) DO UPDATE SET made_from = excluded.made_from",
        params![source, made_from, now.unix_timestamp()],
    )?;
    // Their ages came from the columns that the mapping named then.
    tx.execute("DELETE FROM age", [])?;
    ask(tx, source)
}
