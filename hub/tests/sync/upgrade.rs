//! An agent of a neighbouring version at this hub: what it says more is left aside, what it says less is not missed.

use notary_proto::hub::v1 as wire;
use prost::Message;
use tokio_stream::StreamExt;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Request, Streaming};
use tonic_prost::ProstCodec;
use wire::sync_response::Message as Said;

use crate::agent::{Agent, cases, count};
use crate::record::{Case, case};
use crate::support::hub::Hub;

const SYNC: &str = "/notary.hub.v1.SyncService/Sync";

/// The stream's messages with their parts as bytes: the wire does not tell them from messages.
#[derive(Clone, PartialEq, Message)]
struct SyncRequest {
    #[prost(bytes = "vec", optional, tag = "1")]
    hello: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    batch: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct Batch {
    #[prost(uint64, tag = "1")]
    first_sequence: u64,
    #[prost(bytes = "vec", repeated, tag = "2")]
    records: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct Record {
    #[prost(bytes = "vec", tag = "1")]
    case: Vec<u8>,
}

/// One field of each type that the wire knows, under numbers that this version does not know.
#[derive(Clone, PartialEq, Message)]
struct More {
    #[prost(uint64, tag = "1001")]
    number: u64,
    #[prost(fixed64, tag = "1002")]
    long: u64,
    #[prost(string, tag = "1003")]
    text: String,
    #[prost(fixed32, tag = "1004")]
    short: u32,
}

/// A message as a later version writes it.
fn later(message: &impl Message) -> Vec<u8> {
    let more = More {
        number: 7,
        long: 7,
        text: "more".to_owned(),
        short: 7,
    };
    [message.encode_to_vec(), more.encode_to_vec()].concat()
}

async fn said(
    hub: &Hub,
    agent: &Agent,
    messages: Vec<SyncRequest>,
) -> Streaming<wire::SyncResponse> {
    let mut client = tonic::client::Grpc::new(hub.agents(&agent.office));
    client.ready().await.unwrap();
    // Stays open behind them.
    let messages = tokio_stream::iter(messages).chain(tokio_stream::pending());
    let codec = ProstCodec::<SyncRequest, wire::SyncResponse>::default();
    let path = PathAndQuery::from_static(SYNC);
    let answer = client.streaming(Request::new(messages), path, codec).await;
    answer.unwrap().into_inner()
}

async fn next(answers: &mut Streaming<wire::SyncResponse>) -> Said {
    loop {
        match answers.message().await.unwrap().unwrap().message.unwrap() {
            Said::Notice(_) => {}
            other => return other,
        }
    }
}

#[tokio::test]
async fn what_a_later_agent_says_more_is_left_aside() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let Case(sent) = case("C1");
    let record = Record { case: later(&sent) };
    let batch = Batch {
        first_sequence: 1,
        records: vec![later(&record)],
    };
    let hello = SyncRequest {
        hello: Some(later(&agent.hello())),
        batch: None,
    };
    let batch = SyncRequest {
        hello: None,
        batch: Some(later(&batch)),
    };
    let mut answers = said(&hub, &agent, vec![hello, batch]).await;
    assert!(matches!(next(&mut answers).await, Said::Welcome(_)));
    match next(&mut answers).await {
        Said::Ack(ack) => assert_eq!((ack.committed_sequence, ack.rejects.len()), (1, 0)),
        other => panic!("no ack: {other:?}"),
    }
    drop(answers);
    assert_eq!(cases(&hub).await, 1);
    // The same record without the additions is the same content.
    let (mut stream, welcome) = agent.open(&hub).await;
    assert_eq!(welcome.committed_sequence, 1);
    let mut again = Case(sent);
    again.0.revision = 2;
    stream.send(2, vec![again]).await;
    stream.acked(2).await;
    let replaced = "SELECT count(*) FROM case_history";
    assert_eq!(count(&hub.db.pool, replaced).await, 0);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_an_earlier_agent_does_not_say_is_not_missed() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    // Fields that are needed, and no other.
    let hello = wire::Hello {
        epoch: agent.epoch.to_string(),
        office_id: agent.office_id.clone(),
        ..wire::Hello::default()
    };
    let Case(of_tests) = case("C1");
    let least = wire::CaseRecord {
        source_case_id: of_tests.source_case_id,
        revision: 1,
        state: of_tests.state,
        matter_type: of_tests.matter_type,
        foreign_relation: of_tests.foreign_relation,
        applied_day: of_tests.applied_day,
        accepted_day: of_tests.accepted_day,
        parties: of_tests.parties,
        ..wire::CaseRecord::default()
    };
    let mut stream = agent.connect(&hub).await;
    stream.greet(hello).await;
    assert!(matches!(stream.hear().await.unwrap(), Said::Welcome(_)));
    let rejected = wire::RejectedRecord {
        source_case_id: "C2".to_owned(),
        rule_id: "RULE_OF_ANOTHER_VERSION".to_owned(),
        ..wire::RejectedRecord::default()
    };
    stream.send(1, vec![Case(least)]).await;
    assert_eq!(stream.ack().await.rejects, Vec::new());
    let payload = Some(wire::record::Payload::Rejected(rejected));
    stream.send(2, vec![wire::Record { payload }]).await;
    stream.acked(2).await;
    assert_eq!(cases(&hub).await, 1);
    let open = "SELECT count(*) FROM reject WHERE resolved_at IS NULL";
    assert_eq!(count(&hub.db.pool, open).await, 1);
    hub.app.stop().await.unwrap();
}
