//! The agent at a hub of a neighbouring version: what it says more is left aside, what it says less is not missed.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{self, Stream, StreamExt};
use notary_proto::hub::v1 as wire;
use prost::Message;
use tonic::server::{NamedService, StreamingService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use wire::sync_response::Message as Said;
use wire::sync_service_server::SyncService;

use crate::support::agent::cases;
use crate::support::hub::{Service, welcome};
use crate::support::{Agent, Hub};

/// The hub's messages with their parts as bytes: the wire does not tell them from messages.
#[derive(Clone, PartialEq, Message)]
struct SyncResponse {
    #[prost(bytes = "vec", optional, tag = "1")]
    welcome: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    ack: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    notice: Option<Vec<u8>>,
    /// A kind of message that this version does not know.
    #[prost(bytes = "vec", optional, tag = "15")]
    later: Option<Vec<u8>>,
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
fn more(message: &impl Message) -> Option<Vec<u8>> {
    let more = More {
        number: 7,
        long: 7,
        text: "more".to_owned(),
        short: 7,
    };
    Some([message.encode_to_vec(), more.encode_to_vec()].concat())
}

/// What the test's hub says as a later version says it, and something new with it.
fn in_later_words(response: wire::SyncResponse) -> [SyncResponse; 2] {
    let mut said = SyncResponse::default();
    match response.message {
        Some(Said::Welcome(welcome)) => said.welcome = more(&welcome),
        Some(Said::Ack(ack)) => said.ack = more(&ack),
        Some(Said::Notice(notice)) => said.notice = more(&notice),
        other => panic!("not said in these tests: {other:?}"),
    }
    let news = SyncResponse {
        later: Some(b"news".to_vec()),
        ..SyncResponse::default()
    };
    [said, news]
}

#[derive(Clone)]
struct Later(Service);

impl NamedService for Later {
    const NAME: &'static str = "notary.hub.v1.SyncService";
}

impl StreamingService<wire::SyncRequest> for Later {
    type Response = SyncResponse;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<SyncResponse, Status>> + Send>>;
    type Future =
        Pin<Box<dyn Future<Output = Result<Response<Self::ResponseStream>, Status>> + Send>>;

    fn call(&mut self, request: Request<Streaming<wire::SyncRequest>>) -> Self::Future {
        let hub = self.0.clone();
        Box::pin(async move {
            let said = hub.sync(request).await?.into_inner();
            let later = said.flat_map(|said| {
                let said = said.map(in_later_words);
                stream::iter(match said {
                    Ok(said) => said.map(Ok).to_vec(),
                    Err(status) => vec![Err(status)],
                })
            });
            Ok(Response::new(Box::pin(later) as Self::ResponseStream))
        })
    }
}

impl tower::Service<http::Request<tonic::body::Body>> for Later {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let later = self.clone();
        Box::pin(async move {
            let codec = ProstCodec::<SyncResponse, wire::SyncRequest>::default();
            Ok(tonic::server::Grpc::new(codec)
                .streaming(later, request)
                .await)
        })
    }
}

#[tokio::test]
async fn what_a_later_hub_says_more_is_left_aside() {
    let mut hub = Hub::speaking("localhost", Later).await;
    let mut agent = Agent::syncing(&hub, 4).await;
    let (mut stream, _) = hub.welcomed(0).await;
    let notice = wire::Notice {
        notice_id: "n-1".to_owned(),
        // Of a kind that this version does not know.
        kind: 4711,
        text_zh: "新的通知。".to_owned(),
        ..wire::Notice::default()
    };
    stream.send(Said::Notice(notice)).await;
    assert_eq!(stream.keys_until(4).await, cases(0..4));
    agent.acked(4).await;
    let notices = agent.outbox.summary().await.unwrap().notices;
    assert_eq!(notices[0].text_zh, "新的通知。");
}

#[tokio::test]
async fn what_an_earlier_hub_does_not_say_is_not_missed() {
    let mut hub = Hub::start().await;
    let mut agent = Agent::syncing(&hub, 3).await;
    let mut stream = hub.stream().await;
    stream.hello().await;
    let known = welcome(0);
    let least = wire::Welcome {
        token_key_id: known.token_key_id,
        token_algorithm: known.token_algorithm,
        ..wire::Welcome::default()
    };
    stream.send(Said::Welcome(least)).await;
    assert_eq!(stream.keys_until(3).await, cases(0..3));
    agent.acked(3).await;
    let position = agent.outbox.position().await.unwrap();
    assert_eq!(position.hub_epoch, "");
}
