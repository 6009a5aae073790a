//! What a batch does to the hub, worked out before anything is written. Pure: records and what the hub holds
//! of their cases go in, a plan of changes comes out. Records count in the order of their sequences, so that
//! the outcome is the same however the stream was cut into batches.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use linkage::office::OfficeId;
use linkage::vocabulary::CaseState;
use time::OffsetDateTime;
use uuid::Uuid;

use super::decode::Decoded;
use crate::case::quality::{self, Finding};
use crate::case::reject::{AgentReject, HubRule};
use crate::case::{Case, CaseKey, ContentHash, NextTokens, Stored};
use crate::statistics::calendar::Calendar;
use crate::statistics::contribution::{self, Counts, Deltas};

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
    Hub { rule: HubRule, field: &'a str },
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

/// A case while the batch's records pass over it.
struct Slot<'a> {
    /// Held as it was sent: nothing is left to do.
    as_sent: bool,
    stored: Option<Stored>,
    now: Option<Now<'a>>,
    /// Where the newest write stands in [`Plan::layers`].
    written: Option<(usize, usize)>,
    settled_by: Option<u64>,
    /// Of the content that stands now, where this batch brought them.
    next_tokens: Option<&'a NextTokens>,
}

#[derive(Clone)]
struct Now<'a> {
    revision: i64,
    content_hash: ContentHash,
    state: CaseState,
    case_no: Option<Cow<'a, str>>,
}

/// A case number while the batch's records pass over it.
#[derive(Clone, Default)]
struct Number<'a> {
    holder: Option<Cow<'a, str>>,
    /// First layer in which a write may take or leave it.
    free_from: usize,
}

/// Planning under way.
struct Planner<'a> {
    keys: Vec<CaseKey<'a>>,
    slots: Vec<Slot<'a>>,
    numbers: HashMap<(OfficeId, Cow<'a, str>), Number<'a>>,
    plan: Plan<'a>,
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
                Decoded::Rejected(reject) if reject.mended => {
                    planner.mended(record.office_id, &reject.record_key);
                }
                Decoded::Rejected(reject) => planner.plan.quarantined.push(Quarantined {
                    office_id: record.office_id,
                    epoch: record.epoch,
                    sequence: record.sequence,
                    record_key: Cow::Borrowed(&reject.record_key),
                    revision: None,
                    reason: Reason::Agent(reject),
                    resolved: false,
                }),
                Decoded::Invalid(invalid) => {
                    let key = match &invalid.source_case_id {
                        Some(key) => Cow::Borrowed(key.as_str()),
                        None => Cow::Owned(place(record.epoch, record.sequence)),
                    };
                    planner.plan.quarantined.push(Quarantined {
                        office_id: record.office_id,
                        epoch: record.epoch,
                        sequence: record.sequence,
                        record_key: key,
                        revision: invalid.revision,
                        reason: Reason::Hub {
                            rule: HubRule::FieldInvalid,
                            field: &invalid.field,
                        },
                        resolved: false,
                    });
                }
            }
        }
        planner.finish(&self.slots, calendar)
    }
}

impl<'a> Planner<'a> {
    fn new(batch: &Batch<'a>, held: Held<'a>) -> Self {
        let mut slots: Vec<Slot<'a>> = batch.keys.iter().map(|_| Slot::empty()).collect();
        for (at, held) in held.cases {
            slots[at] = match held {
                HeldCase::AsSent => Slot {
                    as_sent: true,
                    ..Slot::empty()
                },
                HeldCase::Other(stored) => Slot::holding(stored),
            };
        }
        let numbers = held
            .holders
            .into_iter()
            .map(|((office_id, number), holder)| {
                let number_key = (office_id, Cow::Borrowed(number));
                let holder = Some(Cow::Owned(holder));
                (
                    number_key,
                    Number {
                        holder,
                        free_from: 0,
                    },
                )
            })
            .collect();
        Self {
            keys: batch.keys.clone(),
            slots,
            numbers,
            plan: Plan::default(),
        }
    }

