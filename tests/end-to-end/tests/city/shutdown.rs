//! SIGTERM is an ordinary thing.

use std::fs;

use sandbox::poll::{PATIENCE, holds};

use crate::support::{EACH_SHAPE, Stage};

#[tokio::test]
async fn both_programs_end_cleanly_in_the_middle_of_the_work_and_go_on_later() -> anyhow::Result<()>
{
    let mut stage = Stage::as_installed(1_500, &EACH_SHAPE).await?;
    let proxy = stage.behind_a_proxy().await?;
    proxy.hold_requests_after(20_000);
    stage.start_agents()?;
    holds("batches are on their way", PATIENCE, async || {
        Ok(proxy.is_holding_requests())
    })
    .await?;
    proxy.open();
    for agent in &mut stage.agents {
        let status = agent.stop().await?;
        assert_eq!(status.code(), Some(0), "{}", agent.office_id());
    }
    let status = stage.bureau.close().await?;
    assert_eq!(status.code(), Some(0));
    let data = stage.bureau.data_dir();
    assert!(
        !data.join("postgres/postmaster.pid").exists(),
        "its database went with it"
    );
    assert!(!data.join("addresses.json").exists());
    for log in [stage.bureau.log_file(), stage.agents[0].log_file()] {
        let text = fs::read_to_string(log)?;
        assert!(!text.contains("panicked"), "{text}");
    }
    stage.bureau.open().await?;
    stage.start_agents()?;
    stage.settled().await?;
    stage.close().await
}
