//! Where the two programs are.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// `NOTARY_HUB_BIN`, or beside our own executable.
pub(crate) fn notary_hub() -> anyhow::Result<PathBuf> {
    find("notary-hub", "NOTARY_HUB_BIN")
}

/// `OFFICE_AGENT_BIN`, or beside our own executable.
pub(crate) fn office_agent() -> anyhow::Result<PathBuf> {
    find("office-agent", "OFFICE_AGENT_BIN")
}

fn find(name: &str, variable: &str) -> anyhow::Result<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        return Ok(path.into());
    }
    let ourselves = env::current_exe().context("find our own executable")?;
    // Test executables lie one folder deeper, in `deps`.
    ourselves
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder: &Path| folder.join(name))
        .find(|path| path.is_file())
        .with_context(|| {
            format!(
                "{name} is not beside {}; build it (cargo build -p {name}) or set {variable}",
                ourselves.display()
            )
        })
}
