//! Letting go of what the hub has had for long enough that no backup of it can be older.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use time::{Duration, OffsetDateTime};

use super::{OutboxError, reject};

/// Entries let go in one transaction, so that an append never waits long for it.
const AT_ONCE: u32 = 5000;

/// Notices are kept this long.
const NOTICE_DAYS: i64 = 90;

/// Lets entries go that were acknowledged before `now - retention`; says whether there may be more.
pub(super) fn trim(
    tx: &Transaction<'_>,
    retention: Duration,
    now: OffsetDateTime,
) -> Result<bool, OutboxError> {
    // A row of a query that has no key cannot be told apart from others, so no good row ends its refusal; time does.
    reject::end_forgotten(tx, (now - retention).unix_timestamp())?;
    let Some(position) = acked_before(tx, now - retention)? else {
        return Ok(false);
    };
    let gone = tx.execute(
        "DELETE FROM entry WHERE position IN
             (SELECT position FROM entry WHERE position <= ?1 ORDER BY position LIMIT ?2)",
        params![position, AT_ONCE],
    )?;
    if gone < AT_ONCE as usize {
        tx.execute("DELETE FROM ack WHERE position <= ?1", params![position])?;
        tx.execute(
            "DELETE FROM notice WHERE created_at < ?1",
            params![(now - Duration::days(NOTICE_DAYS)).unix_timestamp()],
        )?;
    }
    Ok(gone == AT_ONCE as usize)
}

fn acked_before(connection: &Connection, time: OffsetDateTime) -> Result<Option<i64>, OutboxError> {
    Ok(connection
        .query_row(
            "SELECT max(position) FROM ack WHERE hour < ?1",
            params![time.unix_timestamp() / 3600],
            |row| row.get(0),
        )
        .optional()?
        .flatten())
}
