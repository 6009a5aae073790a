//! `office-agent import`: one file into the outbox, beside a running agent or without one.

use std::path::PathBuf;

use anyhow::anyhow;
use serde::Serialize;
use tokio::sync::watch;

use super::{Failure, Output};
use crate::app;
use crate::config::{Config, FolderSource, Source, SourceName};
use crate::identity;
use crate::minimise;
use crate::outbox::{self, Disposition, Entry, Outbox};
use crate::source::import_file;
use crate::source::repeats::{Repeat, Repeats, Version};
use crate::source::row::{self, Found};

/// Rows between two words on how far a large file is; it takes a second or a few.
const TOLD_EVERY: u64 = 10_000;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file; it is not changed.
    file: PathBuf,
    /// Folder source whose mapping, encoding and sheets are used; needed when there are several.
    #[arg(long)]
    source: Option<SourceName>,
}

/// What became of the rows.
#[derive(Debug, Default, Serialize)]
struct Imported {
    stored: u64,
    unchanged: u64,
    rejected: u64,
    notes: Vec<String>,
    repeats: Vec<Repeat>,
}

pub(super) async fn import(config: &Config, args: &Args, output: &Output) -> Result<(), Failure> {
    let (source, folder) = chosen(config, args.source.as_ref())?;
    // Whoever is not enrolled makes no outbox.
    identity::load(&config.data_dir)?;
    let outbox = Outbox::open(config.data_dir.join(outbox::FILE))?;
    let identity = app::identity_under_one_key(&config.data_dir, &outbox).await?;
    let next_key = identity.next_token_key_if(outbox.asked_next_key().await?);
    let (_asking, next_key) = watch::channel(next_key);
    let pipeline = app::pipeline(source, identity.token_key())?.with_next(next_key);
    let bad = |bad| anyhow!("{bad}");
    let mut rows = import_file(&args.file, folder).await.map_err(bad)?;
    let mut done = Imported::default();
    let mut read = 0;
    let mut repeats = Repeats::default();
    while let Some(found) = rows.next().await.map_err(bad)? {
        let mut good = Vec::new();
        let mut entries = Vec::with_capacity(found.len());
        for found in found {
            let (location, content) = match &found {
                Found::Row(row) => (minimise::location(&row.location), row::content(row)),
                Found::Malformed { location, .. } => (minimise::location(location), [0; 32]),
            };
            let entry = pipeline.entry(found);
            match &entry {
                Entry::Case(case) => {
                    let version = Version {
                        location: location.clone(),
                        content,
                        revision: (case.revision > 0).then_some(case.revision),
                    };
                    repeats.see(&case.source_case_id, version);
                    good.push(location);
                }
                Entry::Rejected(_) => done.rejected += 1,
            }
            entries.push(entry);
        }
        let dispositions = outbox.append(&folder.name, entries, None).await?;
        outbox.good_rows_at(&folder.name, good).await?;
        let stored = dispositions.iter().filter(|d| **d == Disposition::Stored);
        let stored = stored.count() as u64;
        done.stored += stored;
        done.unchanged += dispositions.len() as u64 - stored;
        let before = read;
        read += dispositions.len() as u64;
        if read / TOLD_EVERY > before / TOLD_EVERY {
            output.progress(&format!(
                "{read} records read, {} stored so far",
                done.stored
            ));
        }
    }
    done.notes = rows.notes().to_vec();
    done.repeats = repeats.kept().to_vec();
    output.print(&done, || format!("{}\n{}", text(&done), repeats.text()))?;
    Ok(())
}

fn chosen<'a>(
    config: &'a Config,
    name: Option<&SourceName>,
) -> Result<(&'a Source, &'a FolderSource), Failure> {
    let mut folders = config.sources.iter().filter_map(|source| match source {
        Source::Folder(folder) if name.is_none_or(|name| *name == folder.name) => {
            Some((source, folder))
        }
        _ => None,
    });
    match (folders.next(), folders.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Failure::Usage(
            "a file is read by the mapping of a folder source, and no such source is configured"
                .to_owned(),
        )),
        (Some(_), Some(_)) => Err(Failure::Usage(
            "several folder sources are configured; say which with --source".to_owned(),
        )),
    }
}

fn text(done: &Imported) -> String {
    let mut text = format!(
        "{} records stored for the hub, {} were known; {} of all rows refused{}",
        done.stored,
        done.unchanged,
        done.rejected,
        match done.rejected {
            0 => "",
            _ => " (see office-agent status)",
        }
    );
    for note in &done.notes {
        text.push('\n');
        text.push_str(note);
    }
    text
}
