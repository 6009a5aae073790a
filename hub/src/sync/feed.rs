//! An office's feed while its stream is open: which batch may come next, which ones are with the writer, and what
//! may be acknowledged. Holds no records itself.

use std::collections::VecDeque;

use linkage::office::OfficeId;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::hello::LAST_SEQUENCE;
use crate::ingest::batch::{HubReject, Outcome};

/// Records in one batch at most.
pub const MAX_BATCH_RECORDS: usize = 2000;
/// Encoded size of one batch at most, bytes; well below the largest message.
pub const MAX_BATCH_BYTES: usize = 3 << 20;
/// Batches not yet acknowledged at most. Eight of a thousand records keep a writer busy while acks travel.
pub const MAX_UNACKED_BATCHES: usize = 8;
/// Rejects that one ack carries before the next one is begun; keeps acks far below the agent's message limit.
pub const REJECTS_PER_ACK: usize = 1000;

/// Where a feed stands.
#[derive(Debug)]
pub struct Feed {
    office_id: OfficeId,
    epoch: Uuid,
    /// First sequence that has not been received.
    next: u64,
    /// Batches since the agent was told to go back and has not done so yet.
    asked_back: Option<usize>,
    /// Outcomes of the batches with the writer, oldest first.
    waiting: VecDeque<oneshot::Receiver<Outcome>>,
    /// An outcome that came while others were being put together.
    held: Option<Outcome>,
}

/// What is to be done with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Goes to the writer.
    Take,
    /// Records before it are missing; the agent goes back to this sequence.
    Resend { from_sequence: u64 },
    /// Was sent before the agent heard that it must go back.
    Ignore,
}

/// How a batch breaks the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    #[error("a batch has more records or bytes than the limits allow")]
    TooLarge,
    #[error("more batches are unacknowledged than the window allows")]
    WindowExceeded,
    #[error("sequences count from 1 to 2^63 - 1")]
    SequenceOutOfRange,
}

/// What the agent hears about what it sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Durable up to here.
    Committed {
        committed_sequence: u64,
        rejects: Vec<HubReject>,
    },
    /// Go back to this sequence.
    Resend {
        from_sequence: u64,
    },
    /// A newer epoch has taken over.
    EpochStale,
    TokenKeyChanged,
    /// A fault of the hub's is in the way.
    NotStored,
    /// The writer ended before it could say; the agent sends again after reconnecting.
    Lost,
}

impl Feed {
    pub fn new(office_id: OfficeId, epoch: Uuid, committed_sequence: u64) -> Self {
        Self {
            office_id,
            epoch,
            next: committed_sequence + 1,
            asked_back: None,
            waiting: VecDeque::new(),
            held: None,
        }
    }

    pub fn office_id(&self) -> OfficeId {
        self.office_id
    }

    pub fn epoch(&self) -> Uuid {
        self.epoch
    }

    /// Whether everything received has been answered.
    pub fn is_settled(&self) -> bool {
        self.waiting.is_empty() && self.held.is_none()
    }

    /// Looks at a batch that has just arrived.
    pub fn admit(
        &mut self,
        first_sequence: u64,
        records: usize,
        bytes: usize,
    ) -> Result<Admission, Violation> {
        if records > MAX_BATCH_RECORDS || bytes > MAX_BATCH_BYTES {
            return Err(Violation::TooLarge);
        }
        let end = first_sequence
            .checked_add(records as u64)
            .filter(|end| first_sequence > 0 && *end <= LAST_SEQUENCE)
            .ok_or(Violation::SequenceOutOfRange)?;
        if first_sequence > self.next {
            return self.ask_back();
        }
        if self.waiting.len() + usize::from(self.held.is_some()) >= MAX_UNACKED_BATCHES {
            return Err(Violation::WindowExceeded);
        }
        self.asked_back = None;
        self.next = self.next.max(end);
        Ok(Admission::Take)
    }

    /// What was on its way when the agent was told is ignored; more than the window cannot have been.
    fn ask_back(&mut self) -> Result<Admission, Violation> {
        match &mut self.asked_back {
            None => {
                self.asked_back = Some(0);
                Ok(Admission::Resend {
                    from_sequence: self.next,
                })
            }
            Some(ignored) if *ignored >= MAX_UNACKED_BATCHES => Err(Violation::WindowExceeded),
            Some(ignored) => {
                *ignored += 1;
                Ok(Admission::Ignore)
            }
        }
    }

    /// A batch that was admitted is with the writer.
    pub fn handed_over(&mut self, outcome: oneshot::Receiver<Outcome>) {
        self.waiting.push_back(outcome);
    }

    /// Waits for the oldest batch and puts together what else is done. Never ends while nothing is with the writer.
    /// Loses nothing when it is dropped.
    pub async fn answer(&mut self) -> Answer {
        let outcome = match (self.held.take(), self.waiting.front_mut()) {
            (Some(held), _) => Ok(held),
            (None, Some(oldest)) => {
                let outcome = oldest.await;
                self.waiting.pop_front();
                outcome
            }
            (None, None) => std::future::pending().await,
        };
        match outcome {
            Err(_) => Answer::Lost,
            Ok(Outcome::EpochStale) => Answer::EpochStale,
            Ok(Outcome::TokenKeyChanged) => Answer::TokenKeyChanged,
            Ok(Outcome::NotStored) => Answer::NotStored,
            Ok(Outcome::Gap { from_sequence }) => self.go_back(from_sequence),
            Ok(Outcome::Committed {
                committed_sequence,
                rejects,
            }) => self.coalesced(committed_sequence, rejects),
        }
    }

