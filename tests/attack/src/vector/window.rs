//! Answers that nobody takes, and windows that never stand still.

use std::sync::Arc;

use super::{OFTEN, SELDOM, directory, open_streams};
use crate::attacker::Attacker;
use crate::frame::{INITIAL_WINDOW_SIZE, Wire};

/// Streams asked for on each connection; the hub allows the people's door as many.
const STREAMS: u32 = 100;

pub(super) async fn zero_window(attacker: &Attacker) -> anyhow::Result<()> {
    attacker.gather(SELDOM, 100, ask_for_much, |_| {}).await
}

pub(super) async fn one_byte_window(attacker: &Attacker) -> anyhow::Result<()> {
    attacker
        .gather(SELDOM, 20, ask_for_much, |wire| {
            for stream in (1..STREAMS * 2).step_by(2) {
                wire.window_update(stream, 1);
            }
        })
        .await
}

fn ask_for_much(wire: &mut Wire) {
    wire.preface(&[(INITIAL_WINDOW_SIZE, 0)]);
    for _ in 0..STREAMS {
        let stream = wire.stream();
        wire.request(stream, directory().bytes());
    }
}

pub(super) async fn deaf_http1(attacker: &Attacker) -> anyhow::Result<()> {
    let mut tls = (*attacker.tls).clone();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let attacker = Attacker {
        tls: Arc::new(tls),
        ..attacker.clone()
    };
    let requests = b"GET /api/v1/directory HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100);
    let mut pace = attacker.pace(SELDOM);
    let mut held = Vec::new();
    while pace.next().await {
        let Some(mut peer) = attacker.enter().await? else {
            continue;
        };
        peer.stop_reading();
        peer.wire.raw(&requests);
        held.extend(attacker.sent(peer).await);
    }
    Ok(())
}

pub(super) async fn window_games(attacker: &Attacker) -> anyhow::Result<()> {
    attacker
        .keep_on(
            OFTEN,
            |wire| open_streams(wire, 64),
            |wire| {
                for _ in 0..10 {
                    wire.settings(&[(INITIAL_WINDOW_SIZE, 0)]);
                    wire.settings(&[(INITIAL_WINDOW_SIZE, (1 << 31) - 1)]);
                }
            },
        )
        .await
}

pub(super) async fn idle_streams(attacker: &Attacker) -> anyhow::Result<()> {
    attacker
        .gather(SELDOM, 60, |wire| open_streams(wire, 64), |_| {})
        .await
}
