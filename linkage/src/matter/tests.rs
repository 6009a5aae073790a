//! The shipped rules, case against case: for each one a pair that hits and pairs that must not.

use CaseState::*;
use PartyRole::*;
use SubjectKind::*;
use proptest::prelude::*;
use time::{Date, Duration, macros::date};

use super::*;
use crate::{
    subject::SubjectKind,
    token::Token,
    vocabulary::{CaseState, PartyRole},
};

fn token(number: u8) -> Token {
    Token::from([number; 16])
}

/// A case as one office holds it.
#[derive(Debug, Clone)]
struct Case {
    office: &'static str,
    matter: &'static str,
    state: CaseState,
    parties: Vec<(PartyRole, Token)>,
    subjects: Vec<(SubjectKind, Token)>,
    place_of_use: Option<&'static str>,
    applied_on: Option<Date>,
    accepted_on: Option<Date>,
    first_recorded_on: Date,
}

fn case(matter: &'static str) -> Case {
    let day = date!(2024 - 03 - 01);
    Case {
        office: "hz-east",
        matter,
        state: CaseState::Accepted,
        parties: vec![],
        subjects: vec![],
        place_of_use: None,
        applied_on: Some(day),
        accepted_on: Some(day),
        first_recorded_on: day,
    }
}

impl Case {
    fn party(mut self, role: PartyRole, number: u8) -> Self {
        self.parties.push((role, token(number)));
        self
    }

    fn subject(mut self, kind: SubjectKind, number: u8) -> Self {
        self.subjects.push((kind, token(number)));
        self
    }

    fn used_in(mut self, place: &'static str) -> Self {
        self.place_of_use = Some(place);
        self
    }

    /// The same matter taken to another office, `days` later.
    fn elsewhere(&self, days: i64) -> Self {
        Self {
            office: "hz-west",
            ..self.clone()
        }
        .later(days)
    }

    fn later(mut self, days: i64) -> Self {
        let later = Duration::days(days);
        self.applied_on = self.applied_on.map(|on| on + later);
        self.accepted_on = self.accepted_on.map(|on| on + later);
        self.first_recorded_on += later;
        self
    }

    fn accepted(mut self, accepted_on: Date, first_recorded_on: Date) -> Self {
        self.accepted_on = Some(accepted_on);
        self.first_recorded_on = first_recorded_on;
        self
    }

    fn keys(&self, rules: &RuleSet) -> Vec<MatterKey> {
        rules.keys(&MatterFacts {
            matter_type: self.matter.parse().expect("a code"),
            parties: &self.parties,
            subjects: &self.subjects,
            place_of_use: self.place_of_use,
        })
    }

    fn facts<'a>(&'a self, keys: &'a [MatterKey]) -> CaseFacts<'a> {
        CaseFacts {
            office: self.office.parse().expect("an office id"),
            source_case_id: "1",
            matter_type: self.matter.parse().expect("a code"),
            state: self.state,
            applied_on: self.applied_on,
            accepted_on: self.accepted_on,
            first_recorded_on: self.first_recorded_on,
            keys,
        }
    }
}

/// Judges a pair both ways and insists that the order does not matter.
fn judge(a: &Case, b: &Case) -> Option<Finding> {
    let rules = RuleSet::builtin();
    let (keys_a, keys_b) = (a.keys(&rules), b.keys(&rules));
    let finding = rules.judge(&a.facts(&keys_a), &b.facts(&keys_b));
    assert_eq!(
        finding,
        rules.judge(&b.facts(&keys_b), &a.facts(&keys_a)),
        "symmetric"
    );
    finding
}

fn hit(a: &Case, b: &Case) -> Option<String> {
    judge(a, b).map(|finding| finding.rule_id)
}

