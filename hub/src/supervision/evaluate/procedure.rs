//! What an office may do at all, and in which order and time (N3, N4).

use linkage::matter::MatterType;
use linkage::vocabulary::{CaseState, ForeignRelation, PartyRole};
use serde_json::{Value, json};

use super::{Judge, Verdict, day};
use crate::supervision::facts::{CaseFacts, OfficeFacts};

pub(super) fn scope(case: &CaseFacts, office: &OfficeFacts) -> Option<Value> {
    case.state.is_accepted_or_later().then_some(())?;
    let excluded = office
        .matters_excluded
        .iter()
        .any(|code| code == case.matter_type.code());
    let abroad = office.domestic_only && case.foreign_relation != ForeignRelation::Domestic;
    (excluded || abroad).then(|| {
        json!({
            "matter_type": case.matter_type.code(),
            "foreign_relation": case.foreign_relation.code(),
            "not_licensed": if excluded { "matter_type" } else { "foreign_relation" },
        })
    })
}

pub(super) fn in_person(case: &CaseFacts, matters: &[MatterType]) -> Option<Value> {
    let agent = case
        .parties
        .iter()
        .position(|party| party.role == PartyRole::Agent)?;
    (case.state.is_accepted_or_later() && matters.contains(&case.matter_type))
        .then(|| json!({ "matter_type": case.matter_type.code(), "party": agent }))
}

/// A step that is dated before the one it follows, or an acceptance that nobody dated: nothing can be measured from it.
pub(super) fn step_order(case: &CaseFacts) -> Option<Value> {
    let accepted = is_under_way(case.state) || case.state.is_issued_or_later();
    if accepted && case.accepted_on.is_none() {
        return Some(json!({ "state": case.state.code(), "accepted_on": null }));
    }
    let steps = [
        ("applied_on", case.applied_on),
        ("accepted_on", case.accepted_on),
        ("approved_on", case.approved_on),
        ("issued_on", case.issued_on),
    ];
    let known: Vec<_> = steps
        .iter()
        .filter_map(|(step, on)| Some((*step, (*on)?)))
        .collect();
    known
        .windows(2)
        .find(|pair| pair[1].1 < pair[0].1)
        .map(|pair| json!({ pair[0].0: pair[0].1.to_string(), pair[1].0: pair[1].1.to_string() }))
}

pub(super) fn approval_missing(case: &CaseFacts, office: &OfficeFacts) -> Option<Value> {
    (office.keeps_approval && case.state.is_issued_or_later() && case.approved_on.is_none())
        .then(|| json!({ "issued_on": day(case.issued_on), "approved_on": null }))
}

pub(super) fn approved_by_handler(case: &CaseFacts) -> Option<Value> {
    let handler = case.notary_licence_no.as_ref()?;
    (case.approver_licence_no.as_ref() == Some(handler))
        .then(|| json!({ "notary_licence_no": handler, "approved_on": day(case.approved_on) }))
}

/// A certificate that came late, or has not come though its time is over.
pub(super) fn time_limit(judge: &Judge<'_>, case: &CaseFacts, working_days: u32) -> Verdict {
    let Some(accepted_on) = case.accepted_on else {
        return Verdict::default();
    };
    let due = judge
        .calendar
        .limit_after(accepted_on, working_days + case.excused_working_days);
    let evidence = json!({
        "accepted_on": accepted_on.to_string(),
        "issued_on": day(case.issued_on),
        "due_on": due.to_string(),
        "excused_working_days": case.excused_working_days,
    });
    let evidence = judge.measured(due, evidence);
    match case.issued_on {
        Some(issued_on) => Verdict::when((issued_on > due).then_some(evidence)),
        None if is_under_way(case.state) => judge.after(due, evidence),
        None => Verdict::default(),
    }
}

