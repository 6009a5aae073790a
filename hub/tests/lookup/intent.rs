//! Intents to accept, and who hears of them.

use notary_proto::hub::v1::{
    CheckApplicationRequest, CheckApplicationResponse, IntentAction, LookupPurpose, PartyRole,
};
use tonic_types::StatusExt as _;

use crate::notary::{Colleague, Counter, about, mistyped, thing, who};
use crate::record::{case, person};
use crate::support::meet::meet_at_commit;

fn estate(decedent: u8, intent: IntentAction) -> CheckApplicationRequest {
    CheckApplicationRequest {
        intent: intent.into(),
        ..about(
            "inheritance",
            vec![who(PartyRole::Decedent, decedent)],
            vec![],
        )
    }
}

fn offices(answer: &CheckApplicationResponse) -> Vec<&str> {
    let intents = answer.intents.iter();
    intents.map(|intent| intent.office_id.as_str()).collect()
}

#[tokio::test]
async fn an_intent_is_told_to_other_offices_for_24_hours_and_recorded_on_both_sides() {
    let counter = Counter::open().await;
    let colleague = Colleague::of(&counter.hub, "yuhang").await;
    let registered = counter.answer(estate(1, IntentAction::Register)).await;
    assert!(registered.intents.is_empty());

    let answer = colleague.answer(estate(1, IntentAction::Unspecified)).await;
    let intent = &answer.intents[0];
    assert_eq!(
        (intent.office_id.as_str(), intent.office_name.as_str()),
        ("hangzhou", "杭州市hangzhou公证处")
    );
    assert_eq!(intent.matter_type, "inheritance");
    assert_eq!(intent.expires_at, registered.intent_expires_at);
    let seconds = |at: Option<prost_types::Timestamp>| at.unwrap().seconds;
    let life = seconds(intent.expires_at) - seconds(intent.registered_at);
    assert_eq!(life, 24 * 3600);
    assert_eq!(answer.intent_expires_at, None);

    // Neither the own intent nor another matter's is told.
    let own = counter.answer(estate(1, IntentAction::Unspecified)).await;
    let other = colleague.answer(estate(2, IntentAction::Unspecified)).await;
    assert!(own.intents.is_empty() && other.intents.is_empty());

    let log = counter.log().await;
    assert_eq!(log[0].detail["intent"], "register");
    assert_eq!(log[1].outcome, "hit");
    assert_eq!(log[1].detail["intents_told"][0], "hangzhou");

    sqlx::query("UPDATE lookup_intent SET expires_at = now()")
        .execute(&counter.hub.db.pool)
        .await
        .unwrap();
    let late = colleague.answer(estate(1, IntentAction::Unspecified)).await;
    assert!(late.intents.is_empty());
}

#[tokio::test]
async fn an_intent_ends_when_it_is_withdrawn() {
    let counter = Counter::open().await;
    let colleague = Colleague::of(&counter.hub, "yuhang").await;
    counter.answer(estate(1, IntentAction::Register)).await;
    // Nobody withdraws another office's.
    let told = colleague.answer(estate(1, IntentAction::Withdraw)).await;
    assert_eq!(offices(&told), ["hangzhou"]);
    counter.answer(estate(1, IntentAction::Withdraw)).await;
    let told = colleague.answer(estate(1, IntentAction::Unspecified)).await;
    assert!(told.intents.is_empty());
}

#[tokio::test]
async fn an_intent_ends_when_its_offices_case_of_the_matter_arrives() {
    let counter = Counter::open().await;
    let colleague = Colleague::of(&counter.hub, "yuhang").await;
    let watched = Colleague::of(&counter.hub, "binjiang").await;
    colleague.answer(estate(1, IntentAction::Register)).await;
    let told = watched.answer(estate(1, IntentAction::Unspecified)).await;
    assert_eq!(offices(&told), ["yuhang"]);
    let arrived = case("A")
        .matter("inheritance")
        .accepted("2024-01-01")
        .parties(vec![person(PartyRole::Decedent, 1)]);
    counter
        .seed
        .office(&counter.hub, "yuhang", vec![arrived])
        .await;
    let told = watched.answer(estate(1, IntentAction::Unspecified)).await;
    assert_eq!((told.hits.len(), told.intents.len()), (1, 0));
}

