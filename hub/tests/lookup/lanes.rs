//! Look-ups come before sync: they have room and connections of their own.

use notary_proto::hub::v1::sync_service_client::SyncServiceClient;
use notary_proto::hub::v1::{
    DigestRequest, DriftFound, PartyRole, WatchMatterRequest, WatchMatterResponse,
};
use tokio::task::JoinSet;
use tonic::Code;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic_prost::ProstCodec;
use tonic_types::StatusExt;

use crate::notary::{Counter, about, who};
use crate::record::case;
use crate::support::hub::reason;

/// Unary calls of one office that the sync lane has room for, and as many as one connection takes.
const ROOM: usize = 64;

#[tokio::test]
async fn look_ups_answer_while_the_sync_of_the_same_office_has_no_room_left() {
    let counter = Counter::open().await;
    let hub = &counter.hub;
    counter.seed.office(hub, "hangzhou", vec![case("C1")]).await;
    // Nothing that touches the feed comes to its end.
    let mut holder = hub.db.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM sync_position FOR UPDATE")
        .execute(&mut *holder)
        .await
        .unwrap();
    let mut calls = JoinSet::new();
    let first = hub.agents(&counter.office);
    for nth in 0..ROOM + 1 {
        let channel = match nth {
            0..ROOM => first.clone(),
            _ => hub.agents(&counter.office),
        };
        let request = DigestRequest {
            months: Vec::new(),
            found: Some(DriftFound::default()),
        };
        calls.spawn(async move { SyncServiceClient::new(channel).digest(request).await });
    }
    // Whoever finds no room is told at once, and when to come back; the others wait.
    let refused = calls.join_next().await.unwrap().unwrap().unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
    assert_eq!(reason(&refused), "OVERLOADED");
    let details = refused.get_error_details();
    assert!(details.retry_info().unwrap().retry_delay.is_some());
    assert_eq!(calls.len(), ROOM);

    let question = about("inheritance", vec![who(PartyRole::Decedent, 1)], Vec::new());
    for _ in 0..20 {
        counter.answer(question.clone()).await;
    }
    assert!(calls.try_join_next().is_none(), "the sync still waits");
    holder.rollback().await.unwrap();
    drop(calls);
}

#[tokio::test]
async fn calls_whose_body_does_not_come_hold_nothing_that_look_ups_need() {
    let counter = Counter::open().await;
    let mut calls = JoinSet::new();
    for _ in 0..16 {
        let mut channel = Grpc::new(counter.channel.clone());
        calls.spawn(async move {
            channel.ready().await.unwrap();
            let path = PathAndQuery::from_static("/notary.hub.v1.LookupService/WatchMatter");
            let codec = ProstCodec::<WatchMatterRequest, WatchMatterResponse>::default();
            let body = tokio_stream::pending::<WatchMatterRequest>();
            let call = channel.client_streaming(tonic::Request::new(body), path, codec);
            call.await
        });
    }
    let question = about("inheritance", vec![who(PartyRole::Decedent, 1)], Vec::new());
    for _ in 0..20 {
        counter.answer(question.clone()).await;
    }
    assert!(calls.try_join_next().is_none(), "they still wait");
}
