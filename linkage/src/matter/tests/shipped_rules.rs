//! The shipped rules, case against case: for each one a pair that hits and pairs that must not.

use PartyRole::*;
use SubjectKind::*;

use super::*;
use crate::matter::rules::Matters;
use crate::vocabulary::Purpose;

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
        hit(&mandate, &mandate.elsewhere(1097)).as_deref(),
        Some("MANDATE_SAME_AGENT"),
        "outside the window of the conflict"
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
        )
        .as_deref(),
        Some("MANDATE_AND_MORTGAGE"),
        "no gift"
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
    // One home, one seller, and two buyers of whom no number is known.
    let sale = case("contract")
        .party(Applicant, 1)
        .party_without_number(Counterpart)
        .subject(RealEstateUnit, 9);
    assert_eq!(
        hit(&sale, &sale.elsewhere(0)).as_deref(),
        Some("CONTRACT_SAME_HOME")
    );
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
fn an_agent_who_gets_mandate_after_mandate_of_one_principal_shows() {
    let mandate = case("mandate")
        .party(Principal, 1)
        .party(Agent, 2)
        .subject(RealEstateUnit, 8);
    let other_home = |principal, agent| {
        case("mandate")
            .party(Principal, principal)
            .party(Principal, 7)
            .party(Agent, agent)
            .subject(RealEstateUnit, 9)
            .elsewhere(1400)
    };
    assert_eq!(
        hit(&mandate, &other_home(1, 2)).as_deref(),
        Some("MANDATE_SAME_AGENT")
    );
    assert_eq!(hit(&mandate, &other_home(1, 3)), None, "another agent");
    assert_eq!(
        hit(&mandate, &other_home(2, 1)),
        None,
        "the other way round"
    );
    assert_eq!(hit(&mandate, &other_home(1, 2).later(100)), None);
}

#[test]
fn a_mandate_ends_with_its_principal() {
    let mandate = case("mandate").party(Principal, 1).party(Agent, 2);
    let estate = case("inheritance").party(Decedent, 1).party(Heir, 2);
    let death = case("death").party(Applicant, 2).party(Related, 1);
    for gone in [&estate, &death] {
        assert_eq!(
            hit(&mandate, &gone.elsewhere(900)).as_deref(),
            Some("MANDATE_OF_DECEDENT")
        );
        assert_eq!(hit(&mandate, &gone.elsewhere(1097)), None);
    }
    let of_the_heir = case("mandate").party(Principal, 2).party(Agent, 1);
    assert_eq!(hit(&of_the_heir, &estate.elsewhere(0)), None);
    assert_eq!(
        hit(&of_the_heir, &death.elsewhere(0)),
        None,
        "who applies lives"
    );
}

#[test]
fn a_mandate_over_a_mortgaged_home_is_related_to_the_debt() {
    let mandate = case("mandate")
        .party(Principal, 1)
        .subject(RealEstateCertificate, 9);
    let debt = |home| {
        case("enforceable_debt")
            .party(Debtor, 3)
            .subject(RealEstateCertificate, home)
            .elsewhere(1000)
    };
    assert_eq!(
        hit(&mandate, &debt(9)).as_deref(),
        Some("MANDATE_AND_MORTGAGE")
    );
    assert_eq!(hit(&mandate, &debt(8)), None);
}

#[test]
fn a_declaration_about_one_thing_is_made_once_and_shows_to_the_estate() {
    let declaration = case("declaration")
        .party(Applicant, 1)
        .subject(RealEstateUnit, 9);
    assert_eq!(
        hit(&declaration, &declaration.elsewhere(300)).as_deref(),
        Some("DECLARATION_SAME_SUBJECT")
    );
    let nothing = case("declaration").party(Applicant, 1);
    assert_eq!(hit(&nothing, &nothing.elsewhere(0)), None, "about no thing");
    let estate = |heir, home| {
        case("inheritance")
            .party(Decedent, 4)
            .party(Heir, heir)
            .subject(RealEstateUnit, home)
            .elsewhere(3000)
    };
    assert_eq!(
        hit(&declaration, &estate(1, 9)).as_deref(),
        Some("DECLARATION_FOR_INHERITANCE")
    );
    assert_eq!(hit(&declaration, &estate(2, 9)), None, "another heir");
    assert_eq!(hit(&declaration, &estate(1, 8)), None, "another home");
}

