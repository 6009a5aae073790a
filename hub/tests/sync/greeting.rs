//! What a stream must begin with.

use notary_hub::store;
use notary_proto::hub::v1::{Batch, Hello, sync_request};
use tonic::Code;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::agent::{Agent, count};
use crate::record::case;
use crate::support::hub::{Hub, reason};
use crate::support::metrics;

#[tokio::test]
async fn the_first_message_must_be_hello_and_hello_comes_once() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let mut stream = agent.connect(&hub).await;
    stream.send(1, vec![case("C1")]).await;
    assert_eq!(reason(&stream.end().await), "PROTOCOL_VIOLATION");
    let (mut stream, _) = agent.open(&hub).await;
    stream.greet(agent.hello()).await;
    assert_eq!(reason(&stream.end().await), "PROTOCOL_VIOLATION");
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_agent_that_speaks_for_another_office_has_no_effect_and_raises_the_alarm() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "mismatched").await;
    let other = Agent::enrol(&hub, "hzqt").await;
    let mut stream = agent.connect(&hub).await;
    stream.greet(other.hello()).await;
    stream.send(1, vec![case("C1")]).await;
    let status = stream.end().await;
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::PermissionDenied, "OFFICE_MISMATCH")
    );
    for effect in [
        "SELECT count(*) FROM sync_position",
        "SELECT count(*) FROM case_record",
    ] {
        assert_eq!(count(&hub.db.pool, effect).await, 0);
    }
    let alarm = "notary_hub_office_mismatches_total{office=\"mismatched\"} 1";
    let metrics = metrics(&hub).await;
    assert!(metrics.contains(alarm), "{metrics}");
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_greeting_that_cannot_be_used_names_its_field() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let bad = [
        (
            "hello.epoch",
            Hello {
                epoch: Uuid::new_v4().to_string(),
                ..agent.hello()
            },
        ),
        (
            "hello.epoch",
            Hello {
                epoch: in_days(2).to_string(),
                ..agent.hello()
            },
        ),
        (
            "hello.last_sequence",
            Hello {
                last_sequence: u64::MAX,
                ..agent.hello()
            },
        ),
        (
            "hello.agent_version",
            Hello {
                agent_version: "\0".to_owned(),
                ..agent.hello()
            },
        ),
        (
            "hello.next_token_key_id",
            Hello {
                next_token_key_id: u32::MAX,
                ..agent.hello()
            },
        ),
    ];
    for (field, hello) in bad {
        let mut stream = agent.connect(&hub).await;
        stream.greet(hello).await;
        let status = stream.end().await;
        assert_eq!(reason(&status), "FIELD_INVALID");
        let details = status.get_error_details();
        let violations = &details.bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field);
    }
    let feeds = count(&hub.db.pool, "SELECT count(*) FROM sync_position").await;
    assert_eq!(feeds, 0, "a refused greeting leaves nothing");
    // What the wrong clock made does not stand in the way of what the right one makes.
    agent.open(&hub).await;
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_an_agent_says_that_waits_is_no_more_than_can_be_reckoned_with() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let waiting = async || count(&hub.db.pool, "SELECT backlog FROM sync_position").await;
    for _ in 0..2 {
        let mut stream = agent.connect(&hub).await;
        let last_sequence = i64::MAX.unsigned_abs();
        stream
            .greet(Hello {
                last_sequence,
                ..agent.hello()
            })
            .await;
        stream.welcomed().await;
        assert_eq!(waiting().await, 1 << 40);
    }
    let (mut stream, _) = agent.open(&hub).await;
    let batch = Batch {
        first_sequence: 1,
        records: vec![case("C1").into()],
        backlog: u64::MAX,
    };
    stream.say(sync_request::Message::Batch(batch)).await;
    stream.ack().await;
    assert_eq!(waiting().await, 1 << 40);
    hub.app.stop().await.unwrap();
}

/// An epoch made by a clock that is so far ahead.
fn in_days(days: i64) -> Uuid {
    let at = time::OffsetDateTime::now_utc() + time::Duration::days(days);
    let seconds = at.unix_timestamp().cast_unsigned();
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, 0))
}

#[tokio::test]
async fn an_older_epoch_is_stale_at_the_greeting_and_while_a_stream_is_open() {
    let hub = Hub::start().await;
    let older = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, _) = older.open(&hub).await;
    let newer = Uuid::now_v7();
    // Another hub has opened a stream of the rebuilt outbox.
    sqlx::query("UPDATE sync_position SET epoch = $1")
        .bind(newer)
        .execute(&hub.db.pool)
        .await
        .unwrap();
    stream.send(1, vec![case("C1")]).await;
    assert_eq!(reason(&stream.end().await), "EPOCH_STALE");
    let mut stream = older.connect(&hub).await;
    stream.greet(older.hello()).await;
    assert_eq!(reason(&stream.end().await), "EPOCH_STALE");
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn the_agents_clock_is_compared_with_the_hubs() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let behind = time::OffsetDateTime::now_utc() - time::Duration::hours(2);
    let mut stream = agent.connect(&hub).await;
    let sent_at = Some(prost_types::Timestamp {
        seconds: behind.unix_timestamp(),
        nanos: 0,
    });
    stream
        .greet(Hello {
            sent_at,
            ..agent.hello()
        })
        .await;
    stream.hear().await.unwrap();
    let skew = count(
        &hub.db.pool,
        "SELECT clock_skew_ms / 60000 FROM sync_position",
    )
    .await;
    assert!((-125..=-115).contains(&skew), "{skew} minutes");
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_an_agent_says_of_the_next_token_key_is_known_of_its_office() {
    let hub = Hub::start().await;
    let pool = &hub.db.pool;
    let mut agents = Vec::new();
    for (office, next_token_key_id) in [("hzgl", 2), ("hzqt", 0), ("hzxh", 3)] {
        let agent = Agent::enrol(&hub, office).await;
        let mut stream = agent.connect(&hub).await;
        let hello = Hello {
            next_token_key_id,
            ..agent.hello()
        };
        stream.greet(hello).await;
        stream.hear().await.unwrap();
        agents.push((agent, stream));
    }
    let has = async || {
        let offices = store::token_key::offices(pool, 2).await.unwrap();
        let has = offices.iter().map(|office| office.has_next);
        has.collect::<Vec<_>>()
    };
    assert_eq!(has().await, [true, false, false]);
    // An agent that was told that it is taken back.
    let mut stream = agents[0].0.connect(&hub).await;
    stream.greet(agents[0].0.hello()).await;
    stream.hear().await.unwrap();
    assert_eq!(has().await, [false, false, false]);
    store::office::revoke(pool, "hzgl".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(has().await.len(), 2, "a revoked office has no part in it");
    hub.app.stop().await.unwrap();
}
