//! Time passes at the offices.

use crate::support::{EACH_SHAPE, Stage};

#[tokio::test]
async fn changes_arrive_and_corrected_records_clear_their_rejects() -> anyhow::Result<()> {
    let mut stage = Stage::set(1_500, &EACH_SHAPE).await?;
    stage.start_agents()?;
    let before = stage.settled().await?;
    // In the third month every record that was refused has been corrected.
    for _ in 0..3 {
        assert!(stage.town.live_on().await? > 0);
        stage.settled().await?;
    }
    let after = stage.settled().await?;
    assert!(before.rejected() > 0);
    assert_eq!(after.rejected(), 0);
    assert_eq!(after.at_hub(), after.at_sources());
    let replaced = stage.ask("SELECT count(*) FROM case_history").await?;
    assert!(replaced > 0, "what was replaced is kept");
    let resolved = stage
        .ask("SELECT count(*) FROM reject WHERE resolved_at IS NOT NULL")
        .await?;
    assert_eq!(
        resolved.unsigned_abs(),
        before.rejected(),
        "resolved, not deleted"
    );
    for agent in &stage.agents {
        assert_eq!(agent.status().await?.refused(), [], "{}", agent.office_id());
    }
    stage.close().await
}
