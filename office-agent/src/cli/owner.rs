//! Whose the data directory is. What another user's command writes there the service cannot open, and what is hidden from
//! it looks as if it were not there.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Failure;

/// Refuses a command that would not be run as the service's user.
pub(super) fn check(data_dir: &Path) -> Result<(), Failure> {
    let belongs = match fs::metadata(data_dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            "is closed to this user".to_owned()
        }
        Err(error) => return Err(error.into()),
        Ok(meta) => match is_foreign(data_dir, meta.uid())? {
            false => return Ok(()),
            true => format!("belongs to the user with the id {}", meta.uid()),
        },
    };
    Err(Failure::Failed(anyhow::anyhow!(
        "the data directory {} {belongs}; run this as the service's user: sudo -u office-agent office-agent …",
        data_dir.display()
    )))
}

/// Root is let in everywhere and leaves files that are root's; others may share a directory by its group.
fn is_foreign(data_dir: &Path, owner: u32) -> io::Result<bool> {
    let own = fs::metadata("/proc/self")?.uid();
    if own == owner {
        return Ok(false);
    }
    match fs::read_dir(data_dir) {
        _ if own == 0 => Ok(true),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(true),
        read => read.map(|_| false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_ones_own_and_one_to_come_are_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(check(folder.path()).is_ok());
        assert!(check(&folder.path().join("to come")).is_ok());
    }

    #[test]
    fn root_is_refused_in_the_services_directory() {
        let folder = tempfile::tempdir().expect("a folder");
        // Only root may give a directory away; others cannot be in this position.
        if std::os::unix::fs::chown(folder.path(), Some(65_534), None).is_err() {
            return;
        }
        let Err(Failure::Failed(error)) = check(folder.path()) else {
            panic!("not refused");
        };
        assert!(
            error.to_string().contains("id 65534; run this as"),
            "{error}"
        );
    }
}
