//! The city keeps its promises: the same seed makes the same city, the truth is true, nothing else is hidden.
use std::collections::{BTreeSet, HashMap, HashSet};

use linkage::case_no::CaseNo;
use linkage::identifier::ParsedIdentifier;
use linkage::matter::{CaseFacts, MatterFacts, MatterKey, RuleSet};
use linkage::subject::SubjectNumber;
use linkage::token::{TokenAlgorithm, TokenKey};
use linkage::vocabulary::CaseState;
use synthetic_city::{Case, City, CityPlan, LookAlikeKind, PlantedKind, Vendor};
use time::macros::date;

fn city(seed: u64, cases: u32) -> City {
    City::generate(&CityPlan::of_size(seed, cases)).expect("a good plan")
}

fn all_cases(city: &City) -> impl Iterator<Item = Case> + '_ {
    (0..city.offices().len()).flat_map(|office| city.cases(office))
}

#[test]
fn the_same_seed_makes_the_same_city_and_another_seed_another() {
    let (one, again, other) = (city(7, 900), city(7, 900), city(8, 900));
    assert!(all_cases(&one).eq(all_cases(&again)));
    assert_eq!(one.truth(), again.truth());
    assert!(!all_cases(&one).eq(all_cases(&other)));
}

/// Every rule that the hub ships has something to point at, whatever the dice say: a figure of none planted and none
/// found says nothing.
#[test]
fn a_small_city_breaks_every_rule_of_supervision() {
    let rules = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../hub/rules/supervision.toml"
    );
    let rules = std::fs::read_to_string(rules).expect("the hub's rules");
    let ids = rules.lines().filter_map(|line| line.strip_prefix("id = "));
    let ids: BTreeSet<&str> = ids.map(|id| id.trim_matches('"')).collect();
    for seed in (1..=24).chain([2012]) {
        let city = city(seed, 1_500);
        let breaches = city.breaches(city.today());
        let broken: BTreeSet<&str> = breaches.iter().map(|one| one.rule_id.as_str()).collect();
        assert_eq!(broken, ids, "seed {seed}");
    }
}

/// Some fees are wrong for as many certificates as there were, which nobody sees who does not count them.
#[test]
fn certificates_are_counted_and_charged_for_and_sometimes_too_high() {
    let city = city(2012, 6_000);
    let cases: Vec<Case> = all_cases(&city).collect();
    let any = |wanted: &dyn Fn(&Case) -> bool| cases.iter().any(wanted);
    let too_high = |case: &Case| case.breaches.contains(&"FEE_ABOVE_TARIFF");
    let by_certificate = |case: &Case| case.amount_fen == 0 && case.certificates.is_some();
    assert!(any(&|case| too_high(case) && by_certificate(case)));
    assert!(!any(&|case| too_high(case) && case.certificates.is_none()));
    for count in [None, Some(1), Some(2), Some(4)] {
        assert!(any(&|case| case.certificates == count), "{count:?}");
    }
}

#[test]
fn a_case_can_be_written_without_its_neighbours() {
    let city = city(3, 600);
    let tenth = city.cases(0).nth(10).expect("the office has more cases");
    assert_eq!(city.case(0, 10), tenth);
}

#[test]
fn every_case_asked_for_is_there_under_its_own_key_and_number() {
    let city = city(5, 5_000);
    assert_eq!(all_cases(&city).count(), 5_000);
    assert_eq!(city.truth().cases, 5_000);
    for office in 0..city.offices().len() {
        let mut keys = HashSet::new();
        let mut numbers = HashSet::new();
        for case in city.cases(office) {
            assert!(
                keys.insert(case.source_case_id.clone()),
                "{}",
                case.source_case_id
            );
            if let Some(number) = &case.case_no {
                let number = CaseNo::parse(number).expect("a known shape");
                assert!(
                    numbers.insert(number.as_str().to_owned()),
                    "{number} was given twice"
                );
            }
        }
    }
}

