use notary_proto::hub::v1::sync_response::Message;

use crate::support::agent::cases;
use crate::support::hub::welcome;
use crate::support::{Agent, Hub};

#[tokio::test]
async fn a_restored_hub_is_offered_everything_kept_under_a_new_epoch() {
    let mut hub = Hub::start().await;
    let mut agent = Agent::syncing(&hub, 4).await;
    let (mut stream, before) = hub.welcomed(0).await;
    stream.keys_until(4).await;
    agent.acked(4).await;
    drop(stream);
    let mut stream = hub.stream().await;
    stream.hello().await;
    let mut restored = welcome(2);
    restored.hub_epoch = "hub-2".to_owned();
    stream.send(Message::Welcome(restored.clone())).await;
    let mut stream = hub.stream().await;
    let after = stream.hello().await;
    assert!(after.epoch > before.epoch);
    restored.committed_sequence = 0;
    stream.send(Message::Welcome(restored)).await;
    assert_eq!(stream.keys_until(4).await, cases(0..4));
    agent.acked(4).await;
}

#[tokio::test]
async fn a_restored_outbox_does_not_use_sequences_twice() {
    let mut hub = Hub::start().await;
    let _agent = Agent::syncing(&hub, 2).await;
    // The hub has more of this epoch than the outbox ever gave out: the outbox is an older copy.
    let (_, before) = hub.welcomed(5).await;
    let (mut stream, after) = hub.welcomed(0).await;
    assert!(after.epoch > before.epoch);
    assert_eq!(stream.keys_until(2).await, cases(0..2));
}

#[tokio::test]
async fn a_restored_outbox_that_has_read_on_before_it_connects_loses_nothing() {
    let mut hub = Hub::start().await;
    // The hub has five records of this epoch, and this copy of the outbox never offered one: its first five are others.
    let _agent = Agent::syncing(&hub, 7).await;
    let (_, before) = hub.welcomed(5).await;
    let (mut stream, after) = hub.welcomed(0).await;
    assert!(after.epoch > before.epoch);
    assert_eq!(stream.keys_until(7).await, cases(0..7));
}
