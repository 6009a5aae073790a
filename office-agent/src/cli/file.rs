//! `office-agent file`: filings that are not cases.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{Failure, Output};
use crate::config::Config;
use crate::filing;
use crate::identity;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// JSON: one filing or a list of them, as docs/integrator.md shows; `-` is standard input.
    file: PathBuf,
}

pub(super) async fn file(config: &Config, args: &Args, output: &Output) -> Result<(), Failure> {
    let identity = identity::load(&config.data_dir)?;
    let text = match args.file.as_path() {
        path if path == Path::new("-") => io::read_to_string(io::stdin().lock()),
        path => std::fs::read_to_string(path),
    };
    let text = text.with_context(|| format!("read {}", args.file.display()))?;
    let ready = filing::read(&text).map_err(|error| Failure::Usage(error.to_string()))?;
    let receipts = filing::hand_in(config, &identity, &ready).await?;
    output.print(&receipts, || filing::text(&receipts))?;
    Ok(())
}
