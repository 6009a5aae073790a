//! Deciding for every record in turn.

use std::borrow::Cow;
use std::collections::HashMap;

use linkage::office::OfficeId;
use linkage::vocabulary::RejectRule;

use super::slot::{Now, Slot};
use super::{Batch, Held, Incoming, Plan, Quarantined, Reason, Write};
use crate::case::quality;
use crate::case::reject::AgentReject;
use crate::case::{Case, CaseKey};
use crate::ingest::decode::Invalid;
use crate::statistics::calendar::Calendar;
use crate::statistics::contribution::{self, Counts};

/// A case number while the batch's records pass over it.
#[derive(Clone, Default)]
struct Number<'a> {
    holder: Option<Cow<'a, str>>,
    /// First layer in which a write may take or leave it.
    free_from: usize,
}

/// Planning under way.
pub(super) struct Planner<'a> {
    keys: Vec<CaseKey<'a>>,
    slots: Vec<Slot<'a>>,
    numbers: HashMap<(OfficeId, Cow<'a, str>), Number<'a>>,
    plan: Plan<'a>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(batch: &Batch<'a>, held: Held<'a>) -> Self {
        let mut slots: Vec<Slot<'a>> = batch.keys.iter().map(|_| Slot::new(None)).collect();
        for (at, held) in held.cases {
            slots[at] = Slot::new(Some(held));
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

    pub(super) fn case(&mut self, at: usize, record: &Incoming<'a>, case: &'a Case) {
        let sequence = record.sequence;
        let slot = &mut self.slots[at];
        if slot.is_as_sent() {
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
                self.refuse(record, case, RejectRule::RevisionConflict, "revision");
                return;
            }
        }
        match self.claim_number(at, case) {
            Some(layer) => self.write(at, sequence, case, layer),
            None => self.refuse(record, case, RejectRule::CaseNoTaken, "case_no"),
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

    pub(super) fn finish(
        self,
        slots: &HashMap<CaseKey<'a>, usize>,
        calendar: &Calendar,
    ) -> Plan<'a> {
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
