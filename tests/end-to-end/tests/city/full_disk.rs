//! An agent whose disk is full takes no case for handed over, and goes on by itself when there is room.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sandbox::poll::{PATIENCE, holds};

use crate::support::{FLAT, Stage};

/// A disk of its own in the place of a folder; gone when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// What is in the folder moves onto the disk.
    fn under(folder: &Path, size: &str) -> anyhow::Result<Self> {
        let aside = folder.with_extension("aside");
        fs::rename(folder, &aside)?;
        fs::create_dir(folder)?;
        let options = format!("size={size},mode=700");
        let arguments = ["-t", "tmpfs", "-o", &options, "tmpfs"];
        run(Command::new("mount").args(arguments).arg(folder))?;
        let disk = Self(folder.to_owned());
        run(Command::new("cp")
            .args(["-a", "-T"])
            .arg(&aside)
            .arg(folder))?;
        fs::remove_dir_all(aside)?;
        Ok(disk)
    }

    fn grow(&self, size: &str) -> anyhow::Result<()> {
        let options = format!("remount,size={size}");
        run(Command::new("mount").args(["-o", &options]).arg(&self.0))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = run(Command::new("umount").arg("--lazy").arg(&self.0));
    }
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    anyhow::ensure!(command.status()?.success(), "{command:?}");
    Ok(())
}

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

    disk.grow("64m")?;
    // With the same agent: `settled` fails when it has ended.
    stage.settled().await?;
    assert!(fs::read_to_string(&log)?.contains("the outbox can be written again"));
    stage.agent().stop().await?;
    drop(disk);
    stage.close().await
}
