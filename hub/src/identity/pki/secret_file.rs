//! Files that hold keys: written whole or not at all, readable by their owner alone.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    #[error("{what} {}: {source}", path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("{} holds a secret but others may read it; run: chmod 600 {}", path.display(), path.display())]
    TooOpen { path: PathBuf },
}

/// Makes the folder for keys, closed to everybody else, and its name durable: a key whose folder is gone after a power cut
/// is gone as well.
pub(super) fn make_dir(dir: &Path) -> Result<(), SecretFileError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .and_then(|()| fs::set_permissions(dir, Permissions::from_mode(0o700)))
        .and_then(|()| sync_folder_of(dir))
        .map_err(failed("make", dir))
}

/// Writes `content` to `path` with `mode`, durably, replacing what was there in one step.
pub(crate) fn write(path: &Path, mode: u32, content: &[u8]) -> Result<(), SecretFileError> {
    let partial = path.with_extension("partial");
    remove_if_there(&partial)
        .and_then(|()| {
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(&partial)
        })
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&partial, path))
        .and_then(|()| sync_folder_of(path))
        .map_err(failed("write", path))
}

/// Reads a secret, refusing one that others may read as well.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    let mode = fs::metadata(path).map_err(failed("read", path))?.mode();
    if mode & 0o077 != 0 {
        return Err(SecretFileError::TooOpen {
            path: path.to_owned(),
        });
    }
    fs::read(path)
        .map(Zeroizing::new)
        .map_err(failed("read", path))
}

/// Puts a secret in the place of another, durably and in one step.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), SecretFileError> {
    fs::rename(from, to)
        .and_then(|()| sync_folder_of(to))
        .map_err(failed("rename", from))
}

/// Removes a secret, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), SecretFileError> {
    remove_if_there(path).map_err(failed("remove", path))
}

/// A file's own sync keeps what is in it; that of its folder keeps its name.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SecretFileError {
    let path = path.to_owned();
    move |source| SecretFileError::Io { what, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_its_owners_alone_and_refused_when_it_is_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("pki");
        make_dir(&folder).expect("made");
        let path = folder.join("a.key");
        write(&path, 0o600, b"first").expect("written");
        write(&path, 0o600, b"second").expect("replaced");
        assert_eq!(read(&path).expect("read").as_slice(), b"second");
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder).expect("there").mode() & 0o777, 0o700);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("opened");
        let error = read(&path).expect_err("too open").to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }
}
