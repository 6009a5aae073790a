//! Named transactions. A serialization failure or a deadlock is no error of the caller's: the whole
//! transaction runs again, a few times, and the name says in the metrics where that happens.

use std::time::Duration;

use metrics::counter;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, PgTransaction, query, query_scalar};
use time::OffsetDateTime;

use crate::telemetry::metrics::TX_RETRIES;

/// Attempts of one transaction, the first included.
const ATTEMPTS: u32 = 6;

/// Runs `work` in a transaction called `name` and commits it. `work` may run more than once.
pub async fn tx<T, E, F>(pool: &PgPool, name: &'static str, work: F) -> Result<T, E>
where
    F: AsyncFn(&mut PgTransaction<'_>) -> Result<T, E>,
    E: From<sqlx::Error> + Retryable,
{
    retried(name, || once(pool, &work)).await
}

/// Runs `transaction`, which begins and commits one called `name`, again while its failure may pass. For work
/// that borrows what a spawned task owns: the compiler cannot see yet that such a closure for [`tx`] is `Send`.
pub async fn retried<T, E, F>(name: &'static str, transaction: impl Fn() -> F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
    E: Retryable,
{
    let mut attempt = 1;
    loop {
        let error = match transaction().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if attempt == ATTEMPTS || !error.is_retryable() {
            return Err(error);
        }
        counter!(TX_RETRIES, "tx" => name).increment(1);
        // Enough for the other side of a deadlock to finish; grows so that a crowd thins out.
        tokio::time::sleep(Duration::from_millis(5 << attempt)).await;
        attempt += 1;
    }
}

/// Begins a transaction. The caller may be gone by then, a call that was cut off; sqlx does not see a transaction that
/// began meanwhile, and the connection's next user would find itself in it: so the beginning is never cut off.
pub async fn begin(pool: &PgPool) -> Result<PgTransaction<'static>, sqlx::Error> {
    let pool = pool.clone();
    uncut(async move { pool.begin().await }).await
}

/// The same by a statement of one's own.
pub async fn begin_with(
    pool: &PgPool,
    statement: AssertSqlSafe<String>,
) -> Result<PgTransaction<'static>, sqlx::Error> {
    let pool = pool.clone();
    uncut(async move { pool.begin_with(statement).await }).await
}

async fn uncut(
    beginning: impl Future<Output = Result<PgTransaction<'static>, sqlx::Error>> + Send + 'static,
) -> Result<PgTransaction<'static>, sqlx::Error> {
    let begun = tokio::spawn(beginning).await;
    begun.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}

async fn once<T, E, F>(pool: &PgPool, work: &F) -> Result<T, E>
where
    F: AsyncFn(&mut PgTransaction<'_>) -> Result<T, E>,
    E: From<sqlx::Error>,
{
    let mut transaction = begin(pool).await?;
    let value = work(&mut transaction).await?;
    transaction.commit().await?;
    Ok(value)
}

/// A transaction that sees one moment of the whole database.
pub async fn moment(pool: &PgPool) -> Result<PgTransaction<'static>, sqlx::Error> {
    let mut transaction = begin(pool).await?;
    query!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .execute(&mut *transaction)
        .await?;
    Ok(transaction)
}

/// The same, which may take its time to read it.
pub async fn snapshot(pool: &PgPool) -> Result<PgTransaction<'static>, sqlx::Error> {
    let mut transaction = moment(pool).await?;
    query!("SET LOCAL statement_timeout = 0")
        .execute(&mut *transaction)
        .await?;
    Ok(transaction)
}

/// Lets a transaction that reads take its time, within bounds: ten minutes a statement.
pub async fn take_minutes(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    query!("SET LOCAL statement_timeout = '10min'")
        .execute(connection)
        .await?;
    Ok(())
}

/// A transaction for long work.
pub async fn unhurried(pool: &PgPool) -> Result<PgTransaction<'static>, sqlx::Error> {
    let mut transaction = begin(pool).await?;
    query!("SET LOCAL statement_timeout = 0")
        .execute(&mut *transaction)
        .await?;
    Ok(transaction)
}

/// When the transaction began, by the database's clock.
pub async fn now(connection: &mut PgConnection) -> Result<OffsetDateTime, sqlx::Error> {
    query_scalar!(r#"SELECT now() AS "now!""#)
        .fetch_one(connection)
        .await
}

/// Errors that may go away when the same transaction runs again.
pub trait Retryable {
    fn is_retryable(&self) -> bool;
}

impl Retryable for sqlx::Error {
    fn is_retryable(&self) -> bool {
        // 40001 serialization_failure, 40P01 deadlock_detected.
        self.as_database_error()
            .and_then(|error| error.code())
            .is_some_and(|code| matches!(code.as_ref(), "40001" | "40P01"))
    }
}

/// Whether the database refuses the data itself, so that trying again is useless. Everything else (connection,
/// disk, locks, shutdown, a missing table) may pass or is for an operator to mend.
pub fn is_refusal(error: &sqlx::Error) -> bool {
    match error {
        // 22 data exception, 23 integrity constraint, 54 program limit (e.g. an index row too large).
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| matches!(code.get(..2), Some("22" | "23" | "54"))),
        sqlx::Error::Encode(_) => true,
        _ => false,
    }
}

/// Whether something that stands in the database cannot be read: it is damaged, or a later version has written it. That is
/// none of the arriving data's fault, and whatever does not touch it can be stored.
pub fn is_unreadable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => true,
        // data_corrupted, index_corrupted.
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| matches!(code.as_ref(), "XX001" | "XX002")),
        _ => false,
    }
}

/// What the database said, without the values that its details may hold.
pub fn describe(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(database) => {
            let code = database.code().unwrap_or_default();
            let place = database
                .constraint()
                .or(database.table())
                .unwrap_or_default();
            format!("SQLSTATE {code} {place}")
        }
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::decode::decode_error;

    #[test]
    fn what_another_version_has_stored_is_no_fault_of_the_data_that_arrives() {
        let strange = || std::io::Error::other("a code of another version");
        let stored = decode_error(strange());
        assert!(!is_refusal(&stored) && is_unreadable(&stored));
        assert!(!is_unreadable(&sqlx::Error::PoolTimedOut));
        assert!(is_refusal(&sqlx::Error::Encode(strange().into())));
    }
}
