//! One matter with many parties and things.

use notary_hub::identity::Role;
use notary_proto::hub::v1::{
    BatchCheckRequest, LookupParty, LookupPurpose, LookupSubject, MatchSeverity, PartyRole,
};

use crate::notary::{Counter, thing, who};
use crate::record::{case, home, person};
use crate::support::hub::reason;

fn batch(parties: Vec<LookupParty>, subjects: Vec<LookupSubject>) -> BatchCheckRequest {
    BatchCheckRequest {
        purpose: LookupPurpose::BeforeAcceptance.into(),
        case_reference: "2024-接-1".to_owned(),
        matter_type: "gift".to_owned(),
        parties,
        subjects,
        place_of_use: String::new(),
    }
}

fn donees(numbers: std::ops::RangeInclusive<u8>) -> Vec<LookupParty> {
    numbers
        .map(|number| who(PartyRole::Donee, number))
        .collect()
}

fn today() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}

#[tokio::test]
async fn each_party_and_thing_is_answered_and_recorded_by_itself() {
    let counter = Counter::open().await;
    let there = vec![
        case("A")
            .matter("mandate")
            .accepted(&today())
            .parties(vec![person(PartyRole::Principal, 2)])
            .subjects(vec![home(5)]),
        case("W").parties(vec![person(PartyRole::Testator, 1)]),
    ];
    counter.seed.office(&counter.hub, "xiaoshan", there).await;
    let answer = counter
        .batch(batch(donees(1..=3), vec![thing(5)]))
        .await
        .unwrap();
    let hits: Vec<usize> = answer.answers.iter().map(|one| one.hits.len()).collect();
    assert_eq!(hits, [0, 1, 0, 1], "the will of the first stays sealed");
    // How grave it is follows from the whole matter, whichever of its parts was found.
    let severity = |at: usize| answer.answers[at].hits[0].severity();
    assert_eq!(
        (severity(1), severity(3)),
        (MatchSeverity::Conflict, MatchSeverity::Conflict)
    );

    let log = counter.log().await;
    let outcomes: Vec<&str> = log.iter().map(|entry| entry.outcome.as_str()).collect();
    assert_eq!(outcomes, ["no_hit", "hit", "no_hit", "hit"]);
    assert!(log.iter().all(|entry| entry.action == "lookup.batch_check"));
    assert_eq!(log[1].detail["parties"].as_array().unwrap().len(), 1);
    assert_eq!(log[1].detail["told"][0][1], "A");
    let entries: Vec<u64> = answer
        .answers
        .iter()
        .map(|one| one.receipt.as_ref().unwrap().audit_entry)
        .collect();
    let recorded = log.iter().map(|entry| entry.entry_no.unsigned_abs());
    assert_eq!(entries, recorded.collect::<Vec<_>>());
    // One append: all receipts are of one tree.
    let trees: std::collections::HashSet<_> = answer
        .answers
        .iter()
        .map(|one| one.receipt.as_ref().unwrap().checkpoint.clone())
        .collect();
    assert_eq!(trees.len(), 1);
    assert_eq!(counter.verify().await.broken, None);
}

#[tokio::test]
async fn a_batch_with_one_malformed_party_does_nothing() {
    let counter = Counter::with("lookup.person_per_minute = 3").await;
    let mut malformed = donees(1..=3);
    malformed[2].identifier.as_mut().unwrap().token.pop();
    let status = counter.batch(batch(malformed, vec![])).await.unwrap_err();
    assert_eq!(reason(&status), "FIELD_INVALID");
    let log = counter.log().await;
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].detail["field"], "parties[2].identifier.token");
    // Nor did it cost anything of the budget.
    counter.batch(batch(donees(1..=3), vec![])).await.unwrap();
}

#[tokio::test]
async fn a_batch_costs_as_many_look_ups_as_it_asks_about_and_is_bounded() {
    let counter = Counter::with("lookup.person_per_minute = 100").await;
    let large = batch(donees(1..=60), (1..=40).map(thing).collect());
    let larger = batch(donees(1..=61), (1..=40).map(thing).collect());
    let status = counter.batch(larger).await.unwrap_err();
    assert_eq!(reason(&status), "FIELD_INVALID");
    let status = counter.batch(batch(vec![], vec![])).await.unwrap_err();
    assert_eq!(reason(&status), "FIELD_INVALID");
    let answer = counter.batch(large.clone()).await.unwrap();
    assert_eq!(answer.answers.len(), 100);
    let status = counter.batch(large).await.unwrap_err();
    assert_eq!(reason(&status), "RATE_LIMITED");
}

#[tokio::test]
async fn only_a_notary_asks_about_many() {
    let mut counter = Counter::open().await;
    for role in [Role::Analyst, Role::Supervisor, Role::Operator] {
        counter.signed_in_as(role);
        let status = counter
            .batch(batch(donees(1..=2), vec![]))
            .await
            .unwrap_err();
        assert_eq!(reason(&status), "PERMISSION_DENIED");
    }
    counter.session = None;
    let status = counter
        .batch(batch(donees(1..=2), vec![]))
        .await
        .unwrap_err();
    assert_eq!(reason(&status), "UNAUTHENTICATED");
    assert_eq!(counter.log().await.len(), 4);
}
