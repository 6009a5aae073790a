//! Who goes first. Look-ups and batches of cases are waited for; what follows from them (linkage, supervision, folding
//! figures) is not, and yields: while there is traffic it takes turns one at a time, and no more of the time than its
//! share; as soon as a moment passes without traffic everybody goes on at full speed.
//!
//! Each hub looks at its own traffic. Of hubs that share a database, one that takes in nothing itself does not see that
//! others are busy: leave the background work to those that are (`linking.workers`).

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex as Locked, PoisonError};
use std::time::Duration;

use metrics::histogram;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, sleep, sleep_until};

use crate::config;
use crate::telemetry::metrics::BACKGROUND_WAIT_SECONDS;

/// How long nothing must be under way until there is no traffic: longer than a writer needs from one batch to the next.
const QUIET: Duration = Duration::from_millis(50);
/// The longest pause that one turn may cost, however long it took.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What is under way at this hub, and the turns of those who yield to it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Traffic(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    now: Locked<Now>,
    /// Held by the one who may work though there is traffic.
    baton: Arc<Mutex<Baton>>,
    /// Pause for each moment of such a turn.
    pauses: u32,
}

#[derive(Clone, Copy, Debug)]
struct Now {
    under_way: usize,
    /// When the last of what was under way ended.
    ended: Option<Instant>,
}

/// When the next turn beside traffic may begin.
#[derive(Debug)]
struct Baton {
    not_before: Option<Instant>,
}

/// Something that is waited for; ends when it is dropped.
#[derive(Debug)]
#[must_use = "it is under way until this is dropped"]
pub struct UnderWay(Traffic);

/// Leave to do one chunk of background work; the turn ends when it is dropped.
#[derive(Debug)]
#[must_use = "the turn is over when this is dropped"]
pub struct Turn {
    begun: Instant,
    pauses: u32,
    /// None where nobody was in the way.
    baton: Option<OwnedMutexGuard<Baton>>,
}

/// Kinds of background work, as a metric's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    Linking,
    Supervision,
    Figures,
}

impl Work {
    const fn label(self) -> &'static str {
        match self {
            Self::Linking => "linking",
            Self::Supervision => "supervision",
            Self::Figures => "figures",
        }
    }
}

impl Default for Traffic {
    fn default() -> Self {
        Self::new(config::Background::default().share_percent)
    }
}

impl Traffic {
    /// All background work together gets at least `share` percent of the time of one core; more than a hundred is a hundred.
    pub fn new(share: NonZeroU32) -> Self {
        let share = share.get().min(100);
        Self(Arc::new(Inner {
            now: Locked::new(Now {
                under_way: 0,
                ended: None,
            }),
            baton: Arc::new(Mutex::new(Baton { not_before: None })),
            pauses: (100 - share).div_ceil(share),
        }))
    }

    /// Says that something is under way that is waited for.
    pub fn enter(&self) -> UnderWay {
        self.with(|now| now.under_way += 1);
        UnderWay(self.clone())
    }

    /// Waits until a chunk of background work may be done.
    pub async fn turn(&self, work: Work) -> Turn {
        let asked = Instant::now();
        let baton = tokio::select! {
            biased;
            () = self.quiet() => None,
            baton = self.baton() => Some(baton),
        };
        let begun = Instant::now();
        histogram!(BACKGROUND_WAIT_SECONDS, "work" => work.label())
            .record(begun.duration_since(asked).as_secs_f64());
        Turn {
            begun,
            pauses: self.0.pauses,
            baton,
        }
    }

    /// Returns when there is no traffic.
    async fn quiet(&self) {
        loop {
            let now = self.with(|now| *now);
            let still = match (now.under_way, now.ended) {
                (0, None) => Duration::ZERO,
                (0, Some(ended)) => QUIET.saturating_sub(ended.elapsed()),
                _ => QUIET,
            };
            if still.is_zero() {
                return;
            }
            sleep(still).await;
        }
    }