fn is_under_way(state: CaseState) -> bool {
    use CaseState::*;
    matches!(state, Accepted | UnderReview | Approved)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, hits};
    use linkage::vocabulary::{CaseState, ForeignRelation, PartyKind, PartyRole};
    use time::macros::date;

    use crate::supervision::facts::{CaseFacts, PartyFacts};

    #[test]
    fn a_matter_that_the_licence_leaves_out_is_out_of_scope() {
        let case = CaseFacts {
            matter_type: "adoption".parse().expect("a matter"),
            fee_charged_fen: 50_000,
            ..sample::case()
        };
        assert_eq!(hits(&case), ["SCOPE_NOT_LICENSED"]);
        let refused = CaseFacts {
            state: CaseState::Refused,
            accepted_on: None,
            approved_on: None,
            issued_on: None,
            filed: vec![sample::filed(
                crate::filing::FilingKind::Refusal,
                date!(2024 - 06 - 04),
            )],
            ..case
        };
        assert!(hits(&refused).is_empty());
        let abroad = CaseFacts {
            foreign_relation: ForeignRelation::Foreign,
            ..sample::case()
        };
        assert_eq!(hits(&abroad), ["SCOPE_NOT_LICENSED"]);
    }

    #[test]
    fn a_survival_by_an_agent_is_pointed_at_and_a_mandate_has_one() {
        let agent = PartyFacts {
            role: PartyRole::Agent,
            kind: PartyKind::Natural,
            district: None,
        };
        let mut case = CaseFacts {
            matter_type: "survival".parse().expect("a matter"),
            ..sample::case()
        };
        case.parties.push(agent);
        assert_eq!(hits(&case), ["IN_PERSON_BY_AGENT"]);
        case.matter_type = "mandate".parse().expect("a matter");
        assert!(hits(&case).is_empty());
    }

    #[test]
    fn steps_on_one_day_are_in_order_and_an_earlier_issuance_is_not() {
        let mut case = sample::case();
        case.approved_on = case.issued_on;
        assert!(hits(&case).is_empty());
        case.approved_on = Some(date!(2024 - 06 - 15));
        assert_eq!(hits(&case), ["STEP_ORDER"]);
    }

    #[test]
    fn a_case_under_way_without_a_day_of_acceptance_does_not_escape() {
        let mut case = sample::case();
        case.accepted_on = None;
        assert_eq!(hits(&case), ["STEP_ORDER"]);
        case.state = CaseState::Refused;
        (case.approved_on, case.issued_on) = (None, None);
        case.filed = vec![sample::filed(
            crate::filing::FilingKind::Refusal,
            date!(2024 - 06 - 04),
        )];
        assert!(hits(&case).is_empty());
    }

    #[test]
    fn an_issued_case_without_approval_is_pointed_at_and_one_under_review_is_not() {
        let mut case = sample::case();
        (case.approved_on, case.approver_licence_no) = (None, None);
        assert_eq!(hits(&case), ["APPROVAL_MISSING"]);
        case.state = CaseState::UnderReview;
        case.issued_on = None;
        case.accepted_on = Some(sample::TODAY);
        case.applied_on = Some(sample::TODAY);
        assert!(hits(&case).is_empty());
    }

    #[test]
    fn who_handles_does_not_approve() {
        let mut case = sample::case();
        case.approver_licence_no = case.notary_licence_no.clone();
        assert_eq!(hits(&case), ["APPROVED_BY_HANDLER"]);
        (case.approver_licence_no, case.notary_licence_no) = (Some("N1".to_owned()), None);
        assert!(hits(&case).is_empty());
    }

    #[test]
    fn fifteen_working_days_and_the_excused_ones_are_in_time_and_one_more_is_not() {
        let mut case = sample::case();
        // Accepted on 2024-06-04; the Dragon Boat holiday is Monday 06-10: the 15th working day is 06-26.
        case.issued_on = Some(date!(2024 - 06 - 26));
        assert!(hits(&case).is_empty());
        case.issued_on = Some(date!(2024 - 06 - 27));
        assert_eq!(hits(&case), ["TIME_LIMIT"]);
        case.excused_working_days = 1;
        assert!(hits(&case).is_empty());
    }

    #[test]
    fn a_case_under_way_comes_again_when_its_time_is_over() {
        let mut case = sample::case();
        case.state = CaseState::UnderReview;
        case.issued_on = None;
        assert_eq!(hits(&case), ["TIME_LIMIT"]);
        case.accepted_on = Some(date!(2024 - 08 - 30));
        case.approved_on = None;
        let judged = sample::judged(&case);
        assert!(judged.hits.is_empty());
        // 15 working days behind Friday 2024-08-30: Sunday 09-14 is worked, 09-15 to 09-17 are off.
        assert_eq!(judged.look_on, Some(date!(2024 - 09 - 24)));
        case.state = CaseState::Terminated;
        assert_eq!(sample::judged(&case).look_on, None);
    }
}
