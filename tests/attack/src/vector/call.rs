//! Calls that never come to their point.

use notary_proto::hub::v1::sync_request::Message;
use notary_proto::hub::v1::{Batch, Hello, SyncRequest};
use prost::Message as _;
use sandbox::client;
use uuid::Uuid;

use super::{OFTEN, SELDOM, begun_and_reset, lookup, sync};
use crate::attacker::Attacker;
use crate::frame::{message, plain};
use crate::hpack::Block;

/// Half of them over REST, half over gRPC.
pub(super) async fn slow_bodies(attacker: &Attacker) -> anyhow::Result<()> {
    let rest = Block::request("POST", "/api/v1/sessions")
        .field("content-type", "application/json")
        .field("content-length", "4000");
    let grpc = Block::call("/notary.hub.v1.SessionService/CreateSession");
    attacker
        .gather(
            SELDOM,
            8,
            |wire| {
                wire.preface(&[]);
                for _ in 0..48 {
                    let stream = wire.stream();
                    wire.headers(stream, rest.bytes());
                    let stream = wire.stream();
                    wire.headers(stream, grpc.bytes());
                    wire.data(stream, &message(0, 4000, b""));
                }
            },
            |wire| wire.data(1, b" "),
        )
        .await
}

pub(super) async fn slow_lookups(attacker: &Attacker) -> anyhow::Result<()> {
    let lookup = lookup(attacker);
    attacker
        .gather(
            SELDOM,
            8,
            |wire| {
                wire.preface(&[]);
                for _ in 0..64 {
                    let stream = wire.stream();
                    wire.headers(stream, lookup.bytes());
                    wire.data(stream, &message(0, 4000, b""));
                }
            },
            |wire| wire.data(1, b"\0"),
        )
        .await
}

pub(super) async fn cancel_storm(attacker: &Attacker) -> anyhow::Result<()> {
    let lookup = lookup(attacker);
    let question = plain(&client::question("attack", &[7; 16]).encode_to_vec());
    begun_and_reset(attacker, 5, |wire, stream| {
        wire.headers(stream, lookup.bytes());
        wire.last_data(stream, &question);
    })
    .await
}

pub(super) async fn endless_stream(attacker: &Attacker) -> anyhow::Result<()> {
    let lookup = lookup(attacker);
    let messages = plain(b"").repeat(3000);
    attacker
        .keep_on(
            OFTEN,
            |wire| {
                wire.preface(&[]);
                let stream = wire.stream();
                wire.headers(stream, lookup.bytes());
            },
            |wire| wire.data(1, &messages),
        )
        .await
}

/// Batches far ahead, each of which the hub would have to answer if it had not just done so.
pub(super) async fn tiny_messages(attacker: &Attacker) -> anyhow::Result<()> {
    let hello = plain(&hello(&attacker.office_id).encode_to_vec());
    let batch = Batch {
        first_sequence: 1_000_000,
        ..Batch::default()
    };
    let batches = plain(&request(Message::Batch(batch)).encode_to_vec()).repeat(1000);
    attacker
        .keep_on(
            OFTEN,
            |wire| {
                wire.preface(&[]);
                let stream = wire.stream();
                wire.headers(stream, sync().bytes());
                wire.data(stream, &hello);
            },
            |wire| wire.data(1, &batches),
        )
        .await
}

/// What begins a sync stream.
pub(super) fn hello(office_id: &str) -> SyncRequest {
    request(Message::Hello(Hello {
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        epoch: Uuid::now_v7().to_string(),
        office_id: office_id.to_owned(),
        ..Hello::default()
    }))
}

fn request(message: Message) -> SyncRequest {
    SyncRequest {
        message: Some(message),
    }
}
