//! What lies in `deploy/` fits the programs.
#![allow(clippy::unwrap_used)]

mod failover;
mod monitoring;
mod release;
mod restore;
mod units;

use std::fs;
use std::path::{Path, PathBuf};

/// A file of `deploy/`.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy")
        .join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap()
}