#[test]
fn dates_and_fields_fit_the_state_of_every_sound_case() {
    let city = city(11, 8_000);
    for case in all_cases(&city).filter(|case| case.quality.is_empty()) {
        let days: Vec<_> = [
            Some(case.applied_on),
            case.accepted_on,
            case.issued_on,
            case.closed_on,
        ]
        .into_iter()
        .flatten()
        .collect();
        assert!(days.is_sorted(), "{}", case.source_case_id);
        assert!(days.iter().all(|day| *day <= city.today()));
        assert_eq!(
            case.accepted_on.is_some(),
            case.state.is_accepted_or_later(),
            "{:?}",
            case.state
        );
        assert_eq!(
            case.issued_on.is_some(),
            case.state.is_issued_or_later(),
            "{:?}",
            case.state
        );
        assert_eq!(
            case.reason_code.is_some(),
            matches!(case.state, CaseState::Refused | CaseState::Rejected),
            "{:?}",
            case.state
        );
        assert!(case.fee_charged_fen >= 0 && case.fee_reduced_fen >= 0);
        assert!(!case.parties.is_empty());
    }
}

#[test]
fn numbers_verify_exactly_where_the_truth_says_so() {
    let city = city(2, 8_000);
    let (mut verified, mut unverified, mut missing) = (0, 0, 0);
    for case in all_cases(&city).filter(|case| case.flaw.is_none()) {
        for (index, party) in case.parties.iter().enumerate() {
            let fault = case
                .quality
                .iter()
                .find(|fault| fault.party == Some(index))
                .map(|fault| fault.rule_id);
            let parsed = party.document.as_ref().map(|document| {
                ParsedIdentifier::parse(document.kind, &document.number).expect("readable")
            });
            match parsed {
                None => assert_eq!(fault, Some("IDENTIFIER_MISSING")),
                Some(ParsedIdentifier::Unverified(_)) => {
                    assert_eq!(fault, Some("IDENTIFIER_UNVERIFIED"))
                }
                Some(ParsedIdentifier::Verified(identifier)) => {
                    assert_eq!(fault, None);
                    assert!(
                        identifier
                            .birth_date()
                            .is_none_or(|birth| Some(birth) == party.birth_on)
                    );
                    assert!(identifier.sex().is_none_or(|sex| Some(sex) == party.sex));
                }
            }
            match fault {
                None => verified += 1,
                Some("IDENTIFIER_MISSING") => missing += 1,
                Some(_) => unverified += 1,
            }
        }
    }
    let all = f64::from(verified + unverified + missing);
    assert!(
        (0.015..0.025).contains(&(f64::from(unverified) / all)),
        "{unverified} of {all}"
    );
    assert!(
        (0.025..0.035).contains(&(f64::from(missing) / all)),
        "{missing} of {all}"
    );
}

#[test]
fn about_one_record_in_two_hundred_is_refused_for_every_reason_its_vendor_allows() {
    let city = city(4, 60_000);
    let truth = city.truth();
    let share = truth.rejects.len() as f64 / truth.cases as f64;
    assert!((0.004..0.006).contains(&share), "{share}");
    let rules: BTreeSet<_> = truth
        .rejects
        .iter()
        .map(|reject| reject.rule_id.as_str())
        .collect();
    let expected = [
        "CODE_UNKNOWN",
        "DATE_ILLEGAL",
        "FIELD_MISSING",
        "FIELD_TOO_LONG",
        "IDENTIFIER_UNREADABLE",
        "KEY_MISSING",
        "NUMBER_ILLEGAL",
        "ROW_MALFORMED",
    ];
    assert_eq!(rules, BTreeSet::from(expected));
    let typed: BTreeSet<_> = city
        .offices()
        .iter()
        .filter(|office| office.vendor == Vendor::Normalised)
        .flat_map(|office| truth.rejects_of(office.id.as_str()))
        .map(|reject| reject.rule_id.as_str())
        .collect();
    assert!(
        !typed.contains("DATE_ILLEGAL") && !typed.contains("NUMBER_ILLEGAL"),
        "typed columns hold neither"
    );
}

