//! `audit_entry`: the append-only log.

use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, PgPool, query, query_as};
use time::OffsetDateTime;

use super::decode::decode_error;
use crate::audit::{ChainHash, GENESIS, Recorded};

/// Advisory lock of whoever appends, apart from every other lock of the hub.
const APPEND_LOCK: i64 = 0x6175_6469_7400; // "audit"

/// The end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// 0 when there is no entry yet.
    pub entry_no: i64,
    pub chain_hash: ChainHash,
}

/// Holds the log for the rest of the transaction and returns its end.
pub async fn lock_head(connection: &mut PgConnection) -> Result<Head, sqlx::Error> {
    query!("SELECT pg_advisory_xact_lock($1)", APPEND_LOCK)
        .fetch_one(&mut *connection)
        .await?;
    // A statement of its own: it sees what was committed while the lock was waited for.
    let row = query!("SELECT entry_no, chain_hash FROM audit_entry ORDER BY entry_no DESC LIMIT 1")
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else {
        return Ok(Head {
            entry_no: 0,
            chain_hash: GENESIS,
        });
    };
    Ok(Head {
        entry_no: row.entry_no,
        chain_hash: row.chain_hash.as_slice().try_into().map_err(decode_error)?,
    })
}

/// Appends entries that follow each other, all or none.
pub async fn insert(
    executor: impl PgExecutor<'_>,
    entries: &[Recorded],
) -> Result<(), sqlx::Error> {
    let column = |of: fn(&Recorded) -> &str| entries.iter().map(of).collect::<Vec<&str>>();
    let optional =
        |of: fn(&Recorded) -> Option<&str>| entries.iter().map(of).collect::<Vec<Option<&str>>>();
    let numbers: Vec<i64> = entries.iter().map(|e| e.entry_no).collect();
    let times: Vec<OffsetDateTime> = entries.iter().map(|e| e.recorded_at).collect();
    let details: Vec<Value> = entries.iter().map(|e| e.detail.clone()).collect();
    let hashes: Vec<&[u8]> = entries.iter().map(|e| e.chain_hash.as_slice()).collect();
    query!(
        r#"WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock($1))
           INSERT INTO audit_entry (entry_no, recorded_at, actor, office_id, action, outcome, purpose, case_reference,
                                    detail, chain_hash)
           SELECT e.* FROM held CROSS JOIN unnest(
               $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
               $10::jsonb[], $11::bytea[]) AS e"#,
        APPEND_LOCK,
        &numbers,
        &times,
        &column(|e| &e.actor) as &[&str],
        &optional(|e| e.office_id.as_deref()) as &[Option<&str>],
        &column(|e| &e.action) as &[&str],
        &column(|e| &e.outcome) as &[&str],
        &optional(|e| e.purpose.as_deref()) as &[Option<&str>],
        &optional(|e| e.case_reference.as_deref()) as &[Option<&str>],
        &details,
        &hashes as &[&[u8]],
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// Whether an append failed because another hub has appended meanwhile.
pub fn is_number_taken(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.is_unique_violation())
}

/// Entries behind number `entry_no`, in order.
pub async fn after(pool: &PgPool, entry_no: i64, most: i64) -> Result<Vec<Recorded>, sqlx::Error> {
    query_as!(
        Recorded,
        r#"SELECT entry_no, recorded_at, actor, office_id, action, outcome, purpose, case_reference, detail, chain_hash
             FROM audit_entry WHERE entry_no > $1 ORDER BY entry_no LIMIT $2"#,
        entry_no,
        most,
    )
    .fetch_all(pool)
    .await
}

/// Entries before number `entry_no`, the newest first.
pub async fn before(pool: &PgPool, entry_no: i64, most: i64) -> Result<Vec<Recorded>, sqlx::Error> {
    query_as!(
        Recorded,
        r#"SELECT entry_no, recorded_at, actor, office_id, action, outcome, purpose, case_reference, detail, chain_hash
             FROM audit_entry WHERE entry_no < $1 ORDER BY entry_no DESC LIMIT $2"#,
        entry_no,
        most,
    )
    .fetch_all(pool)
    .await
}
