//! The demo's folder: one demo at a time, nothing left of an earlier one.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sandbox::process::end_leftovers;

const LOCK: &str = "lock";

/// A folder that is ours as long as this lives.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Takes the folder and empties it; programs that a killed demo left running in it are ended first.
    pub(super) async fn take(path: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("make {}", path.display()))?;
        let path = path.canonicalize()?;
        let lock = File::create(path.join(LOCK))?;
        // The kernel lets go of it however we end.
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another demo runs in {}; end it with Ctrl-C, or choose another --folder",
                path.display()
            ),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        end_leftovers(&path).await?;
        for entry in fs::read_dir(&path)? {
            let entry = entry?;
            if entry.file_name() == LOCK {
                continue;
            }
            let removed = match entry.file_type()?.is_dir() {
                true => fs::remove_dir_all(entry.path()),
                false => fs::remove_file(entry.path()),
            };
            removed.with_context(|| format!("remove {}", entry.path().display()))?;
        }
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
