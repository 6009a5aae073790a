//! What a batch does to the hub, worked out before anything is written. Pure: records and what the hub holds
//! of their cases go in, a plan of changes comes out. Records count in the order of their sequences, so that
//! the outcome is the same however the stream was cut into batches: but for cases that change numbers with each other,
//! which is one step only where all of it is in one batch.

mod batch;
mod numbers;
mod planner;
mod slot;

use std::borrow::Cow;

use linkage::office::OfficeId;
use linkage::vocabulary::RejectRule;
use time::OffsetDateTime;
use uuid::Uuid;

pub use self::batch::{Batch, Held, HeldCase, Incoming, NumberKey};
use crate::case::quality::Finding;
use crate::case::reject::AgentReject;
use crate::case::{Case, CaseKey, NextTokens};
use crate::statistics::contribution::Deltas;

/// A revision to be written.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    pub office_id: OfficeId,
    pub case: &'a Case,
    /// That of `case`, or a later one with the same content.
    pub revision: i64,
    /// Whether an earlier revision stands in its place and goes into history.
    pub replaces: bool,
    /// When the hub first saw the case; `None` for one it sees now.
    pub first_recorded_at: Option<OffsetDateTime>,
}

/// A record to be put into quarantine.
#[derive(Clone, Debug)]
pub struct Quarantined<'a> {
    pub office_id: OfficeId,
    pub epoch: Uuid,
    pub sequence: u64,
    pub record_key: Cow<'a, str>,
    pub revision: Option<i64>,
    pub reason: Reason<'a>,
    /// Whether a later good record of the batch cleared it at once.
    pub resolved: bool,
}

/// Who refused a record, and why.
#[derive(Clone, Copy, Debug)]
pub enum Reason<'a> {
    Agent(&'a AgentReject),
    Hub { rule: RejectRule, field: &'a str },
}

/// Everything one transaction does, but for duplicates, which only the database can find.
#[derive(Debug, Default)]
pub struct Plan<'a> {
    /// Same content under a newer revision: only the number moves. Comes first.
    pub renumbered: Vec<(CaseKey<'a>, i64)>,
    /// Revisions in the order they must be written: within one layer no case and no case number occurs
    /// twice. Nearly always one layer.
    pub layers: Vec<Vec<Write<'a>>>,
    /// The newest revision of every case written.
    pub newest: Vec<Write<'a>>,
    /// Cases that are in order now, and places at which a good record stands now: whatever stood against them is
    /// settled.
    pub settled: Vec<CaseKey<'a>>,
    pub quarantined: Vec<Quarantined<'a>>,
    pub findings: Vec<(CaseKey<'a>, Finding)>,
    /// What cases' tokens are under the next key, of the newest record that had them: also of cases that are unchanged.
    pub next_tokens: Vec<(CaseKey<'a>, &'a NextTokens)>,
    pub deltas: Deltas,
    pub unchanged: usize,
}

impl Write<'_> {
    pub fn key(&self) -> CaseKey<'_> {
        (self.office_id, &self.case.source_case_id)
    }
}

impl<'a> Quarantined<'a> {
    /// `key` is the record's, where it says one.
    pub fn new(
        record: &Incoming<'a>,
        key: Option<&'a str>,
        revision: Option<i64>,
        reason: Reason<'a>,
    ) -> Self {
        Self {
            office_id: record.office_id,
            epoch: record.epoch,
            sequence: record.sequence,
            record_key: match key {
                Some(key) => Cow::Borrowed(key),
                None => Cow::Owned(place(record.epoch, record.sequence)),
            },
            revision,
            reason,
            resolved: false,
        }
    }

    /// The case's key at the office; `None` for a record that has none.
    pub fn source_case_id(&self) -> Option<&str> {
        Some(&*self.record_key).filter(|key| *key != place(self.epoch, self.sequence))
    }
}

/// What a record without a key is called in quarantine: a sequence alone means another record in another epoch.
/// [`crate::store::case::reject`] composes it as well.
pub fn place(epoch: Uuid, sequence: u64) -> String {
    format!("sequence:{epoch}:{sequence}")
}

impl Reason<'_> {
    pub fn rule_id(&self) -> &str {
        match self {
            Self::Agent(reject) => &reject.rule_id,
            Self::Hub { rule, .. } => rule.code(),
        }
    }

    pub fn field(&self) -> &str {
        match self {
            Self::Agent(reject) => &reject.field,
            Self::Hub { field, .. } => field,
        }
    }
}
