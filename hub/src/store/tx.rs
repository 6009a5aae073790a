//! Named transactions. A serialization failure or a deadlock is no error of the caller's: the whole
//! transaction runs again, a few times, and the name says in the metrics where that happens.

use std::time::Duration;

use metrics::counter;
use sqlx::{PgPool, PgTransaction};

/// Attempts of one transaction, the first included.
const ATTEMPTS: u32 = 6;

/// Runs `work` in a transaction called `name` and commits it. `work` may run more than once.
pub async fn tx<T, E, F>(pool: &PgPool, name: &'static str, work: F) -> Result<T, E>
where
    F: AsyncFn(&mut PgTransaction<'_>) -> Result<T, E>,
    E: From<sqlx::Error> + Retryable,
{
    let mut attempt = 1;
    loop {
        let error = match once(pool, &work).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if attempt == ATTEMPTS || !error.is_retryable() {
            return Err(error);
        }
        counter!("notary_hub_tx_retries_total", "tx" => name).increment(1);
        // Enough for the other side of a deadlock to finish; grows so that a crowd thins out.
        tokio::time::sleep(Duration::from_millis(5 << attempt)).await;
        attempt += 1;
    }
}

async fn once<T, E, F>(pool: &PgPool, work: &F) -> Result<T, E>
where
    F: AsyncFn(&mut PgTransaction<'_>) -> Result<T, E>,
    E: From<sqlx::Error>,
{
    let mut transaction = pool.begin().await?;
    let value = work(&mut transaction).await?;
    transaction.commit().await?;
    Ok(value)
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
