//! The network between agent and hub fails.

use sandbox::poll::{PATIENCE, holds};

use crate::support::{EACH_SHAPE, FLAT, Stage, TABLES};

#[tokio::test]
async fn an_answer_dropped_after_commit_doubles_nothing() -> anyhow::Result<()> {
    let mut stage = Stage::set(3_000, &[TABLES]).await?;
    let proxy = stage.behind_a_proxy().await?;
    stage.start_agents()?;
    stage.settled().await?;
    for _ in 0..4 {
        let before = stage.committed().await?;
        proxy.hold_answers_after(0);
        stage.town.live_on().await?;
        assert!(stage.town.city().changes(TABLES).count() > 0);
        holds("the changes are committed", PATIENCE, async || {
            Ok(stage.committed().await? > before)
        })
        .await?;
        let committed = stage.committed().await?;
        let acked = stage.agent().status().await?.acked_sequence()?;
        assert!(
            acked.cast_signed() < committed,
            "the agent does not know: {acked} of {committed}"
        );
        proxy.cut();
        proxy.open();
        stage.settled().await?;
        holds("the agent has learnt of it", PATIENCE, async || {
            let status = stage.agent().status().await?;
            Ok(status.acked_sequence()? == status.last_sequence()?)
        })
        .await?;
    }
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
