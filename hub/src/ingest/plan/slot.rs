//! A case between what the hub holds of it and what stands after the batch.

use std::borrow::Cow;

use linkage::vocabulary::CaseState;

use super::HeldCase;
use crate::case::{Case, CaseKey, ContentHash, NextTokens, Stored};

/// A case while the batch's records pass over it.
pub(super) struct Slot<'a, 'h> {
    /// What the hub has of it; nothing is left to do where that is what was sent.
    held: Option<&'h HeldCase>,
    pub(super) now: Option<Now<'a>>,
    /// Where the newest write stands in [`super::Plan::layers`].
    pub(super) written: Option<(usize, usize)>,
    pub(super) settled_by: Option<u64>,
    /// Of the content that stands now, where this batch brought them.
    pub(super) next_tokens: Option<&'a NextTokens>,
}

#[derive(Clone)]
pub(super) struct Now<'a> {
    pub(super) revision: i64,
    pub(super) content_hash: ContentHash,
    pub(super) state: CaseState,
    /// That it keeps others from having.
    pub(super) case_no: Option<Cow<'a, str>>,
}

/// A withdrawn case leaves its number to the one that was meant.
fn had_by<T>(state: CaseState, case_no: Option<T>) -> Option<T> {
    case_no.filter(|_| state != CaseState::Withdrawn)
}

impl<'a, 'h> Slot<'a, 'h> {
    pub(super) fn new(held: Option<&'h HeldCase>) -> Self {
        let now = match held {
            Some(HeldCase::Other(stored)) => Some(Now {
                revision: stored.revision,
                content_hash: stored.content_hash,
                state: stored.figures.state,
                case_no: had_by(stored.figures.state, stored.case_no.clone().map(Cow::Owned)),
            }),
            Some(HeldCase::AsSent) | None => None,
        };
        Self {
            held,
            now,
            written: None,
            settled_by: None,
            next_tokens: None,
        }
    }

    /// Whether the hub has just what was sent.
    pub(super) fn is_as_sent(&self) -> bool {
        matches!(self.held, Some(HeldCase::AsSent))
    }

    /// The revision that stands at the hub, where it is another than what was sent.
    pub(super) fn stored(&self) -> Option<&'h Stored> {
        match self.held {
            Some(HeldCase::Other(stored)) => Some(stored),
            Some(HeldCase::AsSent) | None => None,
        }
    }

    /// The stored revision's new number, when only the number moved so far.
    pub(super) fn renumbering(&self, key: CaseKey<'a>) -> Option<(CaseKey<'a>, i64)> {
        let (stored, now) = (self.stored()?, self.now.as_ref()?);
        (now.revision > stored.revision).then_some((key, now.revision))
    }
}

impl<'a> Now<'a> {
    pub(super) fn of(case: &'a Case) -> Self {
        let case_no = case.case_no.as_ref();
        let case_no = case_no.map(|number| Cow::Borrowed(number.as_str()));
        Self {
            revision: case.revision,
            content_hash: case.content_hash,
            state: case.state(),
            case_no: had_by(case.state(), case_no),
        }
    }
}
