//! Copies of the database: replication slots, for which it keeps what a backup or a standby has yet to take, and when it
//! was last copied as a whole.

use sqlx::{PgPool, query, query_scalar};
use time::OffsetDateTime;

/// A slot, and what stands behind it.
#[derive(Clone, Debug)]
pub struct Slot {
    pub name: String,
    /// Whether somebody takes from it now.
    pub taken: bool,
    /// Bytes of write-ahead log from what was taken last to the end.
    pub kept_bytes: i64,
}

/// All slots but those that end with their connection, as a nightly copy has one. One that keeps nothing, for nobody ever
/// took from it or it was lost, is one that nobody takes from.
pub async fn list(pool: &PgPool) -> Result<Vec<Slot>, sqlx::Error> {
    let rows = query!(
        r#"SELECT slot_name::text AS "name!", active AS "taken!",
                  coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::int8 AS "kept_bytes!"
             FROM pg_replication_slots WHERE NOT temporary AND NOT pg_is_in_recovery()"#
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Slot {
            name: row.name,
            taken: row.taken,
            kept_bytes: row.kept_bytes,
        })
        .collect())
}

/// When the last whole copy was finished, as whoever makes them says (`deploy/backup.sh base`); `None` before the first.
pub async fn base_backup_at(pool: &PgPool) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    query_scalar!("SELECT base_backup_at FROM hub_state")
        .fetch_one(pool)
        .await
}
