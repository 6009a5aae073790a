//! `link_run`: an operator's long actions, written beside their transaction so that others see how far they are.

use serde_json::Value;
use sqlx::{PgConnection, PgPool, query, query_scalar};
use time::OffsetDateTime;
use uuid::Uuid;

use super::LOCKS;
use crate::linking::run::{Kind, Step};
use crate::store::decode::decode_error;
use crate::store::tx;

/// A run as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    pub step: String,
    pub done: u64,
    pub total: u64,
    pub started_at: OffsetDateTime,
    pub reported_at: OffsetDateTime,
    pub ended_at: Option<OffsetDateTime>,
    pub outcome: Option<String>,
    pub result: Option<Value>,
}

/// Keeps other runs from beginning until the transaction ends; false when one is under way.
pub async fn lock(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    query!("SET LOCAL idle_in_transaction_session_timeout = 0")
        .execute(&mut *connection)
        .await?;
    query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock($1 + 3, 0) AS "locked!""#,
        LOCKS
    )
    .fetch_one(connection)
    .await
}

/// Whether a run is under way.
pub async fn is_under_way(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let mut transaction = tx::begin(pool).await?;
    let free = query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock_shared($1 + 3, 0) AS "free!""#,
        LOCKS
    )
    .fetch_one(&mut *transaction)
    .await?;
    transaction.rollback().await?;
    Ok(!free)
}

/// Writes down that a run begins.
pub async fn begin(pool: &PgPool, run_id: Uuid, kind: Kind) -> Result<(), sqlx::Error> {
    query!(
        "INSERT INTO link_run (run_id, kind, step) VALUES ($1, $2, 'wait')",
        run_id,
        kind.code(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Writes down how far it is.
pub async fn report(
    pool: &PgPool,
    run_id: Uuid,
    step: Step,
    done: u64,
    total: u64,
) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE link_run SET step = $2, done = $3, total = $4, reported_at = now() WHERE run_id = $1",
        run_id,
        step.code(),
        i64::try_from(done).map_err(decode_error)?,
        i64::try_from(total).map_err(decode_error)?,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Writes down how it ended: with its figures, or without.
pub async fn end(pool: &PgPool, run_id: Uuid, result: Option<&Value>) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE link_run SET ended_at = now(), reported_at = now(), result = $2,
                outcome = CASE WHEN $2::jsonb IS NULL THEN 'failed' ELSE 'done' END
          WHERE run_id = $1",
        run_id,
        result,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The last run of a kind.
pub async fn last(
    connection: &mut PgConnection,
    kind: Kind,
) -> Result<Option<Stored>, sqlx::Error> {
    let row = query!(
        "SELECT step, done, total, started_at, reported_at, ended_at, outcome, result
           FROM link_run WHERE kind = $1 ORDER BY started_at DESC LIMIT 1",
        kind.code(),
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        Ok(Stored {
            step: row.step,
            done: u64::try_from(row.done).map_err(decode_error)?,
            total: u64::try_from(row.total).map_err(decode_error)?,
            started_at: row.started_at,
            reported_at: row.reported_at,
            ended_at: row.ended_at,
            outcome: row.outcome,
            result: row.result,
        })
    })
    .transpose()
}
