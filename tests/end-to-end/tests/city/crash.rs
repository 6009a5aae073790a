//! kill -9 of either side in the middle of the work: nothing lost, nothing twice.

use sandbox::poll::{PATIENCE, holds};

use crate::support::{EACH_SHAPE, FLAT, Stage, TABLES};

/// Bytes of requests between two crashes.
const STRIDE: u64 = 12_000;

#[tokio::test]
async fn a_hub_killed_in_the_middle_of_batches_goes_on_where_its_last_commit_ended()
-> anyhow::Result<()> {
    let mut stage = Stage::as_installed(3_000, &[TABLES, FLAT]).await?;
    let proxy = stage.behind_a_proxy().await?;
    proxy.hold_requests_after(STRIDE);
    stage.start_agents()?;
    for crash in 1..=4 {
        holds("a batch is on its way", PATIENCE, async || {
            Ok(proxy.is_holding_requests())
        })
        .await?;
        stage.bureau.kill().await?;
        proxy.cut();
        proxy.hold_requests_after(STRIDE * (crash + 1));
        stage.bureau.open().await?;
        assert!(
            stage.committed().await? < stage.at_sources(),
            "in the middle"
        );
    }
    proxy.open();
    stage.settled().await?;
    stage.close().await
}

#[tokio::test]
async fn an_agent_killed_while_it_reads_and_sends_goes_on_where_it_was() -> anyhow::Result<()> {
    let mut stage = Stage::set(1_500, &EACH_SHAPE).await?;
    let proxy = stage.behind_a_proxy().await?;
    for crash in 1..=4 {
        proxy.hold_requests_after(STRIDE * crash);
        stage.start_agents()?;
        holds("records are on their way", PATIENCE, async || {
            Ok(proxy.is_holding_requests())
        })
        .await?;
        for agent in &mut stage.agents {
            agent.kill().await?;
        }
        proxy.cut();
        assert!(
            stage.committed().await? < stage.at_sources(),
            "in the middle"
        );
    }
    proxy.open();
    stage.start_agents()?;
    stage.settled().await?;
    stage.close().await
}
