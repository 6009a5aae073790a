//! An agent whose disk is full takes no case for handed over, and goes on by itself when there is room.

use std::fs;

use sandbox::disk::SmallDisk;
use sandbox::poll::{PATIENCE, holds};

use crate::support::{FLAT, Stage};

#[tokio::test]
#[ignore = "mounts a disk, as root: make full-disk"]
async fn what_finds_no_room_is_not_taken_over_and_goes_out_once_there_is_some() -> anyhow::Result<()>
{
    let mut stage = Stage::set(3_000, &[FLAT]).await?;
    let disk = SmallDisk::under(&stage.agent().data_dir(), "512k")?;
    let log = stage.agent().log_file();
    stage.start_agents()?;
    holds("the disk is full", PATIENCE, async || {
        Ok(fs::read_to_string(&log)?.contains("the disk of the outbox is full"))
    })
    .await?;
    let status = stage.agent().status().await?;
    assert!(
        (status.last_sequence()? as i64) < stage.at_sources(),
        "not everything can have found room"
    );

    disk.resize("64m")?;
    // With the same agent: `settled` fails when it has ended.
    stage.settled().await?;
    assert!(fs::read_to_string(&log)?.contains("the outbox can be written again"));
    stage.agent().stop().await?;
    drop(disk);
    stage.close().await
}
