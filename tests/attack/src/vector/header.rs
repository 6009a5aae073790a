//! Header blocks beyond all measure, and headers that mean something to gRPC.

use super::{SELDOM, health};
use crate::attacker::Attacker;
use crate::frame::plain;
use crate::hpack::Block;

pub(super) async fn hpack_bomb(attacker: &Attacker) -> anyhow::Result<()> {
    let bomb = health()
        .remembered("x", &"x".repeat(4000))
        .newest_again(4000);
    send(attacker, &[bomb]).await
}

pub(super) async fn huge_headers(attacker: &Attacker) -> anyhow::Result<()> {
    send(attacker, &[health().field("x", &"x".repeat(64 << 10))]).await
}

pub(super) async fn many_headers(attacker: &Attacker) -> anyhow::Result<()> {
    let block = (0..2000).fold(health(), |block, number| {
        block.field(&format!("x{number}"), "")
    });
    send(attacker, &[block]).await
}

pub(super) async fn binary_metadata(attacker: &Attacker) -> anyhow::Result<()> {
    let values = [
        "",
        "=",
        "%%%",
        "AAAA====",
        "\u{1}",
        "AA==,AA=",
        &"A".repeat(8000),
    ];
    let names = [
        "x-bin",
        "grpc-trace-bin",
        "grpc-status-details-bin",
        "grpc-tags-bin",
        "grpc-encoding",
        "grpc-accept-encoding",
        "grpc-status",
        "traceparent",
        "authorization",
        "content-length",
    ];
    let blocks: Vec<Block> = names
        .iter()
        .flat_map(|name| values.iter().map(|value| health().field(name, value)))
        .collect();
    send(attacker, &blocks).await
}

pub(super) async fn deadlines(attacker: &Attacker) -> anyhow::Result<()> {
    let values = [
        "0n",
        "0H",
        "99999999H",
        "99999999n",
        "-1S",
        "1",
        "",
        "999999999999S",
        "1X",
    ];
    let blocks = values.map(|value| health().field("grpc-timeout", value));
    send(attacker, &blocks).await
}

/// Health checks with these heads, over and over.
async fn send(attacker: &Attacker, blocks: &[Block]) -> anyhow::Result<()> {
    attacker
        .keep_on(
            SELDOM,
            |wire| wire.preface(&[]),
            |wire| {
                for block in blocks {
                    let stream = wire.stream();
                    match block.bytes().len() {
                        0..8192 => {
                            wire.headers(stream, block.bytes());
                            wire.last_data(stream, &plain(b""));
                        }
                        _ => wire.long_request(stream, block.bytes()),
                    }
                }
            },
        )
        .await
}