#[test]
fn one_death_is_certified_once_whoever_of_the_family_comes() {
    let death = case("death")
        .party(Applicant, 1)
        .party(Related, 9)
        .used_in("US");
    let again = |related, place| {
        case("death")
            .party(Applicant, 2)
            .party(Related, related)
            .used_in(place)
            .elsewhere(100)
    };
    assert_eq!(
        hit(&death, &again(9, "US")).as_deref(),
        Some("DEATH_SAME_PERSON")
    );
    assert_eq!(hit(&death, &again(8, "US")), None);
    assert_eq!(hit(&death, &again(9, "JP")), None, "for another place");
}

#[test]
fn nobody_lives_at_one_office_and_has_died_at_another() {
    let survival = case("survival").party(Applicant, 9).used_in("US");
    let death = |applicant, related| {
        case("death")
            .party(Applicant, applicant)
            .party(Related, related)
            .used_in("US")
            .elsewhere(200)
    };
    assert_eq!(
        hit(&survival, &death(1, 9)).as_deref(),
        Some("SURVIVAL_AGAINST_DEATH")
    );
    assert_eq!(hit(&survival, &death(9, 1)), None, "the living apply");
    let estate = case("inheritance").party(Decedent, 9);
    assert!(hit(&survival, &estate.elsewhere(366)).is_some());
    assert_eq!(hit(&survival, &estate.elsewhere(367)), None);
}

#[test]
fn a_child_is_adopted_once() {
    let adoption = case("adoption").party(Adopter, 1).party(Adoptee, 9);
    let again = |adoptee| {
        case("adoption")
            .party(Adopter, 2)
            .party(Adoptee, adoptee)
            .elsewhere(3000)
    };
    assert_eq!(
        hit(&adoption, &again(9)).as_deref(),
        Some("ADOPTION_SAME_ADOPTEE")
    );
    assert_eq!(hit(&adoption, &again(8)), None);
}

#[test]
fn one_home_is_sold_once_and_may_secure_several_debts() {
    let sale = case("contract")
        .party(Applicant, 1)
        .party(Counterpart, 2)
        .subject(RealEstateUnit, 9);
    let other_buyer = |home| {
        case("contract")
            .party(Applicant, 1)
            .party(Counterpart, 3)
            .subject(RealEstateUnit, home)
            .elsewhere(200)
    };
    let finding = judge(&sale, &other_buyer(9)).expect("a conflict");
    assert_eq!(
        (finding.rule_id.as_str(), finding.severity),
        ("CONTRACT_SAME_HOME", Severity::Conflict)
    );
    assert_eq!(hit(&sale, &other_buyer(8)), None);
    assert_eq!(hit(&sale, &other_buyer(9).later(200)), None);

    let debt = |creditor, home| {
        case("enforceable_debt")
            .party(Debtor, 1)
            .party(Creditor, creditor)
            .subject(RealEstateUnit, home)
    };
    assert_eq!(
        hit(&debt(2, 9), &debt(3, 9).elsewhere(366)).as_deref(),
        Some("DEBT_SAME_HOME")
    );
    assert_eq!(hit(&debt(2, 9), &debt(3, 8).elsewhere(0)), None);
}

#[test]
fn a_debt_is_discharged_by_one_deposit() {
    let deposit = case("deposit").party(Applicant, 1).subject(Contract, 9);
    assert_eq!(
        hit(&deposit, &deposit.elsewhere(1000)).as_deref(),
        Some("DEPOSIT_SAME_DEBT")
    );
    let other_debt = case("deposit").party(Applicant, 1).subject(Contract, 8);
    let other_debtor = case("deposit").party(Applicant, 2).subject(Contract, 9);
    for other in [other_debt, other_debtor] {
        assert_eq!(hit(&deposit, &other.elsewhere(0)), None);
    }
}

#[test]
fn acts_of_a_ward_show_to_the_guardianship() {
    let guardianship = case("guardianship").party(Ward, 1).party(Guardian, 2);
    let mandate = |principal| {
        case("mandate")
            .party(Principal, principal)
            .party(Agent, 3)
            .elsewhere(3000)
    };
    let gift = case("gift").party(Donor, 1).elsewhere(0);
    for act in [&mandate(1), &gift] {
        assert_eq!(
            hit(&guardianship, act).as_deref(),
            Some("GUARDIANSHIP_AND_ACT")
        );
    }
    assert_eq!(hit(&guardianship, &mandate(2)), None, "the guardian's own");
}