/// Two mandates of one principal over different homes have the keys by which either would meet the principal's
/// guardianship, and are nobody else's business.
#[tokio::test]
async fn an_intent_is_told_where_the_rules_connect_the_two_matters_alone() {
    let counter = Counter::open().await;
    let colleague = Colleague::of(&counter.hub, "yuhang").await;
    let mandate = |home, intent: IntentAction| CheckApplicationRequest {
        intent: intent.into(),
        ..about(
            "mandate",
            vec![who(PartyRole::Principal, 1)],
            vec![thing(home)],
        )
    };
    counter.answer(mandate(5, IntentAction::Register)).await;
    let other_home = colleague
        .answer(mandate(6, IntentAction::Unspecified))
        .await;
    assert!(other_home.intents.is_empty());
    assert_eq!(counter.log().await.pop().unwrap().outcome, "no_hit");
    let registering = colleague.answer(mandate(6, IntentAction::Register)).await;
    assert!(registering.intents.is_empty());
    let same_home = colleague
        .answer(mandate(5, IntentAction::Unspecified))
        .await;
    assert_eq!(offices(&same_home), ["hangzhou"]);
    let ward = about("guardianship", vec![who(PartyRole::Ward, 1)], vec![]);
    assert_eq!(offices(&colleague.answer(ward).await), ["hangzhou"]);
}

#[tokio::test]
async fn an_intent_to_make_a_will_is_told_to_nobody() {
    let counter = Counter::open().await;
    let colleague = Colleague::of(&counter.hub, "yuhang").await;
    let will = CheckApplicationRequest {
        intent: IntentAction::Register.into(),
        ..about("will", vec![who(PartyRole::Testator, 1)], vec![])
    };
    let registered = counter.answer(will.clone()).await;
    assert!(registered.intent_expires_at.is_some());
    let told = colleague.answer(will).await;
    let heirs = colleague.answer(estate(1, IntentAction::Unspecified)).await;
    assert!(told.intents.is_empty() && heirs.intents.is_empty());
}

#[tokio::test]
async fn a_matter_that_nothing_identifies_registers_no_intent() {
    let counter = Counter::open().await;
    let mut unverified = estate(1, IntentAction::Register);
    unverified.parties[0] = mistyped(PartyRole::Decedent, 1);
    let answer = counter.answer(unverified).await;
    assert_eq!(answer.intent_expires_at, None);
}

#[tokio::test]
async fn only_who_is_about_to_accept_has_an_intent() {
    let counter = Counter::open().await;
    let question = CheckApplicationRequest {
        purpose: LookupPurpose::VerifyingCase.into(),
        ..estate(1, IntentAction::Register)
    };
    let status = counter.ask(question).await.unwrap_err();
    let details = status.get_error_details();
    let violations = &details.bad_request().unwrap().field_violations;
    assert_eq!(violations[0].field, "intent");
}

/// A trigger holds each of the two after its look and at its commit, until the other has come as far. Without the
/// locks on stripes both come there, having seen nothing; with them the second waits before its look.
#[tokio::test]
async fn intents_of_two_offices_at_the_same_moment_find_each_other() {
    let counter = Counter::open().await;
    let colleague = Colleague::of(&counter.hub, "yuhang").await;
    meet_at_commit(&counter.hub.db.pool, &["lookup_intent"]).await;
    for decedent in 1..=4 {
        let (one, two) = tokio::join!(
            counter.answer(estate(decedent, IntentAction::Register)),
            colleague.answer(estate(decedent, IntentAction::Register)),
        );
        let told = [offices(&one), offices(&two)].concat();
        assert_eq!(told.len(), 1, "the second hears of the first: {told:?}");
    }
}

/// An intent is held while more is asked, and nobody waits for a connection that waits for one.
#[tokio::test]
async fn many_intents_at_once_are_all_registered() {
    let counter = std::sync::Arc::new(Counter::open().await);
    let mut asking = tokio::task::JoinSet::new();
    for decedent in 1..=24 {
        let counter = std::sync::Arc::clone(&counter);
        asking.spawn(async move { counter.ask(estate(decedent, IntentAction::Register)).await });
    }
    while let Some(answer) = asking.join_next().await {
        assert!(answer.unwrap().unwrap().intent_expires_at.is_some());
    }
}