    fn case(&mut self, at: usize, record: &Incoming<'a>, case: &'a Case) {
        let sequence = record.sequence;
        let slot = &mut self.slots[at];
        if slot.as_sent {
            slot.next_tokens = case.next_tokens.as_ref();
            slot.settled_by = Some(sequence);
            self.plan.unchanged += 1;
            return;
        }
        if let Some(now) = &mut self.slots[at].now {
            if case.revision < now.revision {
                self.plan.unchanged += 1;
                return;
            }
            if case.content_hash == now.content_hash {
                now.revision = case.revision;
                if let Some((layer, index)) = self.slots[at].written {
                    self.plan.layers[layer][index].revision = case.revision;
                }
                let slot = &mut self.slots[at];
                slot.settled_by = Some(sequence);
                slot.next_tokens = case.next_tokens.as_ref().or(slot.next_tokens);
                self.plan.unchanged += 1;
                return;
            }
            if case.revision == now.revision {
                self.refuse(record, case, HubRule::RevisionConflict, "revision");
                return;
            }
        }
        match self.claim_number(at, case) {
            Some(layer) => self.write(at, sequence, case, layer),
            None => self.refuse(record, case, HubRule::CaseNoTaken, "case_no"),
        }
    }

    /// Takes the case number for the case and leaves the one it had. Returns the layer the case must be
    /// written in, or `None` when another case has the number.
    fn claim_number(&mut self, at: usize, case: &'a Case) -> Option<usize> {
        let (office_id, source_case_id) = self.keys[at];
        let slot = &self.slots[at];
        let wanted = case
            .case_no
            .as_ref()
            .map(|number| Cow::Borrowed(number.as_str()));
        let had = slot.now.as_ref().and_then(|now| now.case_no.clone());
        let mut layer = slot.written.map_or(0, |(layer, _)| layer + 1);
        if wanted == had {
            return Some(layer);
        }
        if let Some(wanted) = wanted {
            let number = self.numbers.entry((office_id, wanted)).or_default();
            if number
                .holder
                .as_ref()
                .is_some_and(|holder| holder != source_case_id)
            {
                return None;
            }
            layer = layer.max(number.free_from);
            *number = Number {
                holder: Some(Cow::Borrowed(source_case_id)),
                free_from: layer + 1,
            };
        }
        if let Some(had) = had {
            let left = Number {
                holder: None,
                free_from: layer + 1,
            };
            self.numbers.insert((office_id, had), left);
        }
        Some(layer)
    }

    fn write(&mut self, at: usize, sequence: u64, case: &'a Case, layer: usize) {
        let key = self.keys[at];
        let slot = &mut self.slots[at];
        if let Some(now) = &slot.now
            && let Some(finding) = quality::illegal_step(now.state, case)
        {
            self.plan.findings.push((key, finding));
        }
        // A renumbering before this write must be in history under its new number.
        if slot.written.is_none() {
            self.plan.renumbered.extend(slot.renumbering(key));
        }
        let write = Write {
            office_id: key.0,
            case,
            revision: case.revision,
            replaces: slot.now.is_some(),
            first_recorded_at: slot.stored.as_ref().map(|stored| stored.first_recorded_at),
        };
        if self.plan.layers.len() <= layer {
            self.plan.layers.resize_with(layer + 1, Vec::new);
        }
        slot.written = Some((layer, self.plan.layers[layer].len()));
        self.plan.layers[layer].push(write);
        slot.settled_by = Some(sequence);
        slot.next_tokens = case.next_tokens.as_ref();
        slot.now = Some(Now {
            revision: case.revision,
            content_hash: case.content_hash,
            state: case.state(),
            case_no: case
                .case_no
                .as_ref()
                .map(|number| Cow::Borrowed(number.as_str())),
        });
    }

    /// Whatever stands against the place is settled, also what this batch has just brought.
    fn mended(&mut self, office_id: OfficeId, place: &'a str) {
        self.plan.settled.push((office_id, place));
        for reject in &mut self.plan.quarantined {
            reject.resolved |= reject.office_id == office_id && reject.record_key == place;
        }
    }

