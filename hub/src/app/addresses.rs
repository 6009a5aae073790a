//! Where a running hub listens, told to other programs on the machine.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Bound addresses as this machine reaches them: `addresses.json` in the data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    pub agents: SocketAddr,
    pub people: SocketAddr,
    pub metrics: SocketAddr,
}

impl Addresses {
    /// Writes the file whole or not at all: a reader may be waiting for it.
    pub fn announce(&self, file: &Path) -> io::Result<()> {
        let partial = file.with_extension("partial");
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        fs::File::create(&partial)?.write_all(&text)?;
        fs::rename(&partial, file)
    }

    /// Removes what an earlier hub announced, so that nobody takes its addresses for this one's.
    pub fn withdraw(file: &Path) -> io::Result<()> {
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