#[test]
fn the_rules_find_every_exact_pair_and_nothing_else() {
    for (seed, cases) in [(1, 3_000), (2, 12_000)] {
        let city = city(seed, cases);
        let truth = city.truth();
        let expected: BTreeSet<_> = truth
            .planted_of(PlantedKind::Exact)
            .map(|pair| {
                let case = |case: &synthetic_city::CaseRef| {
                    (case.office_id.clone(), case.source_case_id.clone())
                };
                (
                    pair.rule_id.clone(),
                    pair.severity.code(),
                    case(&pair.left),
                    case(&pair.right),
                )
            })
            .collect();
        let found = found(&city);
        let missed: Vec<_> = expected.difference(&found).collect();
        let false_ones: Vec<_> = found.difference(&expected).collect();
        assert!(
            missed.is_empty() && false_ones.is_empty(),
            "missed {missed:#?}, false {false_ones:#?}"
        );
        assert!(
            expected.len() >= 38,
            "every scenario is planted: {}",
            expected.len()
        );
        assert!(truth.planted_of(PlantedKind::Fuzzy).count() >= 20);
        let kinds: HashSet<_> = truth
            .look_alikes
            .iter()
            .map(|look_alike| look_alike.kind)
            .collect();
        use LookAlikeKind::*;
        assert_eq!(
            kinds,
            HashSet::from([SameOffice, OutsideWindow, NotLive, SameName, OtherMatter])
        );
    }
}

type Found = BTreeSet<(String, &'static str, (String, String), (String, String))>;

/// What the shipped rules make of the city's storable cases.
fn found(city: &City) -> Found {
    let rules = RuleSet::parse(include_str!("../../../hub/rules/matters.toml")).expect("the rules");
    let key = TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32]);
    let cases: Vec<(Case, Vec<MatterKey>)> = all_cases(city)
        .filter(|case| case.flaw.is_none())
        .map(|case| {
            let keys = keys(&rules, &key, &case);
            (case, keys)
        })
        .collect();
    let mut by_key: HashMap<MatterKey, Vec<usize>> = HashMap::new();
    for (index, (_, keys)) in cases.iter().enumerate() {
        for key in keys {
            by_key.entry(*key).or_default().push(index);
        }
    }
    let facts = |index: usize| {
        let (case, keys) = &cases[index];
        CaseFacts {
            office: city.offices()[case.office].id,
            source_case_id: &case.source_case_id,
            matter_type: case.matter_type,
            state: case.state,
            applied_on: Some(case.applied_on),
            accepted_on: case.accepted_on,
            first_recorded_on: date!(2025 - 01 - 01),
            keys,
        }
    };
    let mut found = Found::new();
    for sharing in by_key.values() {
        for (position, left) in sharing.iter().enumerate() {
            for right in &sharing[position + 1..] {
                if let Some(finding) = rules.judge(&facts(*left), &facts(*right)) {
                    let case = |index: usize| {
                        let case = &cases[index].0;
                        (
                            city.offices()[case.office].id.to_string(),
                            case.source_case_id.clone(),
                        )
                    };
                    let mut pair = [case(*left), case(*right)];
                    pair.sort();
                    let [left, right] = pair;
                    found.insert((finding.rule_id, finding.severity.code(), left, right));
                }
            }
        }
    }
    found
}

fn keys(rules: &RuleSet, key: &TokenKey, case: &Case) -> Vec<MatterKey> {
    let parties: Vec<_> = case
        .parties
        .iter()
        .map(|party| {
            let number = party.document.as_ref().and_then(|document| {
                let parsed =
                    ParsedIdentifier::parse(document.kind, &document.number).expect("readable");
                Some(key.identifier(parsed.verified()?))
            });
            (party.role, number)
        })
        .collect();
    let subjects: Vec<_> = case
        .subjects
        .iter()
        .map(|subject| {
            let number = SubjectNumber::parse(subject.kind, &subject.number).expect("readable");
            (subject.kind, key.subject(&number))
        })
        .collect();
    rules.keys(&MatterFacts {
        matter_type: case.matter_type,
        parties: &parties,
        subjects: &subjects,
        place_of_use: case.place_of_use,
    })
}