#[test]
fn companies_projects_and_registered_things_have_one_case_each() {
    let articles = case("articles_of_association")
        .party(Applicant, 1)
        .used_in("US");
    assert_eq!(
        hit(&articles, &articles.elsewhere(90)).as_deref(),
        Some("ARTICLES_SAME_COMPANY")
    );
    assert_eq!(
        hit(&articles, &articles.clone().used_in("DE").elsewhere(90)),
        None
    );
    for (matter, rule) in [
        ("tender", "TENDER_SAME_PROJECT"),
        ("registration", "REGISTRATION_SAME_SUBJECT"),
    ] {
        let one = case(matter).party(Applicant, 1).subject(Contract, 9);
        let same_thing = case(matter).party(Applicant, 2).subject(Contract, 9);
        let other_thing = case(matter).party(Applicant, 1).subject(Contract, 8);
        assert_eq!(hit(&one, &same_thing.elsewhere(300)).as_deref(), Some(rule));
        assert_eq!(hit(&one, &other_thing.elsewhere(300)), None);
    }
}

#[test]
fn what_the_decedent_left_in_safekeeping_shows_to_the_estate() {
    let kept = case("safekeeping").party(Applicant, 1);
    let estate = |decedent| {
        case("inheritance")
            .party(Decedent, decedent)
            .party(Heir, 1)
            .elsewhere(9000)
    };
    assert_eq!(
        hit(&kept, &estate(1)).as_deref(),
        Some("SAFEKEEPING_FOR_INHERITANCE")
    );
    assert_eq!(hit(&kept, &estate(2)), None, "the heir's own");
    assert_eq!(hit(&kept, &kept.elsewhere(0)), None, "one may keep much");
}

#[test]
fn every_matter_has_a_rule_or_a_reason_for_having_none() {
    let rules = shipped();
    for matter in MatterType::all() {
        let ruled = rules.rules_of(matter).next().is_some();
        let reason = rules.no_duplicates(matter);
        assert_ne!(ruled, reason.is_some(), "{matter}");
        assert!(reason.is_none_or(|reason| reason.ends_with('。')));
    }
}

#[test]
fn matters_that_may_lawfully_be_repeated_have_no_keys() {
    let rules = shipped();
    for matter in ["evidence_preservation", "signature", "copy", "other"] {
        let busy = case(matter).party(Applicant, 1).subject(RealEstateUnit, 9);
        assert_eq!(busy.keys(&rules), [], "{matter}");
    }
}

#[test]
fn every_shipped_rule_is_hit_by_some_test_above_and_tells_the_offices_something() {
    let rules = shipped();
    let text = include_str!("shipped_rules.rs");
    for rule in rules.rules() {
        let id = rule.id();
        assert!(text.contains(&format!("\"{id}\"")), "{id} has no pair");
        assert_eq!(rules.rule(id).map(Rule::id), Some(id));
        assert!(rule.notice_zh().ends_with('。'), "{id}");
    }
}

/// Both offices are sent one text: the one that holds the will must not read that another does.
#[test]
fn what_a_rule_between_two_matters_tells_is_true_for_either_office() {
    let rules = shipped();
    let between = |rule: &&Rule| matches!(rule.matters, Matters::Between(..));
    for rule in rules.rules().iter().filter(between) {
        let (id, notice) = (rule.id(), rule.notice_zh());
        assert!(!notice.contains("另一公证处"), "{id}: {notice}");
        assert!(
            notice.contains("在一处公证处") && notice.contains("在另一处"),
            "{id}: {notice}"
        );
    }
}

#[test]
fn wills_are_sealed_until_their_testators_estate_and_adoptions_show_nothing() {
    let rules = shipped();
    let disclosure = |code: &str| {
        rules
            .disclosure(code.parse().expect("a code"))
            .expect("every matter has one")
    };
    let (will, inheritance): (_, MatterType) =
        (disclosure("will"), "inheritance".parse().expect("a code"));
    assert!(will.is_open_to(inheritance));
    assert!(!will.is_open_to("will".parse().expect("a code")));
    let opening = will.sealed_until.as_ref().expect("sealed");
    assert_eq!(opening.holder, [Testator]);
    assert_eq!(opening.named_as, [Decedent, Testator]);
    assert_eq!(disclosure("adoption").shows, Shown::Hit);
    let record = disclosure("criminal_record");
    assert!(record.admits(Purpose::BeforeAcceptance, Some("2024-1")));
    assert!(!record.admits(Purpose::VerifyingCase, Some("2024-1")));
    for matter in MatterType::all() {
        let admits = |reference| {
            rules
                .disclosure(matter)
                .is_some_and(|d| d.admits(Purpose::ReviewOrComplaint, reference))
        };
        assert!(!admits(None) && !admits(Some("")), "{matter}: no reference");
    }
}
