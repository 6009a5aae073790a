//! A disk that is small: what finds no room on it must wait, and go on once there is some. Mounting takes root.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

/// What takes all the room.
const BALLAST: &str = "ballast";

/// A disk of its own in the place of a folder; gone when dropped.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

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
        let disk = Self(folder.to_owned());
        run(Command::new("cp")
            .args(["-a", "-T"])
            .arg(&aside)
            .arg(folder))?;
        fs::remove_dir_all(aside)?;
        Ok(disk)
    }

    /// Makes it larger.
    ///
    /// # Errors
    /// When it cannot be mounted anew.
    pub fn grow(&self, size: &str) -> anyhow::Result<()> {
        let options = format!("remount,size={size}");
        run(Command::new("mount").args(["-o", &options]).arg(&self.0))
    }

    /// Leaves no room.
    ///
    /// # Errors
    /// When something else than room is wanting.
    pub fn fill(&self) -> anyhow::Result<()> {
        let mut ballast = File::create(self.0.join(BALLAST))?;
        loop {
            match ballast.write_all(&[0; 4096]) {
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
                written => written?,
            }
        }
    }

    /// Gives the room back.
    ///
    /// # Errors
    /// When it was not filled.
    pub fn clear(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.0.join(BALLAST))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = run(Command::new("umount").arg("--lazy").arg(&self.0));
    }
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    ensure!(command.status()?.success(), "{command:?}");
    Ok(())
}
