//! The records of one transaction, and what must be known of the hub to plan them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use linkage::office::OfficeId;
use uuid::Uuid;

use super::Plan;
use super::planner::{Planner, Trust};
use crate::case::{CaseKey, ContentHash, Stored};
use crate::ingest::decode::Decoded;
use crate::statistics::calendar::Calendar;

/// How often a batch is planned over before no record may rest on a later one any more: numbers handed on along a line of
/// cases, the last of which is refused, take it one by one.
const MOST_PLANS: usize = 8;

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
    /// Of each of `keys`, the place of its last record.
    pub(super) last: Vec<usize>,
    pub(super) slots: HashMap<CaseKey<'a>, usize>,
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
        let mut last = Vec::with_capacity(records.len());
        for (place, record) in records.iter().enumerate() {
            if let Decoded::Case(case) = record.decoded {
                let key = (record.office_id, case.source_case_id.as_str());
                match slots.entry(key) {
                    Entry::Vacant(vacant) => {
                        vacant.insert(keys.len());
                        keys.push(key);
                        last.push(place);
                        sent.push(Some((case.revision, case.content_hash)));
                    }
                    Entry::Occupied(known) => {
                        sent[*known.get()] = None;
                        last[*known.get()] = place;
                    }
                }
            }
        }
        Self {
            records,
            keys,
            sent,
            last,
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

    /// Decides for every record in turn, given what the hub holds. Whoever takes a number that its case then does not leave
    /// is refused, and whatever rests on that is decided once more.
    pub fn plan(self, held: Held<'a>, calendar: &Calendar) -> Plan<'a> {
        let mut mistaken = HashSet::new();
        for _ in 0..MOST_PLANS {
            let planner = self.planned(&held, Trust::AllBut(&mistaken));
            let news = planner.mistaken();
            if news.is_empty() {
                return planner.finish(calendar);
            }
            mistaken.extend(news);
        }
        self.planned(&held, Trust::None).finish(calendar)
    }

    fn planned<'h>(&'h self, held: &'h Held<'a>, trust: Trust<'_>) -> Planner<'a, 'h> {
        let mut planner = Planner::new(self, held);
        for (place, record) in self.records.iter().enumerate() {
            match record.decoded {
                Decoded::Case(case) => {
                    let slot = self.slots[&(record.office_id, case.source_case_id.as_str())];
                    planner.case(slot, place, record, case, trust);
                }
                Decoded::Rejected(reject) => planner.rejected(record, reject),
                Decoded::Invalid(invalid) => planner.invalid(record, invalid),
            }
        }
        planner
    }
}
