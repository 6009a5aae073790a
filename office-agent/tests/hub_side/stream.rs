use std::collections::HashMap;
use std::time::{Duration, Instant};

use notary_proto::hub::v1::sync_response::Message;
use notary_proto::hub::v1::{Notice, NoticeKind, Pause, RecordReject, Resend};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::support::agent::{cases, keys};
use crate::support::hub::welcome;
use crate::support::{Agent, Hub};

pub fn refusal(code: Code, reason: &str, zh: &str) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, "notary-hub", HashMap::new());
    details.set_localized_message("zh-CN", zh);
    Status::with_error_details(code, "refused", details)
}

#[tokio::test]
async fn everything_goes_out_in_order_and_what_comes_later_follows() {
    let mut hub = Hub::start().await;
    let mut agent = Agent::syncing(&hub, 7).await;
    let (mut stream, hello) = hub.welcomed(0).await;
    assert_eq!((hello.office_id.as_str(), hello.last_sequence), ("hzgl", 7));
    assert_eq!(stream.keys_until(7).await, cases(0..7));
    agent.acked(7).await;
    agent.put(7..9).await;
    assert_eq!(stream.keys_until(9).await, cases(7..9));
    agent.acked(9).await;
    assert_eq!(agent.outbox.backlog().await.unwrap(), 0);
}

#[tokio::test]
async fn a_batch_says_what_waits_behind_it_and_keeps_the_hubs_limits() {
    let mut hub = Hub::start().await;
    let _agent = Agent::syncing(&hub, 4).await;
    let (mut stream, _) = hub.welcomed(0).await;
    let first = stream.batch().await;
    assert_eq!(
        (first.first_sequence, first.records.len(), first.backlog),
        (1, 3, 1)
    );
    let second = stream.batch().await;
    assert_eq!(
        (second.first_sequence, second.records.len(), second.backlog),
        (4, 1, 0)
    );
}

#[tokio::test]
async fn an_acknowledgement_lost_after_commit_costs_nothing() {
    let mut hub = Hub::start().await;
    let mut agent = Agent::syncing(&hub, 5).await;
    let (mut stream, _) = hub.welcomed(0).await;
    assert_eq!(stream.batch().await.records.len(), 3);
    // Committed; but the stream breaks before the agent hears of it.
    drop(stream);
    let (mut stream, _) = hub.welcomed(3).await;
    assert_eq!(
        stream.keys_until(5).await,
        cases(3..5),
        "what is committed is not sent again"
    );
    agent.acked(5).await;
}

#[tokio::test]
async fn what_was_not_committed_before_the_hub_restarted_is_sent_again() {
    let mut hub = Hub::start().await;
    let mut agent = Agent::syncing(&hub, 5).await;
    let (mut stream, _) = hub.welcomed(0).await;
    stream.batch().await;
    stream.ack(3).await;
    agent.acked(3).await;
    stream.batch().await;
    stream.end(refusal(Code::Unavailable, "DRAINING", "")).await;
    let (mut stream, _) = hub.welcomed(3).await;
    assert_eq!(stream.keys_until(5).await, cases(3..5));
    agent.acked(5).await;
}

#[tokio::test]
async fn the_hub_can_ask_for_records_again() {
    let mut hub = Hub::start().await;
    let mut agent = Agent::syncing(&hub, 6).await;
    let (mut stream, _) = hub.welcomed(0).await;
    stream.batch().await;
    stream.batch().await;
    stream
        .send(Message::Resend(Resend { from_sequence: 2 }))
        .await;
    let again = stream.batch().await;
    assert_eq!((again.first_sequence, keys(&again)), (2, cases(1..4)));
    stream.ack(4).await;
    assert_eq!(stream.keys_until(6).await, cases(4..6));
    agent.acked(6).await;
}

#[tokio::test]
async fn a_pause_is_kept() {
    let mut hub = Hub::start().await;
    let agent = Agent::syncing(&hub, 0).await;
    let (mut stream, _) = hub.welcomed(0).await;
    let begun = Instant::now();
    let pause = Duration::from_millis(400);
    let retry_after = Some(pause.try_into().unwrap());
    stream.send(Message::Pause(Pause { retry_after })).await;
    // The notice behind the pause shows that the pause has arrived.
    stream.send(Message::Notice(notice())).await;
    while agent.outbox.summary().await.unwrap().notices.is_empty() {
        tokio::task::yield_now().await;
    }
    agent.put(0..1).await;
    stream.batch().await;
    assert!(begun.elapsed() >= pause);
}

fn notice() -> Notice {
    Notice {
        notice_id: "n-1".to_owned(),
        kind: NoticeKind::DuplicateFound.into(),
        source_case_id: "case-0".to_owned(),
        text_zh: "另一公证处已受理同一事项。".to_owned(),
        created_at: None,
    }
}

