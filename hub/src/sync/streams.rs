//! The one stream that speaks for an office: a newer one replaces it, at this hub at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use linkage::office::OfficeId;
use metrics::gauge;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::telemetry::metrics::SYNC_STREAMS;

/// The open streams of this hub. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    speaking: Arc<Mutex<HashMap<OfficeId, Speaking>>>,
}

#[derive(Debug)]
struct Speaking {
    connected_at: OffsetDateTime,
    replaced: CancellationToken,
}

/// A stream's place among the open ones; given up when dropped.
#[derive(Debug)]
pub struct Place {
    streams: Streams,
    office_id: OfficeId,
    connected_at: OffsetDateTime,
    replaced: CancellationToken,
}

impl Streams {
    /// Speaks for the office from now on, unless a stream that was opened later does already.
    pub fn enter(&self, office_id: OfficeId, connected_at: OffsetDateTime) -> Place {
        let replaced = CancellationToken::new();
        let mut speaking = self.lock();
        match speaking.get(&office_id) {
            Some(other) if other.connected_at > connected_at => replaced.cancel(),
            other => {
                if let Some(older) = other {
                    older.replaced.cancel();
                }
                let speaks = Speaking {
                    connected_at,
                    replaced: replaced.clone(),
                };
                speaking.insert(office_id, speaks);
            }
        }
        drop(speaking);
        gauge!(SYNC_STREAMS).increment(1);
        Place {
            streams: self.clone(),
            office_id,
            connected_at,
            replaced,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OfficeId, Speaking>> {
        // Every change is a single step, so a panic elsewhere leaves nothing half done.
        self.speaking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Tells this stream from every other one of the office, at whichever hub.
    pub fn connected_at(&self) -> OffsetDateTime {
        self.connected_at
    }

    /// Cancelled when another stream of this hub has taken over.
    pub fn replaced(&self) -> CancellationToken {
        self.replaced.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut speaking = self.streams.lock();
        if speaking
            .get(&self.office_id)
            .is_some_and(|current| current.connected_at == self.connected_at)
        {
            speaking.remove(&self.office_id);
        }
        drop(speaking);
        gauge!(SYNC_STREAMS).decrement(1);
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const EARLY: OffsetDateTime = datetime!(2026-03-01 08:00 UTC);
    const LATE: OffsetDateTime = datetime!(2026-03-01 08:01 UTC);

    fn office(id: &str) -> OfficeId {
        id.parse().expect("an id")
    }

    #[test]
    fn the_stream_opened_last_speaks_whichever_enters_first() {
        let streams = Streams::default();
        let early = streams.enter(office("hzgl"), EARLY);
        let late = streams.enter(office("hzgl"), LATE);
        assert!(early.replaced().is_cancelled());
        assert!(!late.replaced().is_cancelled());
        let slow = streams.enter(office("hzgl"), EARLY);
        assert!(slow.replaced().is_cancelled());
        assert!(!late.replaced().is_cancelled());
    }

    #[test]
    fn a_replaced_stream_that_ends_does_not_take_the_place_of_its_successor() {
        let streams = Streams::default();
        let early = streams.enter(office("hzgl"), EARLY);
        let late = streams.enter(office("hzgl"), LATE);
        drop(early);
        assert_eq!(streams.lock().len(), 1);
        drop(late);
        assert!(streams.lock().is_empty());
    }

    #[test]
    fn offices_do_not_replace_each_other() {
        let streams = Streams::default();
        let one = streams.enter(office("hzgl"), EARLY);
        let _other = streams.enter(office("hzqt"), LATE);
        assert!(!one.replaced().is_cancelled());
    }
}
