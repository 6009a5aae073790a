//! The network between agent and hub fails.

use sandbox::poll::{PATIENCE, holds};

use crate::support::{EACH_SHAPE, FLAT, Stage, TABLES};

/// Bytes of requests of a TLS handshake with its client certificate, and of `Hello`; batches come after them.
const HANDSHAKE: u64 = 3_000;

#[tokio::test]
async fn an_answer_dropped_after_commit_doubles_nothing() -> anyhow::Result<()> {
    let mut stage = Stage::set(3_000, &[TABLES]).await?;
    let proxy = stage.behind_a_proxy().await?;
    proxy.hold_answers_after(HANDSHAKE);
    stage.start_agents()?;
    let mut committed = 0;
    for _ in 0..4 {
        holds("a batch is committed", PATIENCE, async || {
            Ok(stage.committed().await? > committed)
        })
        .await?;
        committed = stage.committed().await?;
        let acked = stage.agent().status().await?.acked_sequence()?;
        assert!(acked < committed.unsigned_abs(), "the agent does not know");
        // The next connection learns of it and has something to send.
        stage.town.live_on().await?;
        proxy.hold_answers_after(HANDSHAKE);
        proxy.cut();
    }
    proxy.open();
    stage.settled().await?;
    stage.close().await
}

#[tokio::test]
async fn agents_that_start_without_a_hub_hand_over_once_it_is_there() -> anyhow::Result<()> {
    let mut stage = Stage::set(900, &EACH_SHAPE).await?;
    stage.bureau.close().await?;
    stage.start_agents()?;
    holds("the agents have read their sources", PATIENCE, async || {
        let mut read = 0;
        for agent in &stage.agents {
            read += agent.status().await?.last_sequence()?;
        }
        Ok(read.cast_signed() == stage.at_sources())
    })
    .await?;
    for agent in &mut stage.agents {
        agent.must_run()?;
    }
    stage.bureau.open().await?;
    stage.settled().await?;
    stage.close().await
}

#[tokio::test]
async fn a_network_that_keeps_breaking_only_delays() -> anyhow::Result<()> {
    let mut stage = Stage::set(1_500, &[TABLES, FLAT]).await?;
    let proxy = stage.behind_a_proxy().await?;
    stage.start_agents()?;
    for _ in 0..8 {
        let passed = proxy.passed();
        holds("some more bytes have passed", PATIENCE, async || {
            Ok(proxy.passed() > passed + 3_000)
        })
        .await?;
        proxy.cut();
    }
    stage.settled().await?;
    stage.close().await
}