#[test]
fn an_estate_is_settled_once() {
    let estate = case("inheritance").party(Decedent, 1).party(Heir, 2);
    assert_eq!(
        hit(&estate, &estate.elsewhere(3000)).as_deref(),
        Some("INHERITANCE_SAME_DECEDENT")
    );
    assert_eq!(
        hit(
            &estate,
            &case("inheritance").party(Decedent, 2).elsewhere(0)
        ),
        None
    );
    assert_eq!(
        hit(&estate, &case("inheritance").party(Heir, 1).elsewhere(0)),
        None,
        "another role"
    );
    assert_eq!(
        hit(&estate, &estate.elsewhere(3654)),
        None,
        "outside the window"
    );
}

#[test]
fn wills_of_one_testator_are_related_but_no_duplicate() {
    let will = case("will").party(Testator, 1);
    let finding = judge(&will, &will.elsewhere(9000)).expect("related");
    assert_eq!(
        (finding.rule_id.as_str(), finding.severity),
        ("WILL_SAME_TESTATOR", Severity::Related)
    );
    assert_eq!(
        hit(&will, &case("will").party(Testator, 2).elsewhere(0)),
        None
    );
}

#[test]
fn an_inheritance_is_related_to_the_decedents_will() {
    let will = case("will").party(Testator, 1);
    let estate = case("inheritance")
        .party(Decedent, 1)
        .party(Heir, 2)
        .elsewhere(9000);
    assert_eq!(hit(&will, &estate).as_deref(), Some("WILL_FOR_INHERITANCE"));
    assert_eq!(
        hit(&case("will").party(Testator, 2), &estate),
        None,
        "the heir's own will"
    );
}

#[test]
fn two_mandates_of_one_principal_over_one_home_conflict() {
    let mandate = case("mandate")
        .party(Principal, 1)
        .party(Agent, 2)
        .subject(RealEstateUnit, 9);
    let finding = judge(&mandate, &mandate.elsewhere(1000)).expect("conflict");
    assert_eq!(
        (finding.rule_id.as_str(), finding.severity),
        ("MANDATE_SAME_PROPERTY", Severity::Conflict)
    );
    let other_home = case("mandate")
        .party(Principal, 1)
        .subject(RealEstateUnit, 8);
    let other_principal = case("mandate")
        .party(Principal, 3)
        .subject(RealEstateUnit, 9);
    let no_home = case("mandate").party(Principal, 1);
    for other in [other_home, other_principal, no_home] {
        assert_eq!(hit(&mandate, &other.elsewhere(0)), None);
    }
    assert_eq!(
        hit(&mandate, &mandate.elsewhere(1097)),
        None,
        "outside the window"
    );
}

#[test]
fn a_gift_conflicts_with_mandate_and_mortgage_of_the_same_home() {
    let gift = case("gift").party(Donor, 1).subject(RealEstateUnit, 9);
    let mandate = case("mandate")
        .party(Principal, 2)
        .subject(RealEstateUnit, 9)
        .elsewhere(300);
    let mortgage = case("enforceable_debt")
        .party(Debtor, 3)
        .subject(RealEstateUnit, 9)
        .elsewhere(300);
    assert_eq!(
        hit(&gift, &mandate).as_deref(),
        Some("GIFT_AGAINST_DISPOSAL")
    );
    assert_eq!(
        hit(&gift, &mortgage).as_deref(),
        Some("GIFT_AGAINST_DISPOSAL")
    );
    assert_eq!(
        hit(
            &case("mandate")
                .party(Principal, 7)
                .subject(RealEstateUnit, 9),
            &mortgage
        ),
        None
    );
    assert_eq!(hit(&gift, &mandate.later(100)), None, "outside the window");
}

#[test]
fn a_donor_gives_a_thing_away_once() {
    let gift = case("gift")
        .party(Donor, 1)
        .party(Donee, 2)
        .subject(Vehicle, 9);
    assert_eq!(
        hit(&gift, &gift.elsewhere(1000)).as_deref(),
        Some("GIFT_SAME_SUBJECT")
    );
    assert_eq!(
        hit(
            &gift,
            &case("gift")
                .party(Donor, 2)
                .subject(Vehicle, 9)
                .elsewhere(0)
        ),
        None
    );
    assert_eq!(
        hit(
            &gift,
            &case("gift")
                .party(Donor, 1)
                .subject(Vehicle, 8)
                .elsewhere(0)
        ),
        None
    );
}

