//! Keeps one source read: page after page into the outbox, and through every failure for ever.

use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, gauge};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::folder::Order;
use super::reader::Reader;
use super::row::Found;
use super::state::{SourceStates, Told};
use super::{Page, SourceError, again};
use crate::config::{Source, SourceName};
use crate::minimise;
use crate::outbox::{Cursor, Disposition, Entry, Outbox, OutboxError};
use crate::sync::backoff::Backoff;
use crate::telemetry::metrics::{SOURCE_FAILING, SOURCE_ROWS};

const RETRY_FROM: Duration = Duration::from_millis(500);
const RETRY_TO: Duration = Duration::from_secs(60);

/// Why a page did not get into the outbox.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    #[error("a page could not be mapped; the agent reads it again")]
    Mapping,
}

/// Reads a source until `stop`. `entry` says what the outbox is to keep of a find. A failure is told once, in the log and
/// in `states`, and again when it is mended.
pub async fn run<E>(
    source: Source,
    entry: E,
    outbox: Outbox,
    states: SourceStates,
    stop: CancellationToken,
) where
    E: Fn(Found) -> Entry + Send + Sync + 'static,
{
    let mut run = Run {
        name: source.name().clone(),
        order: Order::OldestFirst,
        entry: Arc::new(entry),
        outbox,
        states,
        made_from: Some(again::made_from(&source)),
        source,
        reader: None,
        cursor: None,
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = run.for_ever() => {}
    }
}

struct Run<E> {
    name: SourceName,
    source: Source,
    entry: Arc<E>,
    outbox: Outbox,
    states: SourceStates,
    /// By what the rows are read, until the outbox knows.
    made_from: Option<String>,
    order: Order,
    /// Absent at the beginning and after a failure: a reader may have read on what the outbox does not have.
    reader: Option<Reader>,
    cursor: Option<String>,
}

impl<E> Run<E>
where
    E: Fn(Found) -> Entry + Send + Sync + 'static,
{
    /// Ends for a source alone that is not read.
    async fn for_ever(&mut self) {
        let mut backoff = Backoff::new(RETRY_FROM, RETRY_TO);
        loop {
            match self.step().await {
                Ok(None) => return,
                Ok(Some(())) => backoff.reset(),
                Err(failure) => {
                    self.say(&failure);
                    tokio::time::sleep(backoff.next(Duration::ZERO)).await;
                }
            }
        }
    }

    /// Reads a page and keeps it; waits when there is nothing more.
    async fn step(&mut self) -> Result<Option<()>, Failure> {
        if let Some(made_from) = &self.made_from {
            if self.outbox.read_by(&self.name, made_from.clone()).await? {
                tracing::info!(source = %self.name, "mapping or query has changed");
            }
            self.made_from = None;
        }
        let is_due = again::is_due(&self.source);
        if self.outbox.begins_again(&self.name, is_due).await? {
            tracing::info!(source = %self.name, "the source is read from its beginning again");
            self.states.begins_again(&self.name);
            self.reader = None;
            self.order = Order::NewestFirst;
        }
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => {
                let Some(reader) = Reader::new(&self.source, self.order)? else {
                    return Ok(None);
                };
                self.cursor = self.outbox.cursor(&self.name).await?.map(|cursor| cursor.0);
                reader
            }
        };
        let page = match reader.page(self.cursor.as_deref()).await {
            Ok(page) => page,
            Err(error) => {
                if reader.survives_failure() {
                    self.reader = Some(reader);
                }
                return Err(error.into());
            }
        };
        let told = Told {
            notes: page.notes.clone(),
            bad_files: reader.bad_files(),
        };
        let has_lines = reader.has_lines();
        let (more, hint) = (page.more, page.wait);
        let rows = page.found.len() as u64;
        let behind = keep(
            &self.outbox,
            &self.name,
            &self.entry,
            page,
            &mut self.cursor,
            has_lines,
        )
        .await?;
        if self.states.behind(&self.name, behind) {
            tracing::warn!(source = %self.name, "cases differ from what was sent but have a lower revision, and are not sent; does the office's system count anew?");
        }
        self.tell_of_files(&told);
        counter!(SOURCE_ROWS, "source" => self.name.to_string()).increment(rows);
        gauge!(SOURCE_FAILING, "source" => self.name.to_string()).set(0.0);
        if let Some(problem) = self.states.read(&self.name, rows, more, told) {
            tracing::info!(source = %self.name, problem, "the source is read again");
        }
        if !more {
            reader.wait(hint).await;
        }
        self.reader = Some(reader);
        Ok(Some(()))
    }

    fn say(&self, failure: &Failure) {
        let problem = failure.to_string();
        gauge!(SOURCE_FAILING, "source" => self.name.to_string()).set(1.0);
        if self.states.failed(&self.name, &problem) {
            tracing::warn!(source = %self.name, problem, "the source cannot be read; trying again");
        }
    }

    fn tell_of_files(&self, told: &Told) {
        let before = self.states.of(&self.name).bad_files;
        for bad in told.bad_files.iter().filter(|bad| !before.contains(bad)) {
            let bad = minimise::location(&bad.to_string());
            tracing::warn!(source = %self.name, file = bad, "a file cannot be read; the others go on");
        }
        for bad in &before {
            if !told.bad_files.iter().any(|now| now.file == bad.file) {
                let file = minimise::location(&bad.file);
                tracing::info!(source = %self.name, file, "the file is no longer in the way");
            }
        }
    }
}

/// Puts a page into the outbox, the cursor with it. Returns how many of its cases are behind what was sent.
async fn keep<E>(
    outbox: &Outbox,
    name: &SourceName,
    entry: &Arc<E>,
    page: Page,
    cursor: &mut Option<String>,
    has_lines: bool,
) -> Result<u64, Failure>
where
    E: Fn(Found) -> Entry + Send + Sync + 'static,
{
    if page.found.is_empty() && page.cursor.is_none() {
        return Ok(0);
    }
    let entry = Arc::clone(entry);
    let found = page.found;
    // A thousand rows are a lot of HMACs for a thread that others wait for.
    let mapped = spawn_blocking(move || {
        let mut good = Vec::new();
        let mut entries = Vec::with_capacity(found.len());
        for found in found {
            let location = match (&found, has_lines) {
                // As refusals name it.
                (Found::Row(row), true) => Some(minimise::location(&row.location)),
                _ => None,
            };
            let kept = entry(found);
            good.extend(location.filter(|_| matches!(kept, Entry::Case(_))));
            entries.push(kept);
        }
        (entries, good)
    });
    let (entries, good) = mapped.await.map_err(|_| Failure::Mapping)?;
    // Before the cursor moves on: a crash in between would leave refusals standing for good.
    if !good.is_empty() {
        outbox.good_rows_at(name, good).await?;
    }
    let dispositions = outbox
        .append_told(name, entries, page.cursor.clone().map(Cursor), page.told_at)
        .await?;
    if page.cursor.is_some() {
        *cursor = page.cursor;
    }
    let behind = dispositions.iter().filter(|it| **it == Disposition::Behind);
    Ok(behind.count() as u64)
}
