//! `office-agent map --dry-run`: reads, sends nothing, and says what would be taken and what refused.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{Failure, Output, TO_MEND};
use crate::app;
use crate::config::{Config, Source, SourceName};
use crate::dry_run::DryRun;
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

pub(super) async fn map(
    config: &Config,
    args: &Args,
    output: &Output,
) -> Result<ExitCode, Failure> {
    debug_assert!(args.dry_run);
    let wanted = |source: &&Source| match &args.source {
        Some(name) => source.name() == name,
        None => !matches!(source, Source::Push(_)),
    };
    let mut reports = BTreeMap::new();
    let mut text = String::new();
    let mut whole = true;
    for source in config.sources.iter().filter(wanted) {
        let one = one(source, args.rows).await?;
        whole &= one.is_whole;
        text.push_str(&format!("source `{}`\n{}\n", source.name(), one.text));
        reports.insert(source.name().to_string(), one.report);
    }
    if reports.is_empty() {
        return Err(Failure::Usage(
            "there is no such source to read; see the names in the configuration".to_owned(),
        ));
    }
    output.print(&reports, || text)?;
    Ok(match whole {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(TO_MEND),
    })
}

/// What there is to say about one source.
struct Told {
    report: Value,
    text: String,
    /// Every file was read, every row would be taken and every code is known.
    is_whole: bool,
}

async fn one(source: &Source, rows: Option<u64>) -> Result<Told, Failure> {
    let mapping = app::mapping(source)?;
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
    Ok(Told {
        report,
        text,
        is_whole: run.takes_all() && reading.bad_files().is_empty(),
    })
}
