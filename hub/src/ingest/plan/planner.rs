//! Deciding for every record in turn.

use std::collections::HashSet;

use linkage::office::OfficeId;
use linkage::vocabulary::RejectRule;

use super::numbers::{Claim, Numbers};
use super::slot::{Now, Slot};
use super::{Batch, Held, Incoming, Plan, Quarantined, Reason, Write};
use crate::case::Case;
use crate::case::quality;
use crate::case::reject::AgentReject;
use crate::ingest::decode::Invalid;
use crate::statistics::calendar::Calendar;
use crate::statistics::contribution::{self, Counts};

/// Which records may take a number that its case has yet to leave.
#[derive(Clone, Copy)]
pub(super) enum Trust<'t> {
    AllBut(&'t HashSet<usize>),
    None,
}

impl Trust<'_> {
    fn allows(self, place: usize) -> bool {
        match self {
            Self::AllBut(mistaken) => !mistaken.contains(&place),
            Self::None => false,
        }
    }
}

/// Planning under way.
pub(super) struct Planner<'a, 'h> {
    batch: &'h Batch<'a>,
    slots: Vec<Slot<'a, 'h>>,
    numbers: Numbers<'a>,
    plan: Plan<'a>,
}

impl<'a, 'h> Planner<'a, 'h> {
    pub(super) fn new(batch: &'h Batch<'a>, held: &'h Held<'a>) -> Self {
        let mut slots: Vec<Slot<'a, 'h>> = batch.keys.iter().map(|_| Slot::new(None)).collect();
        for (at, held) in &held.cases {
            slots[*at] = Slot::new(Some(held));
        }
        Self {
            batch,
            slots,
            numbers: Numbers::of(&held.holders),
            plan: Plan::default(),
        }
    }

    /// Records, by their places, that took a number which its case then did not leave.
    pub(super) fn mistaken(&self) -> HashSet<usize> {
        self.numbers.owed().collect()
    }

    /// The record at `place` in the batch, of the case at `at`.
    pub(super) fn case(
        &mut self,
        at: usize,
        place: usize,
        record: &Incoming<'a>,
        case: &'a Case,
        trust: Trust<'_>,
    ) {
        let sequence = record.sequence;
        let slot = &mut self.slots[at];
        if slot.is_as_sent() {
            slot.next_tokens = case.next_tokens.as_ref();
            slot.settled_by = Some(sequence);
            self.plan.unchanged += 1;
            return;
        }
        let slot = &mut self.slots[at];
        if let Some(now) = &mut slot.now {
            let is_same = case.content_hash == now.content_hash;
            if is_same {
                // Under whatever revision: they are of this content.
                slot.next_tokens = case.next_tokens.as_ref().or(slot.next_tokens);
            }
            if case.revision < now.revision {
                self.plan.unchanged += 1;
                return;
            }
            if is_same {
                now.revision = case.revision;
                if let Some((layer, index)) = slot.written {
                    self.plan.layers[layer][index].revision = case.revision;
                }
                slot.settled_by = Some(sequence);
                self.plan.unchanged += 1;
                return;
            }
            if case.revision == now.revision {
                self.refuse(record, case, RejectRule::RevisionConflict, "revision");
                return;
            }
        }
        match self.claim_number(at, place, case, trust) {
            Some(layer) => self.write(at, sequence, case, layer),
            None => self.refuse(record, case, RejectRule::CaseNoTaken, "case_no"),
        }
    }

    /// Takes the case number for the case and leaves the one it had. Returns the layer the case must be
    /// written in, or `None` when another case has the number.
    fn claim_number(
        &mut self,
        at: usize,
        place: usize,
        case: &'a Case,
        trust: Trust<'_>,
    ) -> Option<usize> {
        let next = |slot: &Slot<'_, '_>| slot.written.map_or(0, |(layer, _)| layer + 1);
        let slot = &self.slots[at];
        let had = slot.now.as_ref().and_then(|now| now.case_no.clone());
        let claim = Claim {
            of: self.batch.keys[at],
            place,
            had,
            wanted: Now::of(case).case_no,
            layer: next(slot),
        };
        let (office_id, _) = claim.of;
        let leaves_in = |holder: &str| {
            let at = *self.batch.slots.get(&(office_id, holder))?;
            let may_leave = trust.allows(place) && self.batch.last[at] > place;
            may_leave.then(|| next(&self.slots[at]))
        };
        self.numbers.claim(claim, leaves_in)
    }

    fn write(&mut self, at: usize, sequence: u64, case: &'a Case, layer: usize) {
        let key = self.batch.keys[at];
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
            first_recorded_at: slot.stored().map(|stored| stored.first_recorded_at),
        };
        if self.plan.layers.len() <= layer {
            self.plan.layers.resize_with(layer + 1, Vec::new);
        }
        slot.written = Some((layer, self.plan.layers[layer].len()));
        self.plan.layers[layer].push(write);
        slot.settled_by = Some(sequence);
        slot.next_tokens = case.next_tokens.as_ref();
        slot.now = Some(Now::of(case));
    }

    /// The agent refused the record; or it says that a good one stands in its place now.
    pub(super) fn rejected(&mut self, record: &Incoming<'a>, reject: &'a AgentReject) {
        if reject.mended {
            return self.mended(record.office_id, &reject.record_key);
        }
        let (key, reason) = (Some(reject.record_key.as_str()), Reason::Agent(reject));
        let refused = Quarantined::new(record, key, None, reason);
        self.plan.quarantined.push(refused);
    }

    /// The record breaks the contract.
    pub(super) fn invalid(&mut self, record: &Incoming<'a>, invalid: &'a Invalid) {
        let reason = Reason::Hub {
            rule: RejectRule::FieldInvalid,
            field: &invalid.field,
        };
        let key = invalid.source_case_id.as_deref();
        let refused = Quarantined::new(record, key, invalid.revision, reason);
        self.plan.quarantined.push(refused);
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
        rule: RejectRule,
        field: &'static str,
    ) {
        let (key, revision) = (Some(case.source_case_id.as_str()), Some(case.revision));
        let refused = Quarantined::new(record, key, revision, Reason::Hub { rule, field });
        self.plan.quarantined.push(refused);
    }

    pub(super) fn finish(self, calendar: &Calendar) -> Plan<'a> {
        let Self {
            batch,
            slots,
            mut plan,
            ..
        } = self;
        for (key, slot) in batch.keys.iter().zip(&slots) {
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
            if let Some(stored) = slot.stored() {
                contribution::subtract(&mut plan.deltas, key.0, &stored.figures, calendar);
            }
            contribution::add(&mut plan.deltas, key.0, &newest.case.figures, calendar);
            plan.newest.push(Write {
                replaces: slot.stored().is_some(),
                ..newest
            });
        }
        for reject in &mut plan.quarantined {
            let slot = batch.slots.get(&(reject.office_id, &*reject.record_key));
            reject.resolved |= slot
                .and_then(|at| slots[*at].settled_by)
                .is_some_and(|settled_by| settled_by > reject.sequence);
        }
        plan.deltas
            .retain(|_, measures| *measures != Counts::default());
        plan
    }
}
