//! A disk that is small: what finds no room on it must wait, and go on once there is some. Mounting takes root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use rustix::fs::statvfs;

/// How often a disk that is written to is tried to be made as small as what is on it.
const TRIES: usize = 20;

/// A disk of its own in the place of a folder; gone when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
    size: String,
}

impl SmallDisk {
    /// What is in the folder moves onto the disk. `size` is as `mount` has it, e.g. `512k`.
    ///
    /// # Errors
    /// When it cannot be mounted; everything is where it was then.
    pub fn under(folder: &Path, size: &str) -> anyhow::Result<Self> {
        let aside = folder.with_extension("aside");
        fs::rename(folder, &aside)?;
        fs::create_dir(folder)?;
        let options = format!("size={size},mode=700");
        let arguments = ["-t", "tmpfs", "-o", &options, "tmpfs"];
        if let Err(error) = run(Command::new("mount").args(arguments).arg(folder)) {
            fs::remove_dir(folder)?;
            fs::rename(&aside, folder)?;
            return Err(error);
        }
        let disk = Self {
            folder: folder.to_owned(),
            size: size.to_owned(),
        };
        run(Command::new("cp")
            .args(["-a", "-T"])
            .arg(&aside)
            .arg(folder))?;
        fs::remove_dir_all(aside)?;
        Ok(disk)
    }

    /// Gives it another size.
    ///
    /// # Errors
    /// When it cannot be mounted anew, as with less than what is on it.
    pub fn resize(&self, size: &str) -> anyhow::Result<()> {
        let options = format!("remount,size={size}");
        run(Command::new("mount")
            .args(["-o", &options])
            .arg(&self.folder))
    }

    /// Leaves no room: it becomes as small as what is on it.
    ///
    /// # Errors
    /// When it cannot be mounted anew.
    pub fn fill(&self) -> anyhow::Result<()> {
        let mut shrunk = Ok(());
        for _ in 0..TRIES {
            let disk = statvfs(&self.folder)?;
            let used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize;
            // Refused when more was written since.
            shrunk = self.resize(&used.to_string());
            if shrunk.is_ok() {
                break;
            }
        }
        shrunk
    }

    /// Gives the room back.
    ///
    /// # Errors
    /// When it cannot be mounted anew.
    pub fn clear(&self) -> anyhow::Result<()> {
        self.resize(&self.size)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = unmount(&self.folder);
    }
}

/// Takes away the disks that an earlier run left behind in `folder` because it was killed.
///
/// # Errors
/// When one cannot be unmounted.
pub fn end_leftovers(folder: &Path) -> anyhow::Result<()> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    let mut left = points
        .map(Path::new)
        .filter(|point| point.starts_with(folder));
    left.try_for_each(unmount)
}

fn unmount(point: &Path) -> anyhow::Result<()> {
    run(Command::new("umount").arg("--lazy").arg(point))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}", said.trim());
    Ok(())
}