#[test]
fn a_fact_about_a_person_is_certified_once_for_one_place() {
    for fact in MatterType::all().filter(|m| m.group() == MatterGroup::PersonalFact) {
        let birth = case(fact.code()).party(Applicant, 1).used_in("US");
        assert_eq!(
            hit(&birth, &birth.elsewhere(180)).as_deref(),
            Some("PERSONAL_FACT_SAME_USE"),
            "{fact}"
        );
        assert_eq!(
            hit(&birth, &birth.elsewhere(181)),
            None,
            "a fresh certificate is lawful"
        );
        assert_eq!(hit(&birth, &birth.clone().used_in("JP").elsewhere(0)), None);
        assert_eq!(
            hit(
                &birth,
                &case(fact.code())
                    .party(Applicant, 2)
                    .used_in("US")
                    .elsewhere(0)
            ),
            None
        );
        assert!(
            hit(&birth, &birth.clone().used_in("us").elsewhere(0)).is_some(),
            "case does not matter"
        );
    }
    let birth = case("birth").party(Applicant, 1);
    let survival = case("survival").party(Applicant, 1).elsewhere(0);
    assert_eq!(hit(&birth, &survival), None, "another matter");
    assert!(
        hit(&birth, &birth.elsewhere(0)).is_some(),
        "no place is one place"
    );
}

#[test]
fn an_agreement_of_the_same_parties_on_the_same_thing_is_one() {
    for matter in ["contract", "enforceable_debt", "property_division"] {
        let agreement = case(matter)
            .party(Applicant, 1)
            .party(Counterpart, 2)
            .subject(Contract, 9);
        let swapped = case(matter)
            .party(Counterpart, 1)
            .party(Applicant, 2)
            .subject(Contract, 9);
        assert_eq!(
            hit(&agreement, &swapped.elsewhere(366)).as_deref(),
            Some("AGREEMENT_SAME_PARTIES")
        );
        let one_party = case(matter).party(Applicant, 1).subject(Contract, 9);
        let other_thing = case(matter)
            .party(Applicant, 1)
            .party(Counterpart, 2)
            .subject(Contract, 8);
        for other in [one_party, other_thing] {
            assert_eq!(hit(&agreement, &other.elsewhere(0)), None);
        }
        assert_eq!(
            hit(&agreement, &agreement.elsewhere(367)),
            None,
            "outside the window"
        );
    }
    let contract = case("contract").party(Applicant, 1).subject(Contract, 9);
    let division = case("property_division")
        .party(Applicant, 1)
        .subject(Contract, 9);
    assert_eq!(
        hit(&contract, &division.elsewhere(0)),
        None,
        "another matter"
    );
}

#[test]
fn a_ward_has_one_guardianship() {
    let guardianship = case("guardianship").party(Ward, 1).party(Guardian, 2);
    assert_eq!(
        hit(&guardianship, &guardianship.elsewhere(9)).as_deref(),
        Some("GUARDIANSHIP_SAME_WARD")
    );
    assert_eq!(
        hit(
            &guardianship,
            &case("guardianship")
                .party(Ward, 2)
                .party(Guardian, 1)
                .elsewhere(9)
        ),
        None
    );
}

#[test]
fn matters_that_may_lawfully_be_repeated_have_no_keys() {
    let rules = RuleSet::builtin();
    for matter in [
        "deposit",
        "evidence_preservation",
        "signature",
        "copy",
        "other",
    ] {
        let busy = case(matter).party(Applicant, 1).subject(RealEstateUnit, 9);
        assert_eq!(busy.keys(&rules), [], "{matter}");
    }
}

