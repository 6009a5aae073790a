//! A clock of a program's own, which can be set. libfaketime stands between the program and the machine's clock; how
//! long something takes is measured as ever.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian and its like put it; the loader fills in the architecture's folder.
const LIBRARY: &str = "/usr/$LIB/faketime/libfaketime.so.1";
/// The same as files of architectures whose folder is known.
const FILES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
];

/// How far a program's clock is off.
#[derive(Clone, Debug)]
pub struct Clock {
    file: PathBuf,
}

impl Clock {
    /// A clock that goes right until it is set, by this file; `None` where libfaketime is not installed.
    ///
    /// # Errors
    /// When the file that sets it cannot be written.
    pub fn set_by(file: PathBuf) -> anyhow::Result<Option<Self>> {
        if !FILES.iter().any(|file| Path::new(file).is_file()) {
            return Ok(None);
        }
        let clock = Self { file };
        clock.set(0)?;
        Ok(Some(clock))
    }

    /// Sets it so many seconds ahead of the machine's, or behind.
    ///
    /// # Errors
    /// When the file that sets it cannot be written.
    pub fn set(&self, seconds: i64) -> anyhow::Result<()> {
        // Whole at any moment: the program may read it now.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{seconds:+}\n"))?;
        Ok(fs::rename(new, &self.file)?)
    }

    /// Makes a program go by it.
    pub(crate) fn give(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", LIBRARY)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
}
