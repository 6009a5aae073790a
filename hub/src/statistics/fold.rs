//! Adds what transactions appended to the cells of the rollup. Figures are exact with and without it; it keeps what has to
//! be added up for them short.

use std::time::Duration;

use metrics::gauge;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::store::{figures::rollup, tx};
use crate::telemetry::metrics::STATISTICS_UNFOLDED;
use crate::traffic::{Traffic, Work};

/// Deltas of one transaction.
const MOST_AT_ONCE: i64 = 50_000;
/// How often an idle hub looks for some.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long it rests after a failure.
const REST: Duration = Duration::from_secs(5);
/// What waits is counted up to this.
const COUNTED: i64 = 10_000_000;

/// Folds until it is stopped, yielding to `traffic`.
pub async fn run(pool: PgPool, traffic: Traffic, stop: CancellationToken) {
    while stop
        .run_until_cancelled(turn(&pool, &traffic))
        .await
        .is_some()
    {}
}

async fn turn(pool: &PgPool, traffic: &Traffic) {
    let turn = traffic.turn(Work::Figures).await;
    let folded = measured(pool).await;
    drop(turn);
    let pause = match folded {
        Ok(true) => return,
        Ok(false) => LOOK_EVERY,
        Err(error) => {
            tracing::error!(
                error = tx::describe(&error),
                "changes of the figures could not be added to their cells"
            );
            REST
        }
    };
    tokio::time::sleep(pause).await;
}

async fn measured(pool: &PgPool) -> Result<bool, sqlx::Error> {
    gauge!(STATISTICS_UNFOLDED).set(rollup::unfolded(pool, COUNTED).await? as f64);
    fold(pool, MOST_AT_ONCE).await
}

/// Adds at most so many deltas to their cells. Returns whether there may be more.
pub async fn fold(pool: &PgPool, most: i64) -> Result<bool, sqlx::Error> {
    tx::retried("statistics.fold", || fold_once(pool, most)).await
}

async fn fold_once(pool: &PgPool, most: i64) -> Result<bool, sqlx::Error> {
    let mut transaction = tx::begin(pool).await?;
    let folded = rollup::fold(&mut transaction, most).await?;
    transaction.commit().await?;
    Ok(folded)
}
