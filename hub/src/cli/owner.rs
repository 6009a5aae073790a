//! Whose the data directory is. Keys that another user's command writes there the service cannot read at its next start.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Failure;

/// Refuses a command that would not be run as the service's user.
pub(super) fn check(data_dir: &Path) -> Result<(), Failure> {
    let why = match fs::metadata(data_dir) {
        // `init` makes it.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => format!("cannot be looked at ({error})"),
        Ok(meta) if is_foreign(data_dir, meta.uid()) => {
            format!("belongs to the user with the id {}", meta.uid())
        }
        Ok(_) => return Ok(()),
    };
    Err(Failure::Failed(anyhow::anyhow!(
        "the data directory {} {why}; run this as the service's user: sudo -u notary-hub notary-hub …",
        data_dir.display()
    )))
}

/// Root is let in everywhere and leaves files that are root's; others may share a directory by its group.
fn is_foreign(data_dir: &Path, owner: u32) -> bool {
    let own = rustix::process::geteuid().as_raw();
    own != owner && (own == 0 || fs::read_dir(data_dir).is_err())
}
