//! Notices reach the offices they are for.

use std::time::Duration;

use notary_proto::hub::v1::sync_response::Message;
use notary_proto::hub::v1::{Notice, NoticeKind, PartyRole};

use crate::agent::{Agent, Stream};
use crate::record::{Case, case, person};
use crate::support::hub::Hub;

fn inheritance(source_case_id: &str) -> Case {
    case(source_case_id)
        .matter("inheritance")
        .parties(vec![person(PartyRole::Decedent, 9)])
}

async fn notice(stream: &mut Stream) -> Notice {
    loop {
        match stream.hear().await.unwrap() {
            Message::Notice(notice) => return notice,
            Message::Ack(_) => {}
            other => panic!("no notice: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_duplicate_is_told_to_both_offices_each_about_its_own_case() {
    let hub = Hub::start().await;
    let (one, two) = (
        Agent::enrol(&hub, "hzgl").await,
        Agent::enrol(&hub, "hzqt").await,
    );
    let (mut first, _) = one.open(&hub).await;
    let (mut second, _) = two.open(&hub).await;
    first.send(1, vec![inheritance("A")]).await;
    first.acked(1).await;
    second.send(1, vec![inheritance("B")]).await;
    for (stream, own_case) in [(&mut first, "A"), (&mut second, "B")] {
        let notice = notice(stream).await;
        assert_eq!(notice.kind(), NoticeKind::DuplicateFound);
        assert_eq!(notice.source_case_id, own_case);
        assert!(!notice.text_zh.is_empty() && !notice.text_zh.contains("张三"));
    }
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_notice_is_told_once_on_a_stream_and_again_on_the_next_one() {
    let hub = Hub::start().await;
    let (one, two) = (
        Agent::enrol(&hub, "hzgl").await,
        Agent::enrol(&hub, "hzqt").await,
    );
    let (mut first, _) = one.open(&hub).await;
    first.send(1, vec![inheritance("A")]).await;
    first.acked(1).await;
    let (second, _) = two.open(&hub).await;
    second.send(1, vec![inheritance("B")]).await;
    let told = notice(&mut first).await;
    let again = tokio::time::timeout(Duration::from_secs(5), notice(&mut first)).await;
    assert!(again.is_err(), "told twice on one stream");
    drop(first);
    let (mut next, _) = one.open(&hub).await;
    assert_eq!(notice(&mut next).await.notice_id, told.notice_id);
    hub.app.stop().await.unwrap();
}
