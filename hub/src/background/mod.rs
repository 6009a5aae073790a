//! Work beside the answers: who does it is kept running, and what fails again and again makes way for the rest.
//!
//! A worker that ends by a defect is begun again, later each time it happens soon; one that others wait for goes on at
//! once, without the piece of work at which it happened. A row of work is tried, then in
//! halves, then seldom; in the end it is set aside, where people see it, until something changes.

mod cause;
pub mod set_aside;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use metrics::counter;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use cause::Cause;

use crate::telemetry::metrics::WORKER_RESTARTS;

/// Rest before a worker is begun again, and before work that failed is tried again; doubled each time.
const FIRST_REST: Duration = Duration::from_secs(5);
const LONGEST_REST: Duration = Duration::from_secs(3600);
/// A worker that ran as long is begun again as if it were the first time.
const STEADY: Duration = Duration::from_secs(600);
/// Attempts until a row of work is set aside: an hour and a half.
const ATTEMPTS: i32 = 10;

/// Runs what `begin` makes until it returns; what ends by a panic is begun again, until `stop`.
pub async fn kept<F>(worker: &'static str, stop: CancellationToken, mut begin: impl FnMut() -> F)
where
    F: Future<Output = ()>,
{
    let mut ended = 0;
    loop {
        let begun = Instant::now();
        if caught(worker, begin()).await.is_some() {
            return;
        }
        ended = if begun.elapsed() < STEADY {
            ended + 1
        } else {
            1
        };
        let rest = rest_after(ended);
        tracing::error!(
            worker,
            rest_seconds = rest.as_secs(),
            "a worker ended by a defect and is begun again"
        );
        let pause = tokio::time::sleep(rest);
        if stop.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

/// Does a piece of a worker's work. `None` when a defect ended it: it is counted, and the worker goes on with the next.
pub async fn caught<T>(worker: &'static str, work: impl Future<Output = T>) -> Option<T> {
    // What a worker shares is behind locks and in the database, both of which outlive a panic.
    let done = AssertUnwindSafe(work).catch_unwind().await.ok();
    if done.is_none() {
        counter!(WORKER_RESTARTS, "worker" => worker).increment(1);
    }
    done
}

/// How long what failed so many times is left alone.
pub fn rest_after(failures: i32) -> Duration {
    let doublings = u32::try_from(failures - 1).unwrap_or(0).min(16);
    FIRST_REST.saturating_mul(1 << doublings).min(LONGEST_REST)
}

/// What is to be done with a row of work that is taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    Do,
    /// An attempt came to nothing: one of its cases may hold up the others.
    Split,
    SetAside,
}

impl Course {
    /// Of a row that is taken up for the `attempt`th time.
    pub const fn of(attempt: i32, cases: usize) -> Self {
        if attempt <= 1 {
            Self::Do
        } else if cases > 1 {
            Self::Split
        } else if attempt <= ATTEMPTS {
            Self::Do
        } else {
            Self::SetAside
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test(start_paused = true)]
    async fn a_worker_that_panics_is_begun_again_and_one_that_returns_is_not() {
        let begun = AtomicUsize::new(0);
        let started = Instant::now();
        kept("test", CancellationToken::new(), || async {
            if begun.fetch_add(1, Ordering::Relaxed) < 3 {
                panic!("a defect");
            }
        })
        .await;
        assert_eq!(begun.into_inner(), 4);
        assert_eq!(started.elapsed().as_secs(), 5 + 10 + 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_that_ran_for_long_is_soon_there_again() {
        let begun = AtomicUsize::new(0);
        let started = Instant::now();
        kept("test", CancellationToken::new(), || async {
            match begun.fetch_add(1, Ordering::Relaxed) {
                0 | 1 => panic!("a defect"),
                2 => {
                    tokio::time::sleep(STEADY).await;
                    panic!("a defect");
                }
                _ => {}
            }
        })
        .await;
        assert_eq!(started.elapsed(), Duration::from_secs(5 + 10 + 5) + STEADY);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_the_rest_of_a_worker() {
        let stop = CancellationToken::new();
        let panicked = AtomicUsize::new(0);
        let worker = kept("test", stop.clone(), || async {
            panicked.fetch_add(1, Ordering::Relaxed);
            panic!("a defect");
        });
        tokio::join!(worker, async { stop.cancel() });
        assert_eq!(panicked.into_inner(), 1);
    }

    #[test]
    fn work_that_fails_is_halved_then_tried_alone_and_then_set_aside() {
        assert_eq!(Course::of(1, 500), Course::Do);
        assert_eq!(Course::of(2, 500), Course::Split);
        assert_eq!(Course::of(2, 1), Course::Do);
        assert_eq!(Course::of(ATTEMPTS, 0), Course::Do);
        assert_eq!(Course::of(ATTEMPTS + 1, 1), Course::SetAside);
        assert_eq!(rest_after(1), FIRST_REST);
        assert_eq!(rest_after(30), LONGEST_REST);
    }
}
