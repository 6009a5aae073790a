//! The shipped rules, case against case: for each one a pair that hits and pairs that must not.

use PartyRole::*;
use SubjectKind::*;

use super::*;

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
    let text = include_str!("shipped_rules.rs");
    for id in ids {
        assert!(text.contains(&format!("\"{id}\"")), "{id} has no pair");
    }
}
