//! Waiting for a condition, never for a time.

use std::time::Duration;

use anyhow::bail;
use tokio::time::{Instant, sleep};

/// How long anything here may take on a busy machine before it counts as broken.
pub const PATIENCE: Duration = Duration::from_secs(90);

const BETWEEN: Duration = Duration::from_millis(50);

/// Asks until there is an answer. `what` completes "gave up waiting until …".
///
/// # Errors
/// When `limit` has passed, or the question itself fails.
pub async fn until<T>(
    what: &str,
    limit: Duration,
    mut ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            bail!("gave up waiting until {what}");
        }
        sleep(BETWEEN).await;
    }
}

/// [`until`] for conditions that hold or do not.
///
/// # Errors
/// As [`until`].
pub async fn holds(
    what: &str,
    limit: Duration,
    mut condition: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    until(what, limit, async || Ok(condition().await?.then_some(()))).await
}
