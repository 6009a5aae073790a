//! Offices that send many cases with somebody's number: no other office's case is hidden by them.

use notary_proto::hub::v1::{CaseState, CheckApplicationResponse, PartyRole};

use crate::notary::{Counter, about, thing, who};
use crate::record::{Case, case, home, person};

const FAR_AHEAD: &str = "2099-12-31";

fn mandate(key: &str, house: u8) -> Case {
    case(key)
        .matter("mandate")
        .accepted("2024-03-05")
        .parties(vec![person(PartyRole::Principal, 1)])
        .subjects(vec![home(house)])
}

/// A hub at which the office of yuhang has one case, and each of `crowding` the cases of a crowd; whoever stores first
/// and whoever comes first in the alphabet makes no difference.
async fn crowded(crowd: impl Fn(usize) -> Case, count: usize, crowding: &[&str]) -> Counter {
    let counter = Counter::open().await;
    crate::support::add_office(&counter.hub.db.pool, "yuhang").await;
    for office in crowding {
        let cases = (0..count).map(&crowd).collect();
        counter.seed.office(&counter.hub, office, cases).await;
    }
    let there = vec![mandate("Y", 5)];
    counter.seed.office(&counter.hub, "yuhang", there).await;
    counter
}

async fn asked_by_person(counter: &Counter) -> CheckApplicationResponse {
    let question = about("mandate", vec![who(PartyRole::Principal, 1)], vec![]);
    counter.answer(question).await
}

fn tells_of(answer: &CheckApplicationResponse, office: &str) -> bool {
    answer.hits.iter().any(|hit| hit.office_id == office)
}

#[tokio::test]
async fn cases_dated_ahead_keep_no_other_offices_case_from_being_told() {
    let ahead = |n: usize| mandate(&format!("F{n:04}"), 9).accepted(FAR_AHEAD);
    let counter = crowded(ahead, 150, &["xiaoshan"]).await;
    let answer = asked_by_person(&counter).await;
    assert!(tells_of(&answer, "yuhang"), "{} hits", answer.hits.len());
    assert_eq!((answer.hits.len(), answer.truncated), (100, true));
}

#[tokio::test]
async fn more_cases_than_are_read_of_one_person_keep_no_other_offices_case_from_being_told() {
    let many = |n: usize| mandate(&format!("F{n:04}"), 9);
    let counter = crowded(many, 1_100, &["hangzhou", "xiaoshan"]).await;
    let answer = asked_by_person(&counter).await;
    assert!(tells_of(&answer, "yuhang"), "{} hits", answer.hits.len());
    assert!(answer.truncated);
}

#[tokio::test]
async fn cases_that_are_withdrawn_again_keep_nothing_from_being_told() {
    let withdrawn = |n: usize| mandate(&format!("F{n:04}"), 9).state(CaseState::Withdrawn);
    let counter = crowded(withdrawn, 1_100, &["xiaoshan"]).await;
    let answer = asked_by_person(&counter).await;
    assert!(tells_of(&answer, "yuhang"));
    assert!(answer.truncated);
}

#[tokio::test]
async fn more_cases_than_are_read_of_one_thing_keep_no_other_offices_case_from_being_told() {
    let about_the_house = |n: usize| {
        mandate(&format!("F{n:04}"), 5)
            .parties(vec![person(PartyRole::Principal, 200)])
            .accepted(FAR_AHEAD)
    };
    let counter = crowded(about_the_house, 1_100, &["xiaoshan"]).await;
    let gift = about("gift", vec![who(PartyRole::Donor, 2)], vec![thing(5)]);
    let answer = counter.answer(gift).await;
    assert!(tells_of(&answer, "yuhang"), "{} hits", answer.hits.len());
    assert!(answer.truncated);
}