    /// First come, first served.
    async fn baton(&self) -> OwnedMutexGuard<Baton> {
        let baton = Arc::clone(&self.0.baton).lock_owned().await;
        if let Some(not_before) = baton.not_before {
            sleep_until(not_before).await;
        }
        baton
    }

    fn with<T>(&self, change: impl FnOnce(&mut Now) -> T) -> T {
        // A count is a count, even if a panic cut another change short.
        change(&mut self.0.now.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.with(|now| {
            now.under_way -= 1;
            now.ended = Some(Instant::now());
        });
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(baton) = &mut self.baton {
            let pause = self.begun.elapsed().saturating_mul(self.pauses);
            baton.not_before = Some(Instant::now() + pause.min(LONGEST_PAUSE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(share: u32) -> Traffic {
        Traffic::new(NonZeroU32::new(share).expect("not 0"))
    }

    /// Does a chunk that takes so long. Returns how long it waited for its turn.
    async fn chunk(traffic: &Traffic, takes: Duration) -> Duration {
        let asked = Instant::now();
        let turn = traffic.turn(Work::Linking).await;
        let waited = asked.elapsed();
        sleep(takes).await;
        drop(turn);
        waited
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn without_traffic_nobody_waits_and_all_work_at_once() {
        let traffic = traffic(10);
        let (one, other) = tokio::join!(chunk(&traffic, SECOND), chunk(&traffic, SECOND));
        assert_eq!((one, other), (Duration::ZERO, Duration::ZERO));
        assert_eq!(chunk(&traffic, SECOND).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn beside_traffic_all_background_work_together_gets_its_share_and_no_more() {
        let traffic = traffic(10);
        let _look_up = traffic.enter();
        let begun = Instant::now();
        let mut worked = Duration::ZERO;
        while begun.elapsed() < 1000 * SECOND {
            tokio::join!(chunk(&traffic, SECOND), chunk(&traffic, SECOND));
            worked += 2 * SECOND;
        }
        let share = worked.as_secs_f64() / begun.elapsed().as_secs_f64();
        assert!((0.09..0.11).contains(&share), "{share}");
    }

    #[tokio::test(start_paused = true)]
    async fn when_traffic_ends_background_work_goes_on_without_paying_for_what_it_took() {
        let traffic = traffic(1);
        let batch = traffic.enter();
        chunk(&traffic, SECOND).await;
        let (waited, ()) = tokio::join!(chunk(&traffic, SECOND), async {
            sleep(SECOND).await;
            drop(batch);
        });
        assert!(waited >= SECOND, "{waited:?}");
        assert!(waited <= SECOND + 2 * QUIET, "{waited:?}");
        assert_eq!(chunk(&traffic, SECOND).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_gap_shorter_than_between_two_batches_is_still_traffic() {
        let traffic = traffic(1);
        drop(traffic.enter());
        chunk(&traffic, SECOND).await;
        let batches = async {
            for _ in 0..100 {
                let batch = traffic.enter();
                sleep(QUIET / 5).await;
                drop(batch);
                sleep(QUIET / 5).await;
            }
        };
        let held = tokio::join!(chunk(&traffic, SECOND), batches).0;
        assert!(
            held <= QUIET,
            "the first turn beside traffic is free: {held:?}"
        );
        let batches = async {
            for _ in 0..100 {
                let batch = traffic.enter();
                sleep(QUIET / 5).await;
                drop(batch);
                sleep(QUIET / 5).await;
            }
        };
        let waited = tokio::join!(chunk(&traffic, SECOND), batches).0;
        assert!(waited >= 40 * QUIET, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_waiting_leaves_the_turn_to_the_next() {
        let traffic = traffic(50);
        let _look_up = traffic.enter();
        chunk(&traffic, SECOND).await;
        let gives_up = tokio::time::timeout(SECOND / 2, traffic.turn(Work::Figures));
        assert!(gives_up.await.is_err());
        let waited = chunk(&traffic, SECOND).await;
        assert!(waited <= SECOND, "{waited:?}");
    }
}
