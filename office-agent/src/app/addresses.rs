//! Where a running agent listens, told to other programs on the machine.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Bound addresses: `addresses.json` in the data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// The loopback endpoint.
    pub local: SocketAddr,
}

impl Addresses {
    /// Writes the file whole or not at all: a reader may be waiting for it.
    pub(super) fn announce(&self, data_dir: &Path) -> io::Result<()> {
        let file = file(data_dir);
        let partial = file.with_extension("partial");
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        fs::File::create(&partial)?.write_all(&text)?;
        fs::rename(&partial, file)
    }

    /// Removes what an earlier agent announced, so that nobody takes its address for this one's.
    pub(super) fn withdraw(data_dir: &Path) -> io::Result<()> {
        match fs::remove_file(file(data_dir)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// What a running agent announced.
    #[must_use]
    pub fn read(data_dir: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(file(data_dir)).ok()?).ok()
    }
}

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("addresses.json")
}