    /// The writer knows of less than this stream thought. What follows is a gap as well, so nobody waits for it.
    fn go_back(&mut self, from_sequence: u64) -> Answer {
        self.waiting.clear();
        self.next = from_sequence;
        self.asked_back = Some(0);
        Answer::Resend { from_sequence }
    }

    fn coalesced(&mut self, mut committed_sequence: u64, mut rejects: Vec<HubReject>) -> Answer {
        while rejects.len() < REJECTS_PER_ACK
            && let Some(next) = self.waiting.front_mut()
            && let Ok(outcome) = next.try_recv()
        {
            self.waiting.pop_front();
            match outcome {
                Outcome::Committed {
                    committed_sequence: later,
                    rejects: more,
                } => {
                    committed_sequence = committed_sequence.max(later);
                    rejects.extend(more);
                }
                other => {
                    self.held = Some(other);
                    break;
                }
            }
        }
        Answer::Committed {
            committed_sequence,
            rejects,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn feed() -> Feed {
        Feed::new("hzgl".parse().expect("an id"), Uuid::now_v7(), 10)
    }

    /// Admits a batch of `records` and hands it over.
    fn send(feed: &mut Feed, first: u64, records: usize) -> oneshot::Sender<Outcome> {
        assert_eq!(feed.admit(first, records, 0), Ok(Admission::Take));
        let (done, outcome) = oneshot::channel();
        feed.handed_over(outcome);
        done
    }

    fn committed(sequence: u64) -> Outcome {
        Outcome::Committed {
            committed_sequence: sequence,
            rejects: Vec::new(),
        }
    }

    fn acked(sequence: u64) -> Option<Answer> {
        Some(Answer::Committed {
            committed_sequence: sequence,
            rejects: Vec::new(),
        })
    }

    #[test]
    fn acks_come_in_order_and_together() {
        let mut feed = feed();
        let (one, two, three) = (
            send(&mut feed, 11, 5),
            send(&mut feed, 16, 5),
            send(&mut feed, 21, 5),
        );
        two.send(committed(20)).expect("somebody waits");
        assert_eq!(
            feed.answer().now_or_never(),
            None,
            "the first is not durable yet"
        );
        one.send(committed(15)).expect("somebody waits");
        assert_eq!(feed.answer().now_or_never(), acked(20));
        assert!(!feed.is_settled());
        three.send(committed(25)).expect("somebody waits");
        assert_eq!(feed.answer().now_or_never(), acked(25));
        assert!(feed.is_settled());
        assert_eq!(feed.answer().now_or_never(), None);
    }

    #[test]
    fn a_gap_is_named_once_and_what_was_in_flight_is_ignored() {
        let mut feed = feed();
        assert_eq!(
            feed.admit(13, 2, 0),
            Ok(Admission::Resend { from_sequence: 11 })
        );
        assert_eq!(feed.admit(15, 2, 0), Ok(Admission::Ignore));
        let _resent = send(&mut feed, 11, 2);
        assert_eq!(
            feed.admit(14, 2, 0),
            Ok(Admission::Resend { from_sequence: 13 })
        );
    }

    #[test]
    fn who_does_not_go_back_is_not_ignored_for_ever() {
        let mut feed = feed();
        assert_eq!(
            feed.admit(15, 2, 0),
            Ok(Admission::Resend { from_sequence: 11 })
        );
        for _ in 0..MAX_UNACKED_BATCHES {
            assert_eq!(feed.admit(15, 2, 0), Ok(Admission::Ignore));
        }
        assert_eq!(feed.admit(15, 2, 0), Err(Violation::WindowExceeded));
    }

    #[test]
    fn a_gap_that_the_writer_finds_frees_the_window() {
        let mut feed = feed();
        let mut batches: Vec<_> = (0..8).map(|at| send(&mut feed, 11 + at, 1)).collect();
        batches
            .remove(0)
            .send(Outcome::Gap { from_sequence: 4 })
            .expect("somebody waits");
        assert_eq!(
            feed.answer().now_or_never(),
            Some(Answer::Resend { from_sequence: 4 })
        );
        assert_eq!(feed.admit(19, 1, 0), Ok(Admission::Ignore));
        let _resent: Vec<_> = (0..8).map(|at| send(&mut feed, 4 + at, 1)).collect();
    }

    #[test]
    fn the_window_the_size_and_the_sequences_are_bounded() {
        let mut feed = feed();
        let _batches: Vec<_> = (0..8).map(|at| send(&mut feed, 11 + at, 1)).collect();
        assert_eq!(feed.admit(19, 1, 0), Err(Violation::WindowExceeded));
        assert_eq!(
            feed.admit(11, MAX_BATCH_RECORDS + 1, 0),
            Err(Violation::TooLarge)
        );
        assert_eq!(
            feed.admit(11, 1, MAX_BATCH_BYTES + 1),
            Err(Violation::TooLarge)
        );
        for first in [0, LAST_SEQUENCE, u64::MAX] {
            assert_eq!(
                feed.admit(first, 1, 0),
                Err(Violation::SequenceOutOfRange),
                "{first}"
            );
        }
    }

    #[test]
    fn a_writer_that_ended_is_no_ack() {
        let mut feed = feed();
        drop(send(&mut feed, 11, 1));
        assert_eq!(feed.answer().now_or_never(), Some(Answer::Lost));
    }

    #[test]
    fn what_ends_the_stream_is_not_swallowed_by_an_ack_before_it() {
        let mut feed = feed();
        let (one, two) = (send(&mut feed, 11, 1), send(&mut feed, 12, 1));
        one.send(committed(11)).expect("somebody waits");
        two.send(Outcome::EpochStale).expect("somebody waits");
        assert_eq!(feed.answer().now_or_never(), acked(11));
        assert!(!feed.is_settled());
        assert_eq!(feed.answer().now_or_never(), Some(Answer::EpochStale));
    }
}
