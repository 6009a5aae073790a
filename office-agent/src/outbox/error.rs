//! What can go wrong with the outbox, in words that say what to do.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why the outbox did not do something. Whatever was asked has not happened, not even partly.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// No room.
    #[error("the disk of the outbox is full; make room, the agent goes on by itself")]
    DiskFull,
    /// No right to write.
    #[error("the outbox cannot be written (read-only disk or missing rights); the agent retries")]
    ReadOnly,
    /// The file is no sound outbox.
    #[error(
        "the outbox {path} is damaged ({problem}); with the agent stopped, run `office-agent outbox check --mend`: \
         what is sound is kept, and the sources are read anew for the rest"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the check said.
        problem: String,
    },
    /// A record that the hub needs is not there, and those behind it have to wait for it.
    #[error(
        "record {sequence} is missing in the outbox, and what is behind it cannot be sent; stop the agent and run \
         `office-agent outbox check --mend`: what is there is kept, and the sources are read anew for the rest"
    )]
    Missing {
        /// Its sequence.
        sequence: u64,
    },
    /// Made by a build of before the first version.
    #[error(
        "the outbox was made by a build of before office-agent 0.1 (layout {found}); with the agent stopped, run \
         `office-agent outbox check --mend`: what it holds is kept, and the sources are read anew for the rest"
    )]
    TooOld {
        /// Its layout.
        found: i64,
    },
    /// Made by a newer version.
    #[error("the outbox was made by a newer office-agent (layout {found}); install that version")]
    TooNew {
        /// Its layout.
        found: i64,
    },
    /// The file cannot be opened or made.
    #[error("open the outbox {path}: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The city went over to another token key.
    #[error("the city changed its token key meanwhile; run this again")]
    KeyChanged,
    /// What was asked met a defect.
    #[error("a defect of office-agent kept the outbox from doing this; the log names the place")]
    Defect,
    /// The outbox's thread has ended.
    #[error("the outbox is closed")]
    Closed,
    /// Anything else that SQLite says.
    #[error("outbox: {0}")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for OutboxError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::ReadOnly
            }
            _ => Self::Sqlite(error),
        }
    }
}
