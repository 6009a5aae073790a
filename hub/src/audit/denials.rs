//! Whoever is denied again and again. A denial costs its caller nothing, and the log an entry that is kept: beyond a budget
//! they are counted, and an entry a minute says how many there were.

use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota};
use metrics::counter;
use serde_json::json;
use tokio::time::Instant;

use super::entry::{Action, Actor, Entry, Outcome};
use super::refusals::{Refusals, Tally};
use crate::telemetry::metrics::DENIALS_COUNTED;

/// Denials of one caller that are recorded one by one within a minute: more than people make by mistake.
const EACH: NonZeroU32 = NonZeroU32::new(60).expect("not 0");

/// What is left of everybody's budget, and what was counted beyond it. Callers are accounts and offices, of which there
/// are few.
pub(super) struct Denials {
    budget: DefaultKeyedRateLimiter<Actor>,
    beyond: Refusals<Actor>,
}

/// What becomes of an entry.
#[derive(Debug, PartialEq)]
pub(super) enum Course {
    Record(Entry),
    /// It is one of too many. What is to be recorded now instead, if anything.
    Count(Option<Entry>),
}

impl Denials {
    pub(super) fn new() -> Self {
        Self {
            budget: DefaultKeyedRateLimiter::keyed(Quota::per_minute(EACH)),
            beyond: Refusals::default(),
        }
    }

    pub(super) fn course(&self, entry: Entry, now: Instant) -> Course {
        let is_callers = matches!(entry.actor, Actor::Account(_) | Actor::Office(_));
        let is_denial = entry.outcome == Outcome::Denied;
        if !(is_callers && is_denial) || self.budget.check_key(&entry.actor).is_ok() {
            return Course::Record(entry);
        }
        counter!(DENIALS_COUNTED).increment(1);
        Course::Count(self.beyond.count(entry.actor, 1, now).map(entry_of))
    }

    /// What was counted a minute ago or more.
    pub(super) fn due(&self, now: Instant) -> Vec<Entry> {
        let due = self.beyond.due(now).into_iter();
        due.map(entry_of).collect()
    }

    /// Whatever was counted and not recorded.
    pub(super) fn rest(&self) -> Vec<Entry> {
        let rest = self.beyond.rest().into_iter();
        rest.map(entry_of).collect()
    }
}

fn entry_of(tally: Tally<Actor>) -> Entry {
    let detail = json!({ "count": tally.refusals });
    let office_id = match tally.whose {
        Actor::Office(office_id) => Some(office_id),
        _ => None,
    };
    Entry {
        office_id,
        ..Entry::of(tally.whose, Action::Request, Outcome::Denied, detail)
    }
}

impl std::fmt::Debug for Denials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Denials").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    fn of(actor: Actor, outcome: Outcome) -> Entry {
        Entry::of(actor, Action::CheckApplication, outcome, json!({}))
    }

    #[tokio::test]
    async fn what_is_beyond_the_budget_is_counted_for_each_caller_and_nothing_else_is() {
        let (denials, now) = (Denials::new(), Instant::now());
        let li = Actor::Account(Uuid::now_v7());
        let course = |actor, outcome| denials.course(of(actor, outcome), now);
        for _ in 0..EACH.get() {
            let each = of(li, Outcome::Denied);
            assert_eq!(course(li, Outcome::Denied), Course::Record(each));
        }
        let counted = |count: u64| Entry {
            action: Action::Request,
            detail: json!({ "count": count }),
            ..of(li, Outcome::Denied)
        };
        let first = course(li, Outcome::Denied);
        assert_eq!(first, Course::Count(Some(counted(1))));
        for _ in 0..500 {
            assert_eq!(course(li, Outcome::Denied), Course::Count(None));
        }
        let answered = of(li, Outcome::Hit);
        assert_eq!(course(li, Outcome::Hit), Course::Record(answered));
        let office = Actor::Office("hzgl".parse().expect("an office id"));
        for other in [Actor::Account(Uuid::now_v7()), office, Actor::Hub] {
            let each = of(other, Outcome::Denied);
            assert_eq!(course(other, Outcome::Denied), Course::Record(each));
        }
        assert_eq!(denials.due(now + Duration::from_secs(60)), [counted(500)]);
        assert_eq!(denials.rest(), []);
    }
}
