//! `job`: long actions, written beside their transaction so that others see how far they are.
//!
//! | module | holds |
//! |---|---|
//! | [`export`] | files made as jobs |
//! | [`set_aside`] | work of supervision and linkage that failed too often |

pub mod export;
pub mod set_aside;

use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, PgPool, query, query_as, query_scalar};
use time::OffsetDateTime;
use uuid::Uuid;

use super::decode::{decode_error, parse};
use crate::jobs::{Job, JobState, Kind, Lane, Outcome, Step};

/// Class of the advisory locks that say that a job is under way: whoever does it holds one until the end, however it ends.
/// The next class has the lanes of the hub, the one after it those of accounts.
const LOCKS: i32 = 0x6a6f_6200; // "job"; as `job_is_held` has it

/// Keeps others out of the lane until the transaction ends; false when somebody is in it.
pub async fn enter(connection: &mut PgConnection, lane: Lane) -> Result<bool, sqlx::Error> {
    let of_hub = match lane {
        Lane::Persons => 0,
        Lane::Figures => 1,
        Lane::ExportsOf(account_id) => {
            return query_scalar!(
                r#"SELECT pg_try_advisory_xact_lock($1 + 2, hashtext($2::uuid::text)) AS "entered!""#,
                LOCKS,
                account_id
            )
            .fetch_one(connection)
            .await;
        }
    };
    query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock($1 + 1, $2) AS "entered!""#,
        LOCKS,
        of_hub
    )
    .fetch_one(connection)
    .await
}

/// Says that a job is under way for as long as the transaction is.
pub async fn hold(connection: &mut PgConnection, job_id: Uuid) -> Result<(), sqlx::Error> {
    query!("SET LOCAL idle_in_transaction_session_timeout = 0")
        .execute(&mut *connection)
        .await?;
    query!(
        "SELECT pg_advisory_xact_lock($1, hashtext($2::uuid::text))",
        LOCKS,
        job_id
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes down that a job begins. `started_by` is an actor as the audit log names it.
pub async fn begin(
    pool: &PgPool,
    job_id: Uuid,
    kind: Kind,
    started_by: &str,
) -> Result<(), sqlx::Error> {
    query!(
        "INSERT INTO job (job_id, kind, step, started_by) VALUES ($1, $2, $3, $4)",
        job_id,
        kind.code(),
        Step::Wait.code(),
        started_by,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Writes down how far it is.
pub async fn report(
    pool: &PgPool,
    job_id: Uuid,
    step: Step,
    done: u64,
    total: u64,
) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE job SET step = $2, done = $3, total = $4, reported_at = now() WHERE job_id = $1",
        job_id,
        step.code(),
        i64::try_from(done).map_err(decode_error)?,
        i64::try_from(total).map_err(decode_error)?,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Writes down how it ended: with its figures, when it is done.
pub async fn end(
    executor: impl PgExecutor<'_>,
    job_id: Uuid,
    outcome: Outcome,
    result: Option<&Value>,
) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE job SET ended_at = now(), reported_at = now(), outcome = $2, result = $3 WHERE job_id = $1",
        job_id,
        outcome.code(),
        result,
    )
    .execute(executor)
    .await?;
    Ok(())
}

struct Row {
    job_id: Uuid,
    kind: String,
    step: String,
    done: i64,
    total: i64,
    started_by: String,
    started_at: OffsetDateTime,
    reported_at: OffsetDateTime,
    ended_at: Option<OffsetDateTime>,
    outcome: Option<String>,
    held: bool,
    result: Option<Value>,
}

impl TryFrom<Row> for Job {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let state = JobState::of(row.outcome.as_deref().map(parse).transpose()?, row.held);
        Ok(Self {
            job_id: row.job_id,
            kind: parse(&row.kind)?,
            state,
            step: parse(&row.step)?,
            done: u64::try_from(row.done).map_err(decode_error)?,
            total: u64::try_from(row.total).map_err(decode_error)?,
            started_by: row.started_by,
            started_at: row.started_at,
            reported_at: row.reported_at,
            ended_at: row.ended_at,
            result: row.result,
        })
    }
}

/// The newest jobs, all of them or those of a kind, or one by its id.
pub async fn list(
    executor: impl PgExecutor<'_>,
    kind: Option<Kind>,
    job_id: Option<Uuid>,
    most: i64,
) -> Result<Vec<Job>, sqlx::Error> {
    let rows = query_as!(
        Row,
        r#"SELECT j.job_id, j.kind, j.step, j.done, j.total, j.started_by, j.started_at, j.reported_at, j.ended_at,
                  j.outcome, j.result,
                  job_is_held(j.job_id) AS "held!"
             FROM job j
            WHERE ($1::text IS NULL OR j.kind = $1) AND ($2::uuid IS NULL OR j.job_id = $2)
            ORDER BY j.started_at DESC, j.job_id DESC LIMIT $3"#,
        kind.map(Kind::code),
        job_id,
        most,
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter().map(Job::try_from).collect()
}
