//! Checkpoints as files outside of the database: `DIR/2026-11/00000000000000001234.checkpoint`, one each, named by its
//! size, written whole and durably, and never again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::macros::format_description;

use super::checkpoint::{self, Checkpoint, CheckpointError, VerifierKey};
use super::merkle::TreeHead;

const EXTENSION: &str = "checkpoint";
/// A checkpoint with many witnesses is far smaller.
const LARGEST: u64 = 64 * 1024;

/// Why checkpoints cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("{what} {}: {source}", path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("{} is no checkpoint of this hub: {source}", path.display())]
    NotOurs {
        path: PathBuf,
        source: CheckpointError,
    },
    #[error("{} holds another checkpoint of the same size", path.display())]
    Taken { path: PathBuf },
}

/// A file that is named like a checkpoint.
#[derive(Debug)]
pub struct Kept {
    pub path: PathBuf,
    /// By its name.
    pub size: u64,
}

impl Kept {
    /// Reads it; a name that tells another size is a forgery.
    pub fn open(
        &self,
        keys: &[VerifierKey],
    ) -> Result<Result<Checkpoint, CheckpointError>, ArchiveError> {
        let length = fs::metadata(&self.path)
            .map_err(failed("read", &self.path))?
            .len();
        if length > LARGEST {
            return Ok(Err(CheckpointError::Malformed));
        }
        let bytes = fs::read(&self.path).map_err(failed("read", &self.path))?;
        let Ok(note) = String::from_utf8(bytes) else {
            return Ok(Err(CheckpointError::Malformed));
        };
        Ok(checkpoint::open(&note, keys).and_then(|checkpoint| {
            match checkpoint.head.size == self.size {
                true => Ok(checkpoint),
                false => Err(CheckpointError::Renamed),
            }
        }))
    }
}

/// All checkpoints in a folder and the folders in it, the smallest first.
pub fn list(dir: &Path) -> Result<Vec<Kept>, ArchiveError> {
    let mut kept = Vec::new();
    let mut folders = vec![(dir.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let read = failed("read", &folder);
        let entries: Vec<fs::DirEntry> = fs::read_dir(&folder)
            .and_then(Iterator::collect)
            .map_err(read)?;
        for entry in entries {
            let path = entry.path();
            if path.is_dir() && depth == 0 {
                folders.push((path, depth + 1));
            } else if path
                .extension()
                .is_some_and(|extension| extension == EXTENSION)
            {
                let size = path
                    .file_stem()
                    .and_then(|stem| stem.to_str()?.parse().ok());
                let size = size.unwrap_or(u64::MAX);
                kept.push(Kept { path, size });
            }
        }
    }
    kept.sort_by(|left, right| (left.size, &left.path).cmp(&(right.size, &right.path)));
    Ok(kept)
}

/// Heads of checkpoints, by size. Those that another hub has signed with a key of its own are left out. One that is kept
/// twice, in folders of two months or by two hubs, counts once; different ones of one size are both there.
pub fn heads(kept: &[Kept], keys: &[VerifierKey]) -> Result<Vec<TreeHead>, ArchiveError> {
    let mut heads = Vec::with_capacity(kept.len());
    for kept in kept {
        match kept.open(keys)? {
            Ok(checkpoint) => heads.push(checkpoint.head),
            Err(CheckpointError::UnknownKey) => {}
            Err(source) => {
                let path = kept.path.clone();
                return Err(ArchiveError::NotOurs { path, source });
            }
        }
    }
    heads.dedup();
    Ok(heads)
}

/// The largest checkpoint in a folder that this hub or another one with its key has written.
pub fn newest(dir: &Path, key: &VerifierKey) -> Result<Option<Checkpoint>, ArchiveError> {
    make_dir(dir)?;
    let Some(kept) = list(dir)?.pop() else {
        return Ok(None);
    };
    match kept.open(std::slice::from_ref(key))? {
        Ok(checkpoint) => Ok(Some(checkpoint)),
        Err(source) => Err(ArchiveError::NotOurs {
            path: kept.path,
            source,
        }),
    }
}

/// Keeps a checkpoint. One that is there already is not written again.
pub fn keep(dir: &Path, checkpoint: &Checkpoint, now: OffsetDateTime) -> Result<(), ArchiveError> {
    let month = now
        .format(format_description!("[year]-[month]"))
        .expect("a time has a year and a month");
    let folder = dir.join(month);
    make_dir(&folder)?;
    let path = folder.join(format!("{:020}.{EXTENSION}", checkpoint.head.size));
    let partial = path.with_extension(format!("partial-{}", std::process::id()));
    let written = write(&partial, &path, &checkpoint.note);
    let _ = fs::remove_file(&partial);
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            match fs::read(&path).map_err(failed("read", &path))? == checkpoint.note.as_bytes() {
                true => Ok(()),
                false => Err(ArchiveError::Taken { path }),
            }
        }
        other => other.map_err(failed("write", &path)),
    }
}

