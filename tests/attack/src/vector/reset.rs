//! Requests that are over before they are answered.

use super::{begun_and_reset, health, streams};
use crate::attacker::Attacker;
use crate::frame::plain;

pub(super) async fn rapid_reset(attacker: &Attacker) -> anyhow::Result<()> {
    let health = health();
    streams(attacker, 50, |wire, stream| {
        wire.headers(stream, health.bytes());
        wire.reset(stream);
    })
    .await
}

pub(super) async fn patient_reset(attacker: &Attacker) -> anyhow::Result<()> {
    let health = health();
    begun_and_reset(attacker, 20, |wire, stream| {
        wire.headers(stream, health.bytes());
    })
    .await
}

pub(super) async fn empty_window_update(attacker: &Attacker) -> anyhow::Result<()> {
    let health = health();
    streams(attacker, 50, |wire, stream| {
        wire.headers(stream, health.bytes());
        wire.window_update(stream, 0);
    })
    .await
}

pub(super) async fn data_on_closed_stream(attacker: &Attacker) -> anyhow::Result<()> {
    let health = health();
    streams(attacker, 50, |wire, stream| {
        wire.request(stream, health.bytes());
        wire.last_data(stream, &plain(b""));
    })
    .await
}

pub(super) async fn overflowing_window(attacker: &Attacker) -> anyhow::Result<()> {
    const LARGEST: u32 = (1 << 31) - 1;
    let health = health();
    streams(attacker, 50, |wire, stream| {
        wire.headers(stream, health.bytes());
        wire.window_update(stream, LARGEST);
        wire.window_update(stream, LARGEST);
    })
    .await
}