#[test]
fn every_shipped_rule_is_hit_by_some_test_above() {
    let ids: Vec<_> = RuleSet::builtin()
        .rules()
        .iter()
        .map(|rule| rule.id().to_owned())
        .collect();
    let text = include_str!("tests.rs");
    for id in ids {
        assert!(text.contains(&format!("\"{id}\"")), "{id} has no pair");
    }
}

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

#[test]
fn keys_never_change_while_rules_and_facts_stay() {
    // Stored at the hub: a changed derivation needs a migration that derives all keys again.
    let rules = RuleSet::builtin();
    let gift = case("gift").party(Donor, 1).subject(RealEstateUnit, 9);
    let birth = case("birth").party(Applicant, 1).used_in("US");
    let keys = [gift.keys(&rules), birth.keys(&rules)].concat();
    insta::assert_debug_snapshot!(keys);
}

#[test]
fn several_holders_have_a_key_each_and_a_poisoned_case_has_few() {
    let rules = RuleSet::builtin();
    let estate = case("inheritance")
        .party(Decedent, 1)
        .party(Decedent, 2)
        .party(Decedent, 1);
    let per_decedent = 2; // the estate itself and the decedent's will
    assert_eq!(estate.keys(&rules).len(), 2 * per_decedent);
    let poisoned = (0..64).fold(case("mandate"), |case, i| {
        case.party(Principal, i).subject(RealEstateUnit, i)
    });
    assert_eq!(poisoned.keys(&rules).len(), MAX_KEYS);
}

fn any_case() -> impl Strategy<Value = Case> {
    let matter = prop::sample::select(MatterType::all().map(MatterType::code).collect::<Vec<_>>());
    let party = (prop::sample::select(PartyRole::ALL), 0u8..3);
    let subject = (prop::sample::select(SubjectKind::ALL), 0u8..3);
    let office = prop::sample::select(vec!["hz-east", "hz-west"]);
    let days = (
        prop::option::of(-9i64..9),
        prop::option::of(-9i64..9),
        -9i64..9,
    );
    let parts = (
        prop::collection::vec(party, 0..8),
        prop::collection::vec(subject, 0..5),
    );
    (
        office,
        matter,
        prop::sample::select(CaseState::ALL),
        parts,
        days,
    )
        .prop_map(
            |(office, matter, state, (parties, subjects), (applied, accepted, seen))| {
                let on = |day| date!(2024 - 03 - 01) + Duration::days(day);
                Case {
                    office,
                    state,
                    parties: parties
                        .into_iter()
                        .map(|(role, n)| (role, token(n)))
                        .collect(),
                    subjects: subjects
                        .into_iter()
                        .map(|(kind, n)| (kind, token(n)))
                        .collect(),
                    applied_on: applied.map(on),
                    accepted_on: accepted.map(on),
                    first_recorded_on: on(seen),
                    ..case(matter)
                }
            },
        )
}

proptest! {
    #[test]
    fn keys_do_not_depend_on_the_order_of_parties_and_subjects(one in any_case()) {
        let rules = RuleSet::builtin();
        let mut reversed = one.clone();
        reversed.parties.reverse();
        reversed.subjects.reverse();
        let keys = one.keys(&rules);
        prop_assert_eq!(reversed.keys(&rules), keys.clone());
        prop_assert!(keys.is_sorted_by(|a, b| a < b), "sorted and distinct");
    }

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
        let rules = RuleSet::builtin();
        let matter: MatterType = one.matter.parse().expect("a code");
        let keys = one.keys(&rules);
        let is_under = |rule: &Rule| keys.iter().any(|key| key.tag() == rule.scope.tag());
        let expected = rules.rules().iter().any(|rule| rule.covers(matter, matter) && is_under(rule));
        let other = Case { office: "hz-other", ..one.clone() };
        prop_assert_eq!(judge(&one, &other).is_some(), expected && one.state.is_live_or_issued());
    }
}
