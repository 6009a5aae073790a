//! `office-agent map --dry-run`: reads, sends nothing, and says what would be taken and what refused.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Failure, Output};
use crate::app::AppError;
use crate::config::{Config, Source, SourceName};
use crate::dry_run::DryRun;
use crate::mapping::Mapping;
use crate::source::read_all;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Needed: nothing but a dry run is done here; `run` does the rest.
    #[arg(long, required = true)]
    dry_run: bool,
    /// One source; all when left out. Nothing can be read of a source that is pushed.
    #[arg(long)]
    source: Option<SourceName>,
    /// Read so many of each source's first rows.
    #[arg(long)]
    rows: Option<u64>,
}

pub(super) async fn map(config: &Config, args: &Args, output: &Output) -> Result<(), Failure> {
    debug_assert!(args.dry_run);
    let wanted = |source: &&Source| match &args.source {
        Some(name) => source.name() == name,
        None => !matches!(source, Source::Push(_)),
    };
    let mut reports = BTreeMap::new();
    let mut text = String::new();
    for source in config.sources.iter().filter(wanted) {
        let (report, words) = one(source, args.rows).await?;
        text.push_str(&format!("source `{}`\n{words}\n", source.name()));
        reports.insert(source.name().to_string(), report);
    }
    if reports.is_empty() {
        return Err(Failure::Usage(
            "there is no such source to read; see the names in the configuration".to_owned(),
        ));
    }
    output.print(&reports, || text)?;
    Ok(())
}

async fn one(source: &Source, rows: Option<u64>) -> Result<(Value, String), Failure> {
    let mapping = Mapping::load(source.mapping()).map_err(|problem| AppError::Mapping {
        name: source.name().clone(),
        problem,
    })?;
    let mut run = DryRun::new(&mapping);
    let mut reading = read_all(source, rows)?;
    while let Some(found) = reading.next().await? {
        found.into_iter().for_each(|found| run.add(found));
    }
    let mut report: Value = serde_json::from_str(&run.json()?)?;
    report["bad_files"] = json!(reading.bad_files());
    report["notes"] = json!(reading.notes());
    let mut text = run.to_string();
    for bad in reading.bad_files() {
        text.push_str(&format!("file not read: {bad}\n"));
    }
    for note in reading.notes() {
        text.push_str(&format!("note: {note}\n"));
    }
    Ok((report, text))
}