#[test]
fn nobody_is_known_to_two_offices_but_those_who_were_planted() {
    let city = city(6, 20_000);
    let truth = city.truth();
    let planted: HashSet<_> = truth
        .planted
        .iter()
        .flat_map(|pair| [&pair.left, &pair.right])
        .chain(
            truth
                .look_alikes
                .iter()
                .flat_map(|pair| [&pair.left, &pair.right]),
        )
        .map(|case| (case.office_id.as_str(), case.source_case_id.as_str()))
        .collect();
    let mut office_of: HashMap<String, usize> = HashMap::new();
    for case in all_cases(&city) {
        if planted.contains(&(
            city.offices()[case.office].id.as_str(),
            case.source_case_id.as_str(),
        )) {
            continue;
        }
        let numbers = case
            .parties
            .iter()
            .filter_map(|party| {
                let document = party.document.as_ref()?;
                let parsed = ParsedIdentifier::parse(document.kind, &document.number).ok()?;
                Some(format!(
                    "{} {}",
                    document.kind,
                    parsed.verified()?.normalised()
                ))
            })
            .chain(case.subjects.iter().map(|subject| {
                let number = SubjectNumber::parse(subject.kind, &subject.number).expect("readable");
                format!("{} {}", subject.kind, number.normalised())
            }));
        for number in numbers {
            let known = *office_of.entry(number).or_insert(case.office);
            assert_eq!(known, case.office, "{}", case.source_case_id);
        }
    }
}

#[test]
fn time_moves_cases_on_fixes_records_and_changes_nothing_else() {
    let start = city(9, 20_000);
    let later = start.evolve(1);
    assert!(later.today() > start.today());
    let mut moved = 0;
    let changed: HashSet<_> = (0..start.offices().len())
        .flat_map(|office| later.changes(office))
        .map(|c| (c.office, c.ordinal))
        .collect();
    for (before, after) in all_cases(&start).zip(all_cases(&later)) {
        if changed.contains(&(after.office, after.ordinal)) {
            assert!(after.revision > before.revision);
            assert!(after.modified_at > before.modified_at);
            assert!(
                after.modified_at.date() > start.today(),
                "a watermark would miss the change"
            );
            moved += usize::from(before.state != after.state);
        } else {
            assert_eq!(before, after);
        }
    }
    assert!(moved > 100, "{moved} cases moved on");
    let (before, after) = (start.truth(), later.truth());
    assert!(
        after.rejects.len() < before.rejects.len(),
        "some records were fixed"
    );
    assert_eq!(
        start.evolve(3).truth().rejects.len(),
        0,
        "all records are fixed in the end"
    );
    assert_eq!(before.planted, after.planted);
    assert_eq!(found(&later), found(&start));
}

#[test]
fn wire_records_hold_no_raw_number_and_are_as_many_as_the_storable_cases() {
    let plan = CityPlan::of_size(1, 2_000);
    let key = TokenKey::new(1, TokenAlgorithm::HmacSm3, [9; 32]);
    let truth = City::generate(&plan).expect("a good plan").truth();
    let records: Vec<_> = synthetic_city::wire::records(&plan, &key)
        .expect("a good plan")
        .collect();
    assert_eq!(records.len(), truth.cases as usize - truth.rejects.len());
    let first = city(1, 2_000).case(0, 0);
    let number = &first.parties[0]
        .document
        .as_ref()
        .expect("the first case is sound")
        .number;
    assert!(!format!("{:?}", records[0].1).contains(number.as_str()));
}

#[test]
fn nobody_declares_a_relative_by_a_number_that_its_check_digit_refuses() {
    let city = city(2012, 100_000);
    let mut declared = 0;
    for office in 0..city.offices().len() {
        let filings = city.filings(office).into_iter();
        for recusal in filings.filter(|filing| filing.kind == "recusal") {
            for kin in recusal.fields["kin"].as_array().expect("relatives") {
                let text = |field: &str| kin[field].as_str().expect("a text");
                let kind = text("id_kind").parse().expect("a kind");
                let number = ParsedIdentifier::parse(kind, text("id_number"));
                assert!(number.expect("a number").verified().is_some(), "{kin}");
                declared += 1;
            }
        }
    }
    assert!(declared > 20, "{declared} declared");
}
