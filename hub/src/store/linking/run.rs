//! The lock that lets one long action of linkage be under way at a time.

use sqlx::{PgConnection, query_scalar};

use super::LOCKS;

/// Keeps other runs from beginning until the transaction ends; false when one is under way.
pub async fn lock(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock($1 + 3, 0) AS "locked!""#,
        LOCKS
    )
    .fetch_one(connection)
    .await
}
