//! What two cases that share a key are to each other.

use time::Date;

use super::{MatterKey, MatterType, Rule, RuleSet, Severity, key::Tag};
use crate::{office::OfficeId, vocabulary::CaseState};

/// What the judgement looks at.
#[derive(Debug, Clone, Copy)]
pub struct CaseFacts<'a> {
    /// Office of the case.
    pub office: OfficeId,
    /// The case's key in the office's own system. Names the case to the caller; no judgement rests on it.
    pub source_case_id: &'a str,
    /// Matter of the case.
    pub matter_type: MatterType,
    /// Where it stands.
    pub state: CaseState,
    /// Day of application, as the office says.
    pub applied_on: Option<Date>,
    /// Day of acceptance, as the office says.
    pub accepted_on: Option<Date>,
    /// Day (Asia/Shanghai) on which the hub first saw the case; no office can choose it.
    pub first_recorded_on: Date,
    /// Keys of the case, sorted, as [`RuleSet::keys`] gives them.
    pub keys: &'a [MatterKey],
}

/// Two cases at different offices that one rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule, the gravest when several hit.
    pub rule_id: String,
    /// What the cases are to each other.
    pub severity: Severity,
    /// Office that accepted first, by its own word; `None` when that is open.
    pub first_accepting: Option<OfficeId>,
    /// Whether the word of the first-accepting office is in doubt.
    pub back_dated: bool,
}

/// An acceptance may reach the hub this many days late without raising doubt.
const USUAL_DELAY_DAYS: i64 = 7;

impl RuleSet {
    /// Judges two cases; the order of the two does not matter. `None` when they are of one office, no rule covers
    /// both and a key they share, they lie further apart than the rule's window, or one is neither live nor issued.
    ///
    /// **Window.** A case's day is that of acceptance, else of application, else of its first record.
    ///
    /// **First acceptance** (公证程序规则 art. 16). The earlier `accepted_on` is first. A case still at `applied` has
    /// not accepted, so the other is first. Equal days, and acceptances without a day, leave it open.
    ///
    /// **Back-dating.** The first-accepting office's word is in doubt when all of this holds:
    /// 1. its acceptance lies more than 7 days before the hub first saw the case;
    /// 2. the other office had accepted, and the hub had seen its case, before that: counted from what was seen, the
    ///    other would be first, so that the word alone decides;
    /// 3. the other office's case was itself seen within 7 days of its acceptance.
    ///
    /// The third condition is for the first load of history: when years of cases arrive at once, all of them are
    /// late, and the order of two loads says nothing about who accepted first.
    #[must_use]
    pub fn judge(&self, a: &CaseFacts<'_>, b: &CaseFacts<'_>) -> Option<Finding> {
        if a.office == b.office || !a.state.is_live_or_issued() || !b.state.is_live_or_issued() {
            return None;
        }
        let rule = self.gravest_rule(a, b)?;
        let first = first_accepting(a, b);
        Some(Finding {
            rule_id: rule.id().to_owned(),
            severity: rule.severity(),
            first_accepting: first.map(|(first, _)| first.office),
            back_dated: first.is_some_and(|(first, second)| is_back_dated(first, second)),
        })
    }

    /// The gravest rule that covers both; among equals the first of the text.
    fn gravest_rule(&self, a: &CaseFacts<'_>, b: &CaseFacts<'_>) -> Option<&Rule> {
        let days_apart = (day_of(a) - day_of(b)).whole_days().abs();
        self.rules_of(a.matter_type)
            .filter(|rule| rule.covers(a.matter_type, b.matter_type))
            .filter(|rule| days_apart <= i64::from(rule.window_days()))
            .filter(|rule| share_key(rule.scope.tag(), a.keys, b.keys))
            .reduce(|gravest, rule| {
                if rule.severity() > gravest.severity() {
                    rule
                } else {
                    gravest
                }
            })
    }
}

fn day_of(case: &CaseFacts<'_>) -> Date {
    case.accepted_on
        .or(case.applied_on)
        .unwrap_or(case.first_recorded_on)
}

fn share_key(tag: Tag, a: &[MatterKey], b: &[MatterKey]) -> bool {
    a.iter().any(|key| key.tag() == tag && b.contains(key))
}

/// The case that accepted first and the other one.
fn first_accepting<'c, 'k>(
    a: &'c CaseFacts<'k>,
    b: &'c CaseFacts<'k>,
) -> Option<(&'c CaseFacts<'k>, &'c CaseFacts<'k>)> {
    match (a.accepted_on, b.accepted_on) {
        (Some(on_a), Some(on_b)) if on_a < on_b => Some((a, b)),
        (Some(on_a), Some(on_b)) if on_b < on_a => Some((b, a)),
        (Some(_), None) if b.state == CaseState::Applied => Some((a, b)),
        (None, Some(_)) if a.state == CaseState::Applied => Some((b, a)),
        _ => None,
    }
}

fn is_back_dated(first: &CaseFacts<'_>, second: &CaseFacts<'_>) -> bool {
    let seen = first.first_recorded_on;
    let second_was_there =
        second.first_recorded_on < seen && second.accepted_on.is_some_and(|on| on < seen);
    reported_late(first) && second_was_there && !reported_late(second)
}

/// Whether the hub saw the case later after its acceptance than is usual.
fn reported_late(case: &CaseFacts<'_>) -> bool {
    case.accepted_on
        .is_some_and(|accepted| (case.first_recorded_on - accepted).whole_days() > USUAL_DELAY_DAYS)
}
