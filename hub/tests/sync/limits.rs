//! The bounds of a stream.

use std::time::Duration;

use notary_hub::sync::feed::{MAX_BATCH_BYTES, MAX_BATCH_RECORDS};
use notary_proto::hub::v1::Record;
use notary_proto::hub::v1::sync_response::Message;
use tokio::time::Instant;
use tonic::Code;

use crate::agent::{Agent, cases, hold, writers_wait};
use crate::record::{case, refused};
use crate::support::hub::{Hub, reason};

#[tokio::test]
async fn more_batches_than_the_window_end_the_stream() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, _) = agent.open(&hub).await;
    let holder = hold(&hub.db.pool).await;
    for sequence in 1..=9 {
        stream
            .send(sequence, vec![case(&format!("C{sequence}"))])
            .await;
    }
    let status = stream.end().await;
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::ResourceExhausted, "WINDOW_EXCEEDED")
    );
    holder.rollback().await.unwrap();
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_full_window_is_served() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, _) = agent.open(&hub).await;
    for sequence in 1..=8 {
        stream
            .send(sequence, vec![case(&format!("C{sequence}"))])
            .await;
    }
    stream.acked(8).await;
    assert_eq!(cases(&hub).await, 8);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_batch_of_too_many_records_or_bytes_is_refused() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let many = vec![refused("C1", "DATE_ILLEGAL"); MAX_BATCH_RECORDS + 1];
    let of_size = |bytes: usize| {
        let mut large = case("C1");
        large.0.notary_name = "x".repeat(bytes);
        vec![large.into()]
    };
    // The last one is beyond the largest message as well.
    for batch in [many, of_size(MAX_BATCH_BYTES), of_size(5 << 20)] {
        let (mut stream, _) = agent.open(&hub).await;
        stream.send(1, batch).await;
        let status = stream.end().await;
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::InvalidArgument, "BATCH_TOO_LARGE")
        );
    }
    assert_eq!(cases(&hub).await, 0);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn records_without_content_are_refused_before_they_are_made() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, _) = agent.open(&hub).await;
    stream.send(1, vec![Record::default(); 1 << 20]).await;
    let status = stream.end().await;
    assert_eq!(reason(&status), "BATCH_TOO_LARGE");
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_office_has_few_streams_at_once() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let mut streams = Vec::new();
    for _ in 0..4 {
        streams.push(agent.connect(&hub).await);
    }
    let refused = agent.try_connect(&hub).await.err().unwrap();
    assert_eq!(reason(&refused), "OVERLOADED");
    let other = Agent::enrol(&hub, "hzxh").await;
    other.open(&hub).await;
    streams.pop();
    let deadline = Instant::now() + Duration::from_secs(10);
    while agent.try_connect(&hub).await.is_err() {
        assert!(Instant::now() < deadline, "the place is free again");
    }
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn sequences_count_from_one_and_fit_the_database() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    for first in [0, i64::MAX as u64, u64::MAX] {
        let (mut stream, _) = agent.open(&hub).await;
        stream.send(first, vec![case("C1")]).await;
        assert_eq!(reason(&stream.end().await), "PROTOCOL_VIOLATION", "{first}");
    }
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_agent_whose_batch_finds_no_room_is_asked_to_wait_and_then_served() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, _) = agent.open(&hub).await;
    let holder = hold(&hub.db.pool).await;
    let batch = vec![refused("C1", "DATE_ILLEGAL"); MAX_BATCH_RECORDS];
    for at in 0..8 {
        stream
            .send(1 + at * MAX_BATCH_RECORDS as u64, batch.clone())
            .await;
    }
    writers_wait(&hub.db, 1).await;
    match stream.hear().await.unwrap() {
        Message::Pause(pause) => assert!(pause.retry_after.unwrap().seconds > 0),
        other => panic!("no pause: {other:?}"),
    }
    holder.rollback().await.unwrap();
    loop {
        match stream.hear().await.unwrap() {
            Message::Ack(ack) if ack.committed_sequence == 8 * MAX_BATCH_RECORDS as u64 => break,
            Message::Ack(_) | Message::Pause(_) => {}
            other => panic!("no ack: {other:?}"),
        }
    }
    hub.app.stop().await.unwrap();
}
