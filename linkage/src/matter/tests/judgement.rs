//! Which cases count, who accepted first, and whose word is in doubt.

use CaseState::*;
use PartyRole::*;
use SubjectKind::*;
use proptest::prelude::*;

use super::*;

#[test]
fn one_office_may_hold_the_matter_twice() {
    let estate = case("inheritance").party(Decedent, 1);
    assert_eq!(hit(&estate, &estate.clone().later(1)), None);
}

#[test]
fn only_live_and_issued_cases_count() {
    let estate = case("inheritance").party(Decedent, 1);
    for &state in CaseState::ALL {
        let other = Case {
            state,
            ..estate.elsewhere(1)
        };
        assert_eq!(
            hit(&estate, &other).is_some(),
            state.is_live_or_issued(),
            "{state}"
        );
    }
}

#[test]
fn the_gravest_of_several_rules_is_named() {
    let gift = case("gift").party(Donor, 1).subject(RealEstateUnit, 9);
    let rules = RuleSet::parse(
        r#"
        version = "t"
        [[rule]]
        id = "SAME_DONOR"
        severity = "related"
        matters = ["gift"]
        party = ["donor"]
        window_days = 30
        notice_zh = "关联"
        [[rule]]
        id = "SAME_HOME"
        severity = "duplicate"
        matters = ["gift"]
        subject = ["real_estate_unit"]
        window_days = 10
        notice_zh = "重复"
        "#,
    )
    .expect("rules");
    let rule_of = |other: &Case| {
        let (keys, other_keys) = (gift.keys(&rules), other.keys(&rules));
        rules
            .judge(&gift.facts(&keys), &other.facts(&other_keys))
            .map(|finding| finding.rule_id)
    };
    assert_eq!(rule_of(&gift.elsewhere(10)).as_deref(), Some("SAME_HOME"));
    assert_eq!(rule_of(&gift.elsewhere(11)).as_deref(), Some("SAME_DONOR"));
    let other_home = case("gift")
        .party(Donor, 1)
        .subject(RealEstateUnit, 8)
        .elsewhere(0);
    assert_eq!(
        rule_of(&other_home).as_deref(),
        Some("SAME_DONOR"),
        "keys tell which rule is shared"
    );
}

fn first(a: &Case, b: &Case) -> Option<String> {
    judge(a, b)
        .expect("a finding")
        .first_accepting
        .map(|office| office.to_string())
}

#[test]
fn the_earlier_acceptance_is_first() {
    let east = case("inheritance").party(Decedent, 1);
    assert_eq!(first(&east, &east.elsewhere(1)).as_deref(), Some("hz-east"));
    assert_eq!(
        first(&east, &east.elsewhere(-1)).as_deref(),
        Some("hz-west")
    );
    assert_eq!(first(&east, &east.elsewhere(0)), None, "the same day");
}

#[test]
fn who_has_not_accepted_yet_is_not_first() {
    let east = case("inheritance").party(Decedent, 1);
    let applied = Case {
        state: Applied,
        accepted_on: None,
        ..east.elsewhere(-5)
    };
    assert_eq!(first(&east, &applied).as_deref(), Some("hz-east"));
    let unknown = Case {
        state: UnderReview,
        ..applied.clone()
    };
    assert_eq!(first(&east, &unknown), None, "accepted, nobody knows when");
    let both = Case {
        state: Applied,
        accepted_on: None,
        ..east
    };
    assert_eq!(first(&both, &applied), None);
}

/// Whether the claim "accepted, then seen" of the east, which makes it first, is in doubt against the west's.
fn in_doubt(east: (Date, Date), west: (Date, Date)) -> bool {
    let estate = case("inheritance").party(Decedent, 1);
    let east = estate.clone().accepted(east.0, east.1);
    let west = estate.elsewhere(0).accepted(west.0, west.1);
    let finding = judge(&east, &west).expect("a finding");
    assert_eq!(
        finding
            .first_accepting
            .map(|office| office.to_string())
            .as_deref(),
        Some("hz-east")
    );
    finding.back_dated
}

#[test]
fn an_acceptance_claimed_before_another_was_seen_is_in_doubt() {
    let west = (date!(2024 - 03 - 01), date!(2024 - 03 - 02));
    assert!(
        in_doubt((date!(2024 - 02 - 28), date!(2024 - 03 - 07)), west),
        "8 days late, seen after the other"
    );
    assert!(
        !in_doubt((date!(2024 - 02 - 29), date!(2024 - 03 - 07)), west),
        "7 days are usual"
    );
    assert!(
        !in_doubt((date!(2024 - 02 - 20), date!(2024 - 03 - 02)), west),
        "seen on the same day"
    );
    assert!(
        !in_doubt((date!(2024 - 01 - 01), date!(2024 - 02 - 01)), west),
        "late, but seen before the other"
    );
}

#[test]
fn a_first_load_of_history_raises_no_doubt() {
    let (east_load, west_load) = (date!(2024 - 06 - 02), date!(2024 - 06 - 01));
    let east = (date!(2022 - 01 - 10), east_load);
    assert!(
        !in_doubt(east, (date!(2022 - 02 - 10), west_load)),
        "both arrived with a load"
    );
    assert!(
        !in_doubt(east, (date!(2022 - 02 - 10), date!(2024 - 06 - 03))),
        "in either order"
    );
    assert!(
        in_doubt(east, (date!(2024 - 05 - 30), west_load)),
        "the other was reported as it happened"
    );
}

#[test]
fn an_application_alone_puts_no_acceptance_in_doubt() {
    let estate = case("inheritance").party(Decedent, 1);
    let east = estate
        .clone()
        .accepted(date!(2024 - 02 - 01), date!(2024 - 03 - 10));
    let west = Case {
        state: Applied,
        accepted_on: None,
        ..estate.elsewhere(0)
    };
    let finding = judge(&east, &west).expect("a finding");
    assert!(finding.first_accepting.is_some() && !finding.back_dated);
}

proptest! {
    #[test]
    fn a_judgement_is_symmetric_and_names_one_of_the_two(a in any_case(), b in any_case()) {
        if let Some(finding) = judge(&a, &b) {
            prop_assert_ne!(a.office, b.office);
            let offices = [a.office, b.office];
            let first = finding.first_accepting.map(|office| office.to_string());
            prop_assert!(first.as_deref().is_none_or(|first| offices.contains(&first)));
            prop_assert!(!finding.back_dated || first.is_some());
        }
    }

    #[test]
    fn the_same_live_case_at_two_offices_hits_under_every_rule_of_one_matter(one in any_case()) {
        let rules = shipped();
        let matter: MatterType = one.matter.parse().expect("a code");
        let keys = one.keys(&rules);
        let is_under = |rule: &Rule| keys.iter().any(|key| key.tag() == rule.scope.tag());
        let expected = rules.rules().iter().any(|rule| rule.covers(matter, matter) && is_under(rule));
        let other = Case { office: "hz-other", ..one.clone() };
        prop_assert_eq!(judge(&one, &other).is_some(), expected && one.state.is_live_or_issued());
    }
}
