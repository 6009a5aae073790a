//! What the hub has made durable, what the office was promised, and whether they keep to the protocol's promises.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use notary_proto::hub::v1::record::Payload;
use notary_proto::hub::v1::{CaseRecord, Record};
use office_agent::outbox::Position;
use uuid::Uuid;

/// A case's content as the simulation has it: a number that only grows.
type Content = i64;

/// What a restore from a backup brings back.
#[derive(Clone, Debug, Default)]
struct Durable {
    /// Epoch of the office's outbox.
    epoch: String,
    committed: u64,
    /// Revision and content.
    cases: HashMap<String, (u64, Content)>,
}

/// Everything that outlives a crash.
#[derive(Debug)]
pub(crate) struct Ledger {
    durable: Durable,
    backup: Durable,
    hub_epoch: String,
    /// Streams opened so far; the newest speaks.
    streams: u64,
    /// What each sequence of each epoch was when it was first seen.
    seen: HashMap<(String, u64), (String, u64, Content)>,
    /// What the outbox took over from the office's system.
    promised: HashMap<String, Content>,
    effects: u64,
    violations: Vec<String>,
}

/// A ledger that hosts and the run share.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Mutex<Ledger>>);

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Committed(u64),
    Resend(u64),
    Stale,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Ledger {
            durable: Durable::default(),
            backup: Durable::default(),
            hub_epoch: Uuid::from_u128(1).to_string(),
            streams: 0,
            seen: HashMap::new(),
            promised: HashMap::new(),
            effects: 0,
            violations: Vec::new(),
        })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    /// Opens a stream; `None` when a newer epoch is known. Else its number, and what is committed.
    pub(crate) fn open(&mut self, epoch: &str) -> Option<(u64, u64)> {
        if epoch < self.durable.epoch.as_str() {
            self.violate(format!("{epoch} is older than {}", self.durable.epoch));
            return None;
        }
        if epoch > self.durable.epoch.as_str() {
            self.durable.epoch = epoch.to_owned();
            self.durable.committed = 0;
        }
        self.streams += 1;
        Some((self.streams, self.durable.committed))
    }

    pub(crate) fn hub_epoch(&self) -> &str {
        &self.hub_epoch
    }

    pub(crate) fn is_newest(&self, stream: u64) -> bool {
        self.streams == stream
    }

    /// Commits a batch, as the hub's writer does.
    pub(crate) fn commit(&mut self, epoch: &str, first: u64, records: &[Record]) -> Taken {
        if epoch != self.durable.epoch {
            return Taken::Stale;
        }
        let next = self.durable.committed + 1;
        if first > next {
            return Taken::Resend(next);
        }
        for (sequence, record) in (first..).zip(records) {
            let Some(Payload::Case(case)) = &record.payload else {
                self.violate(format!("sequence {sequence} is no case"));
                continue;
            };
            self.recognise(epoch, sequence, case);
            if sequence > self.durable.committed {
                self.apply(case);
                self.durable.committed = sequence;
            }
        }
        Taken::Committed(self.durable.committed)
    }

    /// Within an epoch a sequence is the same record for ever.
    fn recognise(&mut self, epoch: &str, sequence: u64, case: &CaseRecord) {
        let told = (
            case.source_case_id.clone(),
            case.revision,
            case.fee_charged_fen,
        );
        let key = (epoch.to_owned(), sequence);
        let first = self.seen.entry(key).or_insert_with(|| told.clone()).clone();
        if first != told {
            self.violate(format!("sequence {sequence} was {first:?} and is {told:?}"));
        }
    }

    fn apply(&mut self, case: &CaseRecord) {
        let (revision, content) = (case.revision, case.fee_charged_fen);
        let key = case.source_case_id.clone();
        match self.durable.cases.get(&key) {
            // Offered again after a restore.
            Some((held, _)) if revision < *held => return,
            Some((held, had)) if revision == *held && content == *had => return,
            Some((held, had)) if revision == *held || content < *had => self.violate(format!(
                "{key}: revision {revision} with {content} upon {held} with {had}"
            )),
            _ => self.effects += 1,
        }
        self.durable.cases.insert(key, (revision, content));
    }

    /// The outbox has taken a case over, durably.
    pub(crate) fn promise(&mut self, case: String, content: Content) {
        self.promised.insert(case, content);
    }

    /// What the agent takes for committed is, unless the hub was restored and the agent has not heard of it.
    pub(crate) fn compare(&mut self, position: &Position) {
        let speaks_of_this =
            position.epoch == self.durable.epoch && position.hub_epoch == self.hub_epoch;
        if speaks_of_this && position.acked > self.durable.committed {
            let (acked, committed) = (position.acked, self.durable.committed);
            self.violate(format!("{acked} acknowledged of {committed} committed"));
        }
    }

    pub(crate) fn back_up(&mut self) {
        self.backup = self.durable.clone();
    }

    /// Puts the last backup in place, under another epoch of the hub.
    pub(crate) fn restore(&mut self, nth: u128) {
        self.durable = self.backup.clone();
        self.hub_epoch = Uuid::from_u128(1 + nth).to_string();
    }

    /// Cases that the office was promised and the hub does not hold as promised.
    pub(crate) fn lost(&self) -> usize {
        let held = |case: &String| self.durable.cases.get(case).map(|(_, content)| *content);
        let promised = self.promised.iter();
        promised
            .filter(|(case, content)| held(case) != Some(**content))
            .count()
    }

    pub(crate) fn violate(&mut self, what: String) {
        self.violations.push(what);
    }

    pub(crate) fn violations(&self) -> &[String] {
        &self.violations
    }

    pub(crate) fn streams(&self) -> u64 {
        self.streams
    }

    pub(crate) fn effects(&self) -> u64 {
        self.effects
    }
}