/// A link is made only where nothing stands: nothing is ever replaced, and no half of a file ever seen.
fn write(partial: &Path, path: &Path, note: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(partial)?;
    file.write_all(note.as_bytes())?;
    file.sync_all()?;
    fs::hard_link(partial, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn make_dir(dir: &Path) -> Result<(), ArchiveError> {
    fs::create_dir_all(dir).map_err(failed("make", dir))
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ArchiveError {
    let path = path.to_owned();
    move |source| ArchiveError::Io { what, path, source }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::Ed25519KeyPair;
    use time::macros::datetime;

    use super::super::checkpoint::CheckpointKey;
    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-26 04:00 UTC);

    fn checkpoint(key: &CheckpointKey, size: u64, root: u8) -> Checkpoint {
        key.sign(&TreeHead {
            size,
            root: [root; 32],
        })
    }

    fn key() -> CheckpointKey {
        CheckpointKey::new(
            "a/audit".into(),
            Ed25519KeyPair::generate().expect("random"),
        )
    }

    #[test]
    fn a_checkpoint_is_kept_once_and_never_replaced() {
        let (dir, key) = (tempfile::tempdir().expect("a folder"), key());
        let verifier = key.verifier();
        assert_eq!(newest(dir.path(), verifier).expect("none yet"), None);
        for size in [9, 1000, 10] {
            keep(dir.path(), &checkpoint(&key, size, 1), NOW).expect("kept");
        }
        keep(dir.path(), &checkpoint(&key, 10, 1), NOW).expect("it is there");
        let other = keep(dir.path(), &checkpoint(&key, 10, 2), NOW);
        assert!(
            matches!(other, Err(ArchiveError::Taken { .. })),
            "{other:?}"
        );
        let kept = list(dir.path()).expect("read");
        let sizes: Vec<u64> = kept.iter().map(|kept| kept.size).collect();
        assert_eq!(sizes, [9, 10, 1000], "and nothing half written");
        let newest = newest(dir.path(), verifier).expect("read").expect("there");
        assert_eq!(newest, checkpoint(&key, 1000, 1));
    }

    #[test]
    fn a_checkpoint_that_is_kept_twice_counts_once_and_another_of_its_size_is_not_lost() {
        let (dir, key) = (tempfile::tempdir().expect("a folder"), key());
        let heads = || {
            let kept = list(dir.path()).expect("read");
            heads(&kept, std::slice::from_ref(key.verifier())).expect("all are ours")
        };
        let later = datetime!(2026-12-01 04:00 UTC);
        let (same, other) = (checkpoint(&key, 10, 1), checkpoint(&key, 10, 2));
        keep(dir.path(), &same, NOW).expect("kept");
        keep(dir.path(), &same, later).expect("kept again");
        keep(dir.path(), &checkpoint(&key, 11, 3), later).expect("kept");
        let sizes: Vec<u64> = heads().iter().map(|head| head.size).collect();
        assert_eq!(sizes, [10, 11]);
        keep(dir.path(), &other, datetime!(2027-01-01 04:00 UTC)).expect("kept");
        assert_eq!(heads()[..2], [same.head, other.head]);
    }

    #[test]
    fn a_checkpoint_in_anothers_place_is_not_believed() {
        let (dir, key) = (tempfile::tempdir().expect("a folder"), key());
        keep(dir.path(), &checkpoint(&key, 10, 1), NOW).expect("kept");
        let folder = dir.path().join("2026-11");
        let name = |size: u64| folder.join(format!("{size:020}.checkpoint"));
        fs::copy(name(10), name(11)).expect("copied");
        let refused = newest(dir.path(), key.verifier());
        assert!(
            matches!(
                refused,
                Err(ArchiveError::NotOurs {
                    source: CheckpointError::Renamed,
                    ..
                })
            ),
            "{refused:?}"
        );
    }
}