#[tokio::test]
async fn what_the_hub_refuses_is_kept_with_its_words_and_the_rest_goes_on() {
    let mut hub = Hub::start().await;
    let mut agent = Agent::syncing(&hub, 4).await;
    let (mut stream, _) = hub.welcomed(0).await;
    stream.batch().await;
    let reject = RecordReject {
        sequence: 2,
        source_case_id: "case-1".to_owned(),
        rule_id: "FIELD_INVALID".to_owned(),
        field: "matter_type".to_owned(),
        message_zh: "事项代码不在目录中。".to_owned(),
    };
    stream.ack_but(3, vec![reject]).await;
    assert_eq!(stream.keys_until(4).await, cases(3..4));
    agent.acked(4).await;
    let rejects = agent.outbox.summary().await.unwrap().rejects;
    assert_eq!(rejects.len(), 1);
    assert_eq!(rejects[0].source_case_id, "case-1");
    assert_eq!(rejects[0].message_zh, "事项代码不在目录中。");
}

#[tokio::test]
async fn what_the_hub_refused_is_kept_also_when_it_is_told_after_the_next_welcome() {
    let mut hub = Hub::start().await;
    let mut agent = Agent::syncing(&hub, 3).await;
    let (mut stream, _) = hub.welcomed(0).await;
    stream.batch().await;
    // Committed and refused; but the stream breaks before the agent hears of it.
    drop(stream);
    let (mut stream, _) = hub.welcomed(3).await;
    let reject = RecordReject {
        sequence: 2,
        source_case_id: "case-1".to_owned(),
        rule_id: "FIELD_INVALID".to_owned(),
        ..RecordReject::default()
    };
    stream.ack_but(3, vec![reject]).await;
    agent.put(3..4).await;
    assert_eq!(stream.keys_until(4).await, cases(3..4));
    stream.ack(4).await;
    agent.acked(4).await;
    let rejects = agent.outbox.summary().await.unwrap().rejects;
    assert_eq!(rejects.len(), 1);
    assert_eq!(rejects[0].source_case_id, "case-1");
}

#[tokio::test]
async fn a_stale_epoch_is_said_in_words_that_help() {
    let mut hub = Hub::start().await;
    let mut agent = Agent::syncing(&hub, 1).await;
    let stream = hub.stream().await;
    stream
        .end(refusal(
            Code::FailedPrecondition,
            "EPOCH_STALE",
            "请检查是否启用了旧的备份。",
        ))
        .await;
    let (text, zh) = agent.error().await;
    assert!(
        text.contains("old copy") && text.contains("EPOCH_STALE"),
        "{text}"
    );
    assert_eq!(zh, "请检查是否启用了旧的备份。");
    assert_eq!(agent.outbox.backlog().await.unwrap(), 1);
}

#[tokio::test]
async fn an_epoch_from_the_future_is_said_to_come_from_a_wrong_clock() {
    let mut hub = Hub::start().await;
    let mut agent = Agent::syncing(&hub, 1).await;
    let mut details = ErrorDetails::with_error_info("FIELD_INVALID", "notary-hub", HashMap::new());
    details.add_bad_request_violation("hello.epoch", "made at most 24 hours ahead");
    details.set_localized_message("zh-CN", "请求中有缺失或不合规的字段，详见所列字段。");
    let status = Status::with_error_details(Code::InvalidArgument, "refused", details);
    hub.stream().await.end(status).await;
    let (text, zh) = agent.error().await;
    assert!(
        text.contains("clock is wrong") && text.contains("move the outbox away"),
        "{text}"
    );
    assert!(zh.contains("时钟") && zh.contains("校准"), "{zh}");
    assert_eq!(agent.outbox.backlog().await.unwrap(), 1);
}

#[tokio::test]
async fn nothing_is_sent_under_another_token_key() {
    let mut hub = Hub::start().await;
    let mut agent = Agent::syncing(&hub, 1).await;
    let mut stream = hub.stream().await;
    stream.hello().await;
    let mut other = welcome(0);
    other.token_key_id = 2;
    stream.send(Message::Welcome(other)).await;
    assert!(stream.is_left().await, "no batch came");
    let (text, _) = agent.error().await;
    assert!(
        text.contains("key 2") && text.contains("enrolled again"),
        "{text}"
    );
}

#[tokio::test]
async fn an_acknowledgement_of_what_was_never_sent_is_not_believed() {
    let mut hub = Hub::start().await;
    let mut agent = Agent::syncing(&hub, 2).await;
    let (mut stream, _) = hub.welcomed(0).await;
    stream.batch().await;
    stream.ack(9).await;
    let (text, _) = agent.error().await;
    assert!(text.contains("protocol"), "{text}");
    assert_eq!(agent.outbox.position().await.unwrap().acked, 0);
}

#[tokio::test]
async fn stopping_waits_for_what_is_on_its_way() {
    let mut hub = Hub::start().await;
    let agent = Agent::syncing(&hub, 2).await;
    let (mut stream, _) = hub.welcomed(0).await;
    stream.batch().await;
    agent.ask_to_stop();
    let outbox = agent.outbox.clone();
    stream.ack(2).await;
    agent.stopped().await;
    assert_eq!(outbox.position().await.unwrap().acked, 2);
}
