//! A case that no rule hits, for tests to spoil in one respect each.

use time::Date;
use time::macros::date;

use super::Judge;
use crate::filing::FilingKind;
use crate::statistics::calendar::Calendar;
use crate::supervision::facts::{CaseFacts, Filed, OfficeFacts, PartyFacts};
use crate::supervision::participation::Participation;
use crate::supervision::rule::Rules;
use linkage::vocabulary::{CaseState, ForeignRelation, PartyKind, PartyRole};

pub(crate) const TODAY: Date = date!(2024 - 09 - 02);

/// A certificate of a birth for use at home, issued in time for the regulated fee.
pub(crate) fn case() -> CaseFacts {
    CaseFacts {
        office_id: "hzgl".parse().expect("an id"),
        source_case_id: "C1".to_owned(),
        state: CaseState::Issued,
        matter_type: "birth".parse().expect("a matter"),
        foreign_relation: ForeignRelation::Domestic,
        applied_on: Some(date!(2024 - 06 - 03)),
        accepted_on: Some(date!(2024 - 06 - 04)),
        approved_on: Some(date!(2024 - 06 - 13)),
        issued_on: Some(date!(2024 - 06 - 14)),
        closed_on: None,
        notary_licence_no: Some("N1".to_owned()),
        approver_licence_no: Some("N2".to_owned()),
        reason_code: None,
        fee_charged_fen: 12_000,
        fee_reduced_fen: 0,
        fee_reduction_reason: None,
        amount_fen: 0,
        certificates: Some(1),
        legal_aid: false,
        major: false,
        discussed: false,
        excused_working_days: 0,
        parties: vec![PartyFacts {
            role: PartyRole::Applicant,
            kind: PartyKind::Natural,
            district: Some("330106".to_owned()),
        }],
        real_estate: Vec::new(),
        filed: Vec::new(),
        kin: Vec::new(),
        refused_elsewhere: Vec::new(),
    }
}

/// An office of Hangzhou whose licence leaves adoptions out.
pub(crate) fn office() -> OfficeFacts {
    OfficeFacts {
        matters_excluded: vec!["adoption".to_owned()],
        domestic_only: true,
        practice_area: vec!["3301".to_owned()],
        keeps_approval: true,
        participation: Participation::default(),
    }
}

/// A filing that came on a day.
pub(crate) fn filed(kind: FilingKind, on: Date) -> Filed {
    Filed {
        kind,
        on,
        answers: None,
    }
}

/// The shipped rules that hit.
pub(crate) fn hits(case: &CaseFacts) -> Vec<String> {
    judged(case)
        .hits
        .into_iter()
        .map(|hit| hit.rule_id)
        .collect()
}

pub(crate) fn judged(case: &CaseFacts) -> super::Judgement {
    let (rules, calendar) = (Rules::builtin(), Calendar::builtin());
    let judge = Judge {
        rules: &rules,
        calendar: &calendar,
        today: TODAY,
    };
    judge.case(case, &office())
}

#[test]
fn a_rule_binds_since_its_day() {
    let long_ago = |year: i32| CaseFacts {
        state: CaseState::Issued,
        applied_on: None,
        accepted_on: Date::from_calendar_date(year, time::Month::June, 4).ok(),
        approved_on: Date::from_calendar_date(year, time::Month::June, 3).ok(),
        issued_on: Date::from_calendar_date(year, time::Month::June, 4).ok(),
        ..case()
    };
    // The notice is of November 2012.
    assert_eq!(hits(&long_ago(2013)), ["STEP_ORDER"]);
    assert!(hits(&long_ago(2012)).is_empty());
}

#[test]
fn a_case_has_ended_with_a_certificate_or_without_one() {
    let hit = |state, issued_on, closed_on| {
        let case = CaseFacts {
            state,
            issued_on,
            closed_on,
            // Behind the acceptance.
            applied_on: Some(date!(2024 - 06 - 05)),
            ..case()
        };
        let hit = judged(&case).hits.into_iter().next();
        hit.map(|hit| (hit.concluded, hit.happened_on))
    };
    let (issued, closed) = (Some(date!(2024 - 06 - 14)), Some(date!(2024 - 06 - 12)));
    assert_eq!(hit(CaseState::Issued, issued, None), Some((true, issued)));
    assert_eq!(
        hit(CaseState::Terminated, None, closed),
        Some((true, closed))
    );
    let under_way = hit(CaseState::UnderReview, None, None);
    assert_eq!(under_way.map(|(concluded, _)| concluded), Some(false));
}

#[test]
fn a_case_that_ended_without_a_day_of_it_did_so_on_the_day_that_figures_count_it_on() {
    let case = CaseFacts {
        state: CaseState::Terminated,
        applied_on: Some(date!(2024 - 05 - 31)),
        accepted_on: Some(date!(2024 - 06 - 04)),
        issued_on: None,
        approver_licence_no: Some("N1".to_owned()),
        ..case()
    };
    let days = judged(&case).hits.into_iter().map(|hit| hit.happened_on);
    assert_eq!(days.collect::<Vec<_>>(), [case.applied_on]);
}

#[test]
fn no_rule_says_anything_of_a_withdrawn_case() {
    let withdrawn = CaseFacts {
        state: CaseState::Withdrawn,
        fee_charged_fen: 6_000,
        fee_reduced_fen: 6_000,
        approver_licence_no: Some("N1".to_owned()),
        ..case()
    };
    assert_eq!(judged(&withdrawn), super::Judgement::default());
}

#[test]
fn an_ordinary_case_is_left_alone() {
    assert_eq!(judged(&case()), super::Judgement::default());
}
