//! Refusals that could fill the log as they are recorded: one entry for whoever is refused and minute, with a count.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Time from one entry about somebody to the next.
const MINUTE: Duration = Duration::from_secs(60);

/// Refusals to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tally<K> {
    pub(crate) whose: K,
    pub(crate) refusals: u64,
}

/// Since the last entry.
#[derive(Clone, Copy, Debug)]
struct Since {
    recorded: Instant,
    refusals: u64,
}

/// Counts by whose they are, of whom there are not many.
#[derive(Debug)]
pub(crate) struct Refusals<K>(Mutex<HashMap<K, Since>>);

impl<K> Default for Refusals<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Copy + Eq + Hash> Refusals<K> {
    /// Counts refusals. The first of a minute are to be recorded now.
    pub(crate) fn count(&self, whose: K, refusals: u64, now: Instant) -> Option<Tally<K>> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = counts.get_mut(&whose)
            && now.duration_since(since.recorded) < MINUTE
        {
            since.refusals += refusals;
            return None;
        }
        let last = Since {
            recorded: now,
            refusals: 0,
        };
        let before = counts.insert(whose, last);
        Some(Tally {
            whose,
            refusals: refusals + before.map_or(0, |since| since.refusals),
        })
    }

    /// What was counted a minute ago or more and is to be recorded now.
    pub(crate) fn due(&self, now: Instant) -> Vec<Tally<K>> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        counts.retain(|&whose, since| {
            if now.duration_since(since.recorded) < MINUTE {
                return true;
            }
            let refusals = std::mem::take(&mut since.refusals);
            since.recorded = now;
            due.extend((refusals > 0).then_some(Tally { whose, refusals }));
            refusals > 0
        });
        due
    }

    /// Whatever was counted and not recorded.
    pub(crate) fn rest(&self) -> Vec<Tally<K>> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = counts.drain().filter(|(_, since)| since.refusals > 0);
        rest.map(|(whose, since)| Tally {
            whose,
            refusals: since.refusals,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_first_of_a_minute_is_recorded_at_once_and_the_others_with_their_count() {
        let (refusals, begun) = (Refusals::default(), Instant::now());
        let li = Some(Uuid::now_v7());
        let at = |seconds| begun + Duration::from_secs(seconds);
        let tally = |whose, refusals| Tally { whose, refusals };
        assert_eq!(refusals.count(li, 1, at(0)), Some(tally(li, 1)));
        for second in 1..50 {
            assert_eq!(refusals.count(li, 1, at(second)), None);
        }
        assert_eq!(refusals.count(None, 1, at(50)), Some(tally(None, 1)));
        assert_eq!(refusals.due(at(59)), []);
        assert_eq!(refusals.due(at(60)), [tally(li, 49)]);
        assert_eq!(refusals.count(li, 1, at(61)), None, "an entry a minute");
        assert_eq!(refusals.count(li, 1, at(120)), Some(tally(li, 2)));
        assert_eq!(refusals.due(at(180)), []);
    }

    #[test]
    fn nothing_that_was_counted_is_lost_at_the_end() {
        let (refusals, now) = (Refusals::<Option<Uuid>>::default(), Instant::now());
        refusals.count(None, 1, now);
        refusals.count(None, 1, now);
        let rest = Tally {
            whose: None,
            refusals: 1,
        };
        assert_eq!(refusals.rest(), [rest]);
        assert_eq!(refusals.rest(), []);
    }
}
