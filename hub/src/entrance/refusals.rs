//! Refused sign-ins as they are recorded: one entry for an account and minute, with a count, so that guessing cannot
//! fill the log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

/// Time from one entry about an account to the next.
const MINUTE: Duration = Duration::from_secs(60);

/// Refusals to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    /// `None`: logins that are nobody's.
    pub(super) account_id: Option<Uuid>,
    pub(super) refusals: u64,
}

/// Since the last entry.
#[derive(Clone, Copy, Debug)]
struct Since {
    recorded: Instant,
    refusals: u64,
}

/// Counts by account: there are no more of them than accounts, and one for all others.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<HashMap<Option<Uuid>, Since>>);

impl Refusals {
    /// Counts a refusal. The first of a minute is to be recorded now.
    pub(super) fn count(&self, account_id: Option<Uuid>, now: Instant) -> Option<Tally> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = counts.get_mut(&account_id)
            && now.duration_since(since.recorded) < MINUTE
        {
            since.refusals += 1;
            return None;
        }
        let last = Since {
            recorded: now,
            refusals: 0,
        };
        let before = counts.insert(account_id, last);
        Some(Tally {
            account_id,
            refusals: 1 + before.map_or(0, |since| since.refusals),
        })
    }

    /// What was counted a minute ago or more and is to be recorded now.
    pub(super) fn due(&self, now: Instant) -> Vec<Tally> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        counts.retain(|&account_id, since| {
            if now.duration_since(since.recorded) < MINUTE {
                return true;
            }
            let refusals = std::mem::take(&mut since.refusals);
            since.recorded = now;
            due.extend((refusals > 0).then_some(Tally {
                account_id,
                refusals,
            }));
            refusals > 0
        });
        due
    }

    /// Whatever was counted and not recorded.
    pub(super) fn rest(&self) -> Vec<Tally> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = counts.drain().filter(|(_, since)| since.refusals > 0);
        rest.map(|(account_id, since)| Tally {
            account_id,
            refusals: since.refusals,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_minute_is_recorded_at_once_and_the_others_with_their_count() {
        let (refusals, begun) = (Refusals::default(), Instant::now());
        let li = Some(Uuid::now_v7());
        let at = |seconds| begun + Duration::from_secs(seconds);
        let tally = |account_id, refusals| Tally {
            account_id,
            refusals,
        };
        assert_eq!(refusals.count(li, at(0)), Some(tally(li, 1)));
        for second in 1..50 {
            assert_eq!(refusals.count(li, at(second)), None);
        }
        assert_eq!(refusals.count(None, at(50)), Some(tally(None, 1)));
        assert_eq!(refusals.due(at(59)), []);
        assert_eq!(refusals.due(at(60)), [tally(li, 49)]);
        assert_eq!(refusals.count(li, at(61)), None, "an entry a minute");
        assert_eq!(refusals.count(li, at(120)), Some(tally(li, 2)));
        assert_eq!(refusals.due(at(180)), []);
    }

    #[test]
    fn nothing_that_was_counted_is_lost_at_the_end() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        refusals.count(None, now);
        refusals.count(None, now);
        let rest = Tally {
            account_id: None,
            refusals: 1,
        };
        assert_eq!(refusals.rest(), [rest]);
        assert_eq!(refusals.rest(), []);
    }
}
