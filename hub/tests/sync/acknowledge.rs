//! An ack means a commit, and whatever is sent again has one effect.

use std::time::Duration;

use notary_hub::statistics::calendar::Calendar;
use notary_hub::statistics::verify::verify;
use notary_proto::hub::v1::sync_response::Message;
use notary_proto::hub::v1::{NextTokens, PartyTokens, RecordReject};
use uuid::Uuid;

use crate::agent::{Agent, cases, count, hold, until, writers_wait};
use crate::record::{Case, case, refused};
use crate::support::hub::Hub;

#[tokio::test]
async fn a_stream_is_welcomed_and_acknowledged_after_the_commit_and_not_before() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, welcome) = agent.open(&hub).await;
    assert_eq!(welcome.committed_sequence, 0);
    assert_eq!(welcome.token_key_id, hub.keys.pki.token_keys.present.id());
    assert_eq!(welcome.limits.unwrap().max_unacked_batches, 8);
    let holder = hold(&hub.db.pool).await;
    stream.send(1, vec![case("C1"), case("C2")]).await;
    writers_wait(&hub.db, 1).await;
    let early = tokio::time::timeout(Duration::from_millis(300), stream.ack()).await;
    assert!(early.is_err(), "acknowledged while the commit was held up");
    holder.rollback().await.unwrap();
    assert_eq!(stream.ack().await.committed_sequence, 2);
    assert_eq!(cases(&hub).await, 2);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_reconnecting_agent_goes_on_where_the_hub_is() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, _) = agent.open(&hub).await;
    stream.send(1, vec![case("C1"), case("C2")]).await;
    stream.acked(2).await;
    drop(stream);
    let (mut stream, welcome) = agent.open(&hub).await;
    assert_eq!(welcome.committed_sequence, 2);
    stream.send(3, vec![case("C3")]).await;
    stream.acked(3).await;
    assert_eq!(cases(&hub).await, 3);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_case_that_comes_again_with_tokens_under_a_next_key_is_the_same_at_the_same_revision() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, welcome) = agent.open(&hub).await;
    assert_eq!(welcome.next_token_key_id, 0, "this hub asks for none");
    stream.send(1, vec![case("C1")]).await;
    stream.acked(1).await;
    let mut again = case("C1");
    again.0.next_tokens = Some(NextTokens {
        key_id: 2,
        parties: vec![PartyTokens {
            identifier: vec![8; 16],
            ..PartyTokens::default()
        }],
        ..NextTokens::default()
    });
    let newer = Case(again.0.clone()).revision(2).fee(7);
    stream.send(2, vec![again]).await;
    let ack = stream.ack().await;
    assert_eq!((ack.committed_sequence, ack.rejects.len()), (2, 0));
    let pool = &hub.db.pool;
    assert_eq!(count(pool, "SELECT count(*) FROM case_history").await, 0);
    assert_eq!(count(pool, "SELECT count(*) FROM notice").await, 0);
    stream.send(3, vec![newer]).await;
    stream.acked(3).await;
    let newest = "SELECT revision FROM case_record WHERE fee_charged_fen = 7";
    assert_eq!(count(pool, newest).await, 2);
    let by_the_present =
        "SELECT count(*) FROM party WHERE id_token = '\\x08080808080808080808080808080808'";
    assert_eq!(count(pool, by_the_present).await, 0);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_agent_that_never_saw_its_ack_sends_again_and_nothing_happens_twice() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let sent = || vec![case("C1"), case("C1").revision(2).fee(7), case("C2")];
    let (stream, _) = agent.open(&hub).await;
    stream.send(1, sent()).await;
    until(&hub.db.pool, "SELECT count(*) FROM case_record", 2).await;
    // The connection breaks between the commit and the ack.
    drop(stream);
    let (mut stream, _) = agent.open(&hub).await;
    stream.send(1, sent()).await;
    stream.acked(3).await;
    let history = count(&hub.db.pool, "SELECT count(*) FROM case_history").await;
    assert_eq!((cases(&hub).await, history), (2, 1));
    let verified = verify(&hub.db.pool, &Calendar::builtin()).await.unwrap();
    assert!(verified.differences.is_empty());
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_gap_is_answered_with_the_sequence_to_go_back_to() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, _) = agent.open(&hub).await;
    stream.send(1, vec![case("C1")]).await;
    stream.acked(1).await;
    stream.send(4, vec![case("C4")]).await;
    stream.send(5, vec![case("C5")]).await;
    match stream.hear().await.unwrap() {
        Message::Resend(resend) => assert_eq!(resend.from_sequence, 2),
        other => panic!("no resend: {other:?}"),
    }
    stream
        .send(2, (2..=5).map(|n| case(&format!("C{n}"))).collect())
        .await;
    stream.acked(5).await;
    assert_eq!(cases(&hub).await, 5);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_position_lost_by_the_hub_is_asked_for_again() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, _) = agent.open(&hub).await;
    stream.send(1, vec![case("C1"), case("C2")]).await;
    stream.acked(2).await;
    // As after a restore under an open stream.
    sqlx::query("UPDATE sync_position SET committed_sequence = 0")
        .execute(&hub.db.pool)
        .await
        .unwrap();
    stream.send(3, vec![case("C3")]).await;
    match stream.hear().await.unwrap() {
        Message::Resend(resend) => assert_eq!(resend.from_sequence, 1),
        other => panic!("no resend: {other:?}"),
    }
    stream
        .send(1, vec![case("C1"), case("C2"), case("C3")])
        .await;
    stream.acked(3).await;
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_poison_record_is_named_in_the_ack_and_the_others_go_on() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, _) = agent.open(&hub).await;
    let mut poison = case("C2");
    poison.0.parties[0].name = "x".repeat(201);
    let records: Vec<_> = vec![
        case("C1").into(),
        poison.into(),
        refused("C3", "DATE_ILLEGAL"),
    ];
    stream.send(1, records).await;
    let ack = stream.ack().await;
    assert_eq!(ack.committed_sequence, 3);
    let [reject] = ack.rejects.as_slice() else {
        panic!("one reject: {:?}", ack.rejects);
    };
    assert_eq!((reject.sequence, reject.source_case_id.as_str()), (2, "C2"));
    assert_eq!(reject.rule_id, "FIELD_INVALID");
    assert_eq!(reject.field, "parties[0].name");
    assert!(reject.message_zh.contains("更正"));
    assert_eq!(cases(&hub).await, 1);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_record_without_a_key_is_named_by_its_sequence_until_the_next_epoch() {
    const OPEN: &str = "SELECT count(*) FROM reject WHERE resolved_at IS NULL";
    let hub = Hub::start().await;
    let mut agent = Agent::enrol(&hub, "hzgl").await;
    let mut poison = case("C2");
    poison.0.parties[0].name = "x".repeat(201);
    let (mut stream, _) = agent.open(&hub).await;
    stream.send(1, vec![case(""), poison]).await;
    let rejects = stream.ack().await.rejects;
    let named: Vec<_> = rejects
        .iter()
        .map(|reject| (reject.sequence, reject.source_case_id.as_str()))
        .collect();
    assert_eq!(named, [(1, ""), (2, "C2")]);
    agent.open(&hub).await;
    assert_eq!(count(&hub.db.pool, OPEN).await, 2, "the same epoch");
    agent.epoch = Uuid::now_v7();
    agent.open(&hub).await;
    let left = "SELECT count(*) FROM reject WHERE resolved_at IS NULL AND record_key = 'C2'";
    assert_eq!(count(&hub.db.pool, OPEN).await, 1);
    assert_eq!(count(&hub.db.pool, left).await, 1);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_was_refused_is_told_again_at_the_next_greeting_for_the_ack_may_be_lost() {
    let hub = Hub::start().await;
    let mut agent = Agent::enrol(&hub, "hzgl").await;
    let poison = |id: &str| {
        let mut poison = case(id);
        poison.0.parties[0].name = "x".repeat(201);
        poison
    };
    let (stream, _) = agent.open(&hub).await;
    stream
        .send(1, vec![poison("C1"), case(""), poison("C3"), case("C4")])
        .await;
    until(&hub.db.pool, "SELECT count(*) FROM reject", 3).await;
    // The connection breaks between the commit and the ack.
    drop(stream);
    let (mut stream, welcome) = agent.open(&hub).await;
    let ack = stream.ack().await;
    assert_eq!((welcome.committed_sequence, ack.committed_sequence), (4, 4));
    assert!(ack.rejects[0].message_zh.contains("更正"));
    let told: Vec<_> = ack.rejects.iter().map(told).collect();
    assert_eq!(
        told,
        [
            (1, "C1", "parties[0].name"),
            (2, "", "source_case_id"),
            (3, "C3", "parties[0].name")
        ]
    );
    stream.send(5, vec![case("C1")]).await;
    stream.acked(5).await;
    let (mut stream, _) = agent.open(&hub).await;
    let ack = stream.ack().await;
    let left: Vec<_> = ack.rejects.iter().map(|one| one.sequence).collect();
    assert_eq!(left, [2, 3], "a good record has settled the first");
    agent.epoch = Uuid::now_v7();
    let (mut stream, _) = agent.open(&hub).await;
    stream.send(1, vec![case("C4")]).await;
    let ack = stream.ack().await;
    assert_eq!(
        (ack.committed_sequence, ack.rejects.len()),
        (1, 0),
        "of another epoch"
    );
    hub.app.stop().await.unwrap();
}

fn told(reject: &RecordReject) -> (u64, &str, &str) {
    (reject.sequence, &reject.source_case_id, &reject.field)
}

#[tokio::test]
async fn an_empty_batch_is_acknowledged_where_the_feed_is() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, _) = agent.open(&hub).await;
    stream.send(1, vec![case("C1")]).await;
    stream.send(2, Vec::<Case>::new()).await;
    stream.acked(1).await;
    let caught_up = "SELECT count(*) FROM sync_position WHERE caught_up_at = committed_at";
    until(&hub.db.pool, caught_up, 1).await;
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_agent_that_has_nothing_more_to_say_still_gets_its_acks() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (stream, _) = agent.open(&hub).await;
    let holder = hold(&hub.db.pool).await;
    stream.send(1, vec![case("C1")]).await;
    writers_wait(&hub.db, 1).await;
    let mut rest = stream.finish();
    holder.rollback().await.unwrap();
    let mut acked = 0;
    while let Some(response) = rest.message().await.unwrap() {
        if let Some(Message::Ack(ack)) = response.message {
            acked = ack.committed_sequence;
        }
    }
    assert_eq!(acked, 1);
    hub.app.stop().await.unwrap();
}
