//! What may be sent now: the credit window of one stream.

use std::collections::VecDeque;
use std::time::Duration;

use notary_proto::hub::v1::SyncLimits;
use tokio::time::Instant;

/// Whatever the hub allows, memory here stays bounded: at most so much is on its way.
const MOST_RECORDS: u32 = 2000;
const MOST_BYTES: u32 = 2 << 20;
const MOST_BATCHES: u32 = 8;

/// Longest pause that is believed.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// Limits as they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) records: u32,
    pub(super) bytes: usize,
    pub(super) batches: usize,
}

impl From<SyncLimits> for Limits {
    fn from(wire: SyncLimits) -> Self {
        // The batch's own fields take a few bytes beside its records.
        let bytes = wire.max_batch_bytes.saturating_sub(64).clamp(1, MOST_BYTES);
        Self {
            records: wire.max_batch_records.clamp(1, MOST_RECORDS),
            bytes: bytes as usize,
            batches: wire.max_unacked_batches.clamp(1, MOST_BATCHES) as usize,
        }
    }
}

/// What was sent and what comes next.
#[derive(Debug)]
pub(super) struct Flow {
    limits: Limits,
    /// Sequence to send next.
    next: u64,
    /// Up to which sequence the outbox knows that records may be sent.
    offered: u64,
    /// Last sequences of the batches that are not acknowledged, in order.
    unacked: VecDeque<u64>,
    paused_until: Option<Instant>,
    /// When the hub last had reason to acknowledge something.
    waiting_since: Instant,
}

impl Flow {
    pub(super) fn new(limits: Limits, next: u64, offered: u64) -> Self {
        Self {
            limits,
            next,
            offered,
            unacked: VecDeque::new(),
            paused_until: None,
            waiting_since: Instant::now(),
        }
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn offered(&self) -> u64 {
        self.offered
    }

    pub(super) fn offer(&mut self, up_to: u64) {
        self.offered = up_to;
    }

    pub(super) fn has_credit(&self) -> bool {
        self.unacked.len() < self.limits.batches
    }

    /// Until when nothing may be sent.
    pub(super) fn paused_until(&mut self) -> Option<Instant> {
        if self
            .paused_until
            .is_some_and(|until| until <= Instant::now())
        {
            self.paused_until = None;
        }
        self.paused_until
    }

    pub(super) fn pause(&mut self, wanted: Duration) {
        self.paused_until = Some(Instant::now() + wanted.min(LONGEST_PAUSE));
    }

    pub(super) fn sent(&mut self, records: usize) {
        if self.unacked.is_empty() {
            self.waiting_since = Instant::now();
        }
        self.next += records as u64;
        self.unacked.push_back(self.next - 1);
    }

    pub(super) fn acked(&mut self, committed: u64) {
        self.waiting_since = Instant::now();
        while self.unacked.front().is_some_and(|last| *last <= committed) {
            self.unacked.pop_front();
        }
        self.next = self.next.max(committed + 1);
    }

    pub(super) fn resend(&mut self, from: u64) {
        self.unacked.clear();
        self.next = from;
    }

    pub(super) fn is_idle(&self) -> bool {
        self.unacked.is_empty()
    }

    /// When the hub, if it stays silent, has been silent for too long.
    pub(super) fn stalled_at(&self, stall: Duration) -> Option<Instant> {
        (!self.is_idle()).then(|| self.waiting_since + stall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(batches: u32) -> Limits {
        SyncLimits {
            max_batch_records: 10,
            max_batch_bytes: 1000,
            max_unacked_batches: batches,
        }
        .into()
    }

    #[test]
    fn credit_is_spent_by_batches_and_comes_back_by_acknowledgements() {
        let mut flow = Flow::new(limits(2), 5, 4);
        flow.sent(3);
        flow.sent(4);
        assert_eq!((flow.next(), flow.has_credit()), (12, false));
        flow.acked(6);
        assert!(!flow.has_credit(), "half a batch is no batch");
        flow.acked(7);
        assert!(flow.has_credit() && !flow.is_idle());
        flow.acked(11);
        assert!(flow.is_idle());
    }

    #[test]
    fn resending_goes_back_and_frees_the_window() {
        let mut flow = Flow::new(limits(1), 1, 0);
        flow.sent(9);
        flow.resend(4);
        assert_eq!((flow.next(), flow.has_credit()), (4, true));
    }

    #[test]
    fn limits_of_nothing_or_of_everything_are_made_usable() {
        let none = Limits::from(SyncLimits::default());
        assert_eq!((none.records, none.bytes, none.batches), (1, 1, 1));
        let all = Limits::from(SyncLimits {
            max_batch_records: u32::MAX,
            max_batch_bytes: u32::MAX,
            max_unacked_batches: u32::MAX,
        });
        assert_eq!((all.records, all.bytes, all.batches), (2000, 2 << 20, 8));
    }
}
