//! Files that hold keys: written whole or not at all, readable by their owner alone.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::durable;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// The file system refuses.
    #[error("{what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// Others may read it.
    #[error("{} holds a secret but others may read it; run: chmod 600 {}", path.display(), path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
    },
}

/// Makes the data directory, closed to everybody else, durably: all that is made durable in it would go with it.
///
/// # Errors
/// When it cannot be made.
pub fn make_dir(dir: &Path) -> Result<(), SecretFileError> {
    let missing: Vec<_> = dir.ancestors().take_while(|dir| !dir.exists()).collect();
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .and_then(|()| fs::set_permissions(dir, Permissions::from_mode(0o700)))
        .and_then(|()| missing.into_iter().try_for_each(durable::name_of))
        .map_err(failed("make", dir))
}

/// Writes `content` to `path`, 0600, durably, replacing what was there in one step.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), SecretFileError> {
    let partial = path.with_extension("partial");
    remove(&partial)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&partial, path))
        .and_then(|()| durable::name_of(path))
        .map_err(failed("write", path))
}

/// Reads a secret, refusing one that others may read as well; `None` when there is none.
pub(super) fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, SecretFileError> {
    let mode = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata.map_err(failed("read", path))?.mode(),
    };
    if mode & 0o077 != 0 {
        return Err(SecretFileError::TooOpen {
            path: path.to_owned(),
        });
    }
    fs::read(path)
        .map(|content| Some(Zeroizing::new(content)))
        .map_err(failed("read", path))
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), SecretFileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

pub(super) fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SecretFileError {
    let path = path.to_owned();
    move |source| SecretFileError::Io { what, path, source }
}
