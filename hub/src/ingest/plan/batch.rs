//! The records of one transaction, and what must be known of the hub to plan them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use linkage::office::OfficeId;
use uuid::Uuid;

use super::Plan;
use super::planner::Planner;
use crate::case::{CaseKey, ContentHash, Stored};
use crate::ingest::decode::Decoded;
use crate::statistics::calendar::Calendar;

/// One record of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    pub office_id: OfficeId,
    pub epoch: Uuid,
    pub sequence: u64,
    pub decoded: &'a Decoded,
}

/// A case number of an office.
pub type NumberKey<'a> = (OfficeId, &'a str);

/// The records of one transaction, with what must be known of the hub to plan them.
#[derive(Debug)]
pub struct Batch<'a> {
    records: Vec<Incoming<'a>>,
    /// Every case that a record speaks of, once.
    pub keys: Vec<CaseKey<'a>>,
    /// Of each of `keys`, the revision and content sent, where one record alone speaks of it: what the hub holds already
    /// as it was sent need not be read.
    pub sent: Vec<Option<(i64, ContentHash)>>,
    slots: HashMap<CaseKey<'a>, usize>,
}

/// What the hub holds of a case.
#[derive(Debug)]
pub enum HeldCase {
    /// Just what the batch brings.
    AsSent,
    Other(Stored),
}

/// What the hub holds of a batch's cases and of the numbers that they claim.
#[derive(Debug, Default)]
pub struct Held<'a> {
    /// By index into [`Batch::keys`].
    pub cases: Vec<(usize, HeldCase)>,
    /// The case that has the number.
    pub holders: Vec<(NumberKey<'a>, String)>,
}

impl<'a> Batch<'a> {
    pub fn of(records: Vec<Incoming<'a>>) -> Self {
        let mut slots = HashMap::with_capacity(records.len());
        let mut keys = Vec::with_capacity(records.len());
        let mut sent = Vec::with_capacity(records.len());
        for record in &records {
            if let Decoded::Case(case) = record.decoded {
                let key = (record.office_id, case.source_case_id.as_str());
                match slots.entry(key) {
                    Entry::Vacant(vacant) => {
                        vacant.insert(keys.len());
                        keys.push(key);
                        sent.push(Some((case.revision, case.content_hash)));
                    }
                    Entry::Occupied(known) => sent[*known.get()] = None,
                }
            }
        }
        Self {
            records,
            keys,
            sent,
            slots,
        }
    }

    /// Every case number that is claimed by a case which the hub does not hold as it was sent, once.
    pub fn numbers(&self, held: &[(usize, HeldCase)]) -> Vec<NumberKey<'a>> {
        let as_sent: HashSet<usize> = held
            .iter()
            .filter(|(_, held)| matches!(held, HeldCase::AsSent))
            .map(|(at, _)| *at)
            .collect();
        let mut numbers: Vec<NumberKey<'a>> = self
            .records
            .iter()
            .filter_map(|record| match record.decoded {
                Decoded::Case(case) => {
                    let key = (record.office_id, case.source_case_id.as_str());
                    let number = case.case_no.as_ref()?.as_str();
                    (!as_sent.contains(&self.slots[&key])).then_some((record.office_id, number))
                }
                Decoded::Rejected(_) | Decoded::Invalid(_) => None,
            })
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Decides for every record in turn, given what the hub holds.
    pub fn plan(self, held: Held<'a>, calendar: &Calendar) -> Plan<'a> {
        let mut planner = Planner::new(&self, held);
        for record in &self.records {
            match record.decoded {
                Decoded::Case(case) => {
                    let slot = self.slots[&(record.office_id, case.source_case_id.as_str())];
                    planner.case(slot, record, case);
                }
                Decoded::Rejected(reject) => planner.rejected(record, reject),
                Decoded::Invalid(invalid) => planner.invalid(record, invalid),
            }
        }
        planner.finish(&self.slots, calendar)
    }
}
