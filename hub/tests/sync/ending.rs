//! How streams end that their agents did not end.

use std::time::Duration;

use notary_hub::store;
use tokio::net::TcpStream;
use tonic::Code;
use tonic_types::StatusExt;

use crate::agent::{Agent, cases, hold, taken_over_elsewhere, writers_wait};
use crate::record::case;
use crate::support::hub::{Hub, reason};

#[tokio::test]
async fn a_second_stream_of_an_office_replaces_the_first() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut first, _) = agent.open(&hub).await;
    let (mut second, _) = agent.open(&hub).await;
    let status = first.end().await;
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::Aborted, "STREAM_REPLACED")
    );
    second.send(1, vec![case("C1")]).await;
    second.acked(1).await;
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_stream_at_another_hub_replaces_the_one_here() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, _) = agent.open(&hub).await;
    taken_over_elsewhere(&hub, &agent).await;
    assert_eq!(reason(&stream.end().await), "STREAM_REPLACED");
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn revocation_cuts_an_open_stream_within_five_seconds_and_says_why() {
    let hub = Hub::start().await;
    let revoked = Agent::enrol(&hub, "hzgl").await;
    let other = Agent::enrol(&hub, "hzqt").await;
    let (mut cut, _) = revoked.open(&hub).await;
    let (mut going_on, _) = other.open(&hub).await;
    cut.send(1, vec![case("C1")]).await;
    cut.acked(1).await;
    store::office::revoke(&hub.db.pool, "hzgl".parse().unwrap())
        .await
        .unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), cut.end()).await;
    assert_eq!(reason(&ended.expect("cut in time")), "OFFICE_REVOKED");
    going_on.send(1, vec![case("C1")]).await;
    going_on.acked(1).await;
    assert_eq!(cases(&hub).await, 2);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_stopping_hub_acknowledges_what_it_took_before_it_goes() {
    let hub = Hub::with("limits.drain = '20s'").await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, _) = agent.open(&hub).await;
    let holder = hold(&hub.db.pool).await;
    stream.send(1, vec![case("C1")]).await;
    writers_wait(&hub.db, 1).await;
    let agents = hub.app.addresses().agents;
    let stopping = tokio::spawn(hub.app.stop());
    // Draining has begun when the door is shut.
    while TcpStream::connect(agents).await.is_ok() {
        tokio::task::yield_now().await;
    }
    holder.rollback().await.unwrap();
    assert_eq!(stream.ack().await.committed_sequence, 1);
    let status = stream.end().await;
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::Unavailable, "DRAINING")
    );
    stopping.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_old_connection_sends_its_stream_on() {
    let hub = Hub::with("limits.connection_age = '1s'").await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, _) = agent.open(&hub).await;
    stream.send(1, vec![case("C1")]).await;
    stream.acked(1).await;
    assert_eq!(reason(&stream.end().await), "DRAINING");
    let (_, welcome) = agent.open(&hub).await;
    assert_eq!(welcome.committed_sequence, 1);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_office_whose_feed_cannot_be_read_is_told_to_come_back_and_the_others_go_on() {
    let hub = Hub::with("ingest.writers = 1").await;
    let damaged = Agent::enrol(&hub, "hzgl").await;
    let other = Agent::enrol(&hub, "hzqt").await;
    let (mut held_up, _) = damaged.open(&hub).await;
    let (mut going_on, _) = other.open(&hub).await;
    let position = "UPDATE sync_position SET committed_sequence = $1 WHERE office_id = 'hzgl'";
    let set = async |sequence: i64| {
        let set = sqlx::query(position).bind(sequence);
        set.execute(&hub.db.pool).await.unwrap();
    };
    set(-1).await;
    held_up.send(1, vec![case("C1")]).await;
    let status = held_up.end().await;
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::Internal, "INTERNAL")
    );
    let delay = status.get_error_details().retry_info().unwrap().retry_delay;
    assert_eq!(delay, Some(Duration::from_secs(60)));
    going_on.send(1, vec![case("C1")]).await;
    going_on.acked(1).await;
    set(0).await;
    let (mut stream, _) = damaged.open(&hub).await;
    stream.send(1, vec![case("C1")]).await;
    stream.acked(1).await;
    hub.app.stop().await.unwrap();
}
