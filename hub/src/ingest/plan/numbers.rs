//! Which case of an office has which number while a batch's records pass over them.
//!
//! A number that another case has can be taken if that case leaves it in the same batch: two cases that change numbers with
//! each other are sent as they are in the end, one after the other. Whether it does so shows later, so that the number is
//! owed until then. A layer of writes takes away all that it replaces before it puts anything down; so a number may be
//! left and taken in one layer.

use std::borrow::Cow;
use std::collections::HashMap;

use linkage::office::OfficeId;

use super::NumberKey;
use crate::case::CaseKey;

type Key<'a> = (OfficeId, Cow<'a, str>);

/// The numbers of a batch.
#[derive(Default)]
pub(super) struct Numbers<'a> {
    held: HashMap<Key<'a>, Number<'a>>,
    owed: Vec<Owed<'a>>,
}

#[derive(Default)]
struct Number<'a> {
    holder: Option<Cow<'a, str>>,
    /// First layer in which a write may take it.
    free_from: usize,
}

/// A number that was taken from a case which has not left it yet.
struct Owed<'a> {
    number: Key<'a>,
    by: Cow<'a, str>,
    /// The place of the record that took it.
    to: usize,
    /// In which it is written: the other one must have left by then.
    layer: usize,
}

/// What a record says of its case's number.
pub(super) struct Claim<'a> {
    pub(super) of: CaseKey<'a>,
    pub(super) place: usize,
    pub(super) had: Option<Cow<'a, str>>,
    pub(super) wanted: Option<Cow<'a, str>>,
    /// The first layer in which the case may be written.
    pub(super) layer: usize,
}

impl<'a> Numbers<'a> {
    pub(super) fn of(holders: &[(NumberKey<'a>, String)]) -> Self {
        let held = holders.iter().map(|((office_id, number), holder)| {
            let number_held = Number {
                holder: Some(Cow::Owned(holder.clone())),
                free_from: 0,
            };
            ((*office_id, Cow::Borrowed(*number)), number_held)
        });
        Self {
            held: held.collect(),
            owed: Vec::new(),
        }
    }

    /// Takes a number and leaves another. Returns the layer in which the case must be written; `None` where another case
    /// has the number. `leaves_in` tells of that one in which layer it may leave, if it may.
    pub(super) fn claim(
        &mut self,
        claim: Claim<'a>,
        leaves_in: impl Fn(&str) -> Option<usize>,
    ) -> Option<usize> {
        let Claim {
            of: (office_id, case),
            place,
            had,
            wanted,
            mut layer,
        } = claim;
        if wanted == had {
            return Some(layer);
        }
        if let Some(wanted) = wanted {
            let key = (office_id, wanted);
            let number = self.held.entry(key.clone()).or_default();
            layer = layer.max(number.free_from);
            if let Some(holder) = number.holder.take_if(|holder| **holder != *case) {
                let Some(leaves_in) = leaves_in(&holder) else {
                    number.holder = Some(holder);
                    return None;
                };
                layer = layer.max(leaves_in);
                self.owed.push(Owed {
                    number: key,
                    by: holder,
                    to: place,
                    layer,
                });
            }
            *number = Number {
                holder: Some(Cow::Borrowed(case)),
                free_from: layer + 1,
            };
        }
        if let Some(had) = had {
            self.leave((office_id, had), case, layer);
        }
        Some(layer)
    }

    fn leave(&mut self, number: Key<'a>, case: &str, layer: usize) {
        let mut owed = self.owed.iter();
        match owed.position(|owed| owed.number == number && owed.by == case) {
            Some(at) if layer <= self.owed[at].layer => {
                self.owed.swap_remove(at);
            }
            Some(_) => {}
            None => {
                let free = Number {
                    holder: None,
                    free_from: layer,
                };
                self.held.insert(number, free);
            }
        }
    }

    /// The places of records that took what was not left in time.
    pub(super) fn owed(&self) -> impl Iterator<Item = usize> {
        self.owed.iter().map(|owed| owed.to)
    }
}