    fn refuse(
        &mut self,
        record: &Incoming<'a>,
        case: &'a Case,
        rule: HubRule,
        field: &'static str,
    ) {
        self.plan.quarantined.push(Quarantined {
            office_id: record.office_id,
            epoch: record.epoch,
            sequence: record.sequence,
            record_key: Cow::Borrowed(&case.source_case_id),
            revision: Some(case.revision),
            reason: Reason::Hub { rule, field },
            resolved: false,
        });
    }

    fn finish(self, slots: &HashMap<CaseKey<'a>, usize>, calendar: &Calendar) -> Plan<'a> {
        let Self {
            keys,
            slots: states,
            mut plan,
            ..
        } = self;
        for (key, slot) in keys.iter().zip(&states) {
            if slot.settled_by.is_some() {
                plan.settled.push(*key);
            }
            plan.next_tokens
                .extend(slot.next_tokens.map(|next| (*key, next)));
            let Some((layer, index)) = slot.written else {
                plan.renumbered.extend(slot.renumbering(*key));
                continue;
            };
            let newest = plan.layers[layer][index];
            let found = quality::findings(newest.case).into_iter();
            plan.findings.extend(found.map(|finding| (*key, finding)));
            if let Some(stored) = &slot.stored {
                contribution::subtract(&mut plan.deltas, key.0, &stored.figures, calendar);
            }
            contribution::add(&mut plan.deltas, key.0, &newest.case.figures, calendar);
            plan.newest.push(Write {
                replaces: slot.stored.is_some(),
                ..newest
            });
        }
        for reject in &mut plan.quarantined {
            let slot = slots.get(&(reject.office_id, &*reject.record_key));
            reject.resolved |= slot
                .and_then(|at| states[*at].settled_by)
                .is_some_and(|settled_by| settled_by > reject.sequence);
        }
        plan.deltas
            .retain(|_, measures| *measures != Counts::default());
        plan
    }
}

impl<'a> Slot<'a> {
    fn empty() -> Self {
        Self {
            as_sent: false,
            stored: None,
            now: None,
            written: None,
            settled_by: None,
            next_tokens: None,
        }
    }

    fn holding(stored: Stored) -> Self {
        Self {
            now: Some(Now {
                revision: stored.revision,
                content_hash: stored.content_hash,
                state: stored.figures.state,
                case_no: stored.case_no.clone().map(Cow::Owned),
            }),
            stored: Some(stored),
            ..Self::empty()
        }
    }

    /// The stored revision's new number, when only the number moved so far.
    fn renumbering(&self, key: CaseKey<'a>) -> Option<(CaseKey<'a>, i64)> {
        let (stored, now) = (self.stored.as_ref()?, self.now.as_ref()?);
        (now.revision > stored.revision).then_some((key, now.revision))
    }
}

impl Write<'_> {
    pub fn key(&self) -> CaseKey<'_> {
        (self.office_id, &self.case.source_case_id)
    }
}

impl Quarantined<'_> {
    /// The case's key at the office; `None` for a record that has none.
    pub fn source_case_id(&self) -> Option<&str> {
        Some(&*self.record_key).filter(|key| *key != place(self.epoch, self.sequence))
    }
}

/// What a record without a key is called in quarantine: a sequence alone means another record in another epoch.
/// [`crate::store::reject`] composes it as well.
pub fn place(epoch: Uuid, sequence: u64) -> String {
    format!("sequence:{epoch}:{sequence}")
}

impl Reason<'_> {
    pub fn rule_id(&self) -> &str {
        match self {
            Self::Agent(reject) => &reject.rule_id,
            Self::Hub { rule, .. } => rule.id(),
        }
    }

    pub fn field(&self) -> &str {
        match self {
            Self::Agent(reject) => &reject.field,
            Self::Hub { field, .. } => field,
        }
    }
}
