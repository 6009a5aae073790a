//! From a file to batches of rows: what CSV and XLSX have in common.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::spawn_blocking;

use super::bad::{BadFile, Why};
use super::{csv, xlsx};
use crate::config::FolderSource;
use crate::source::row::{Columns, Found};

/// Rows handed on at once.
pub(super) const BATCH: usize = 1000;
/// Bytes of cells from which on fewer rows make a batch.
const BATCH_BYTES: usize = 4 << 20;

/// Some rows of a file.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) found: Vec<Found>,
    pub(super) notes: Vec<String>,
}

/// How a file is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Csv(&'static encoding_rs::Encoding),
    Xlsx,
}

/// Reads a file where that may block, `skip` rows left out. The reading goes as far ahead as one batch, and ends with
/// the receiver. A bad file gives its error last.
pub(super) fn read(
    path: PathBuf,
    file: String,
    format: Format,
    source: &FolderSource,
    skip: u64,
) -> Receiver<Result<Batch, BadFile>> {
    let (sender, receiver) = channel(1);
    let source = source.clone();
    spawn_blocking(move || {
        let out = Out::new(sender, skip);
        out.fill(&file, |out| match format {
            Format::Csv(encoding) => csv::read(&path, &file, encoding, out),
            Format::Xlsx => xlsx::read(&path, &file, &source, out),
        });
    });
    receiver
}

/// Where rows go.
pub(super) struct Out {
    sender: Sender<Result<Batch, BadFile>>,
    skip: u64,
    batch: Batch,
    bytes: usize,
    closed: bool,
}

impl Out {
    fn new(sender: Sender<Result<Batch, BadFile>>, skip: u64) -> Self {
        Self {
            sender,
            skip,
            batch: Batch::default(),
            bytes: 0,
            closed: false,
        }
    }

    /// Lets `work` give rows, to its end. A file that brings a decoder down is bad like any other: without a word the
    /// rows behind that place would count as read.
    fn fill(mut self, file: &str, work: impl FnOnce(&mut Self) -> Result<(), BadFile>) {
        let done = catch_unwind(AssertUnwindSafe(|| work(&mut self)))
            .unwrap_or_else(|_| Err(BadFile::new(file, Why::Damaged)));
        self.finish(done);
    }

    pub(super) fn give(&mut self, found: Found) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.bytes += found.bytes();
        self.batch.found.push(found);
        if self.batch.found.len() == BATCH || self.bytes >= BATCH_BYTES {
            self.flush();
        }
    }

    pub(super) fn note(&mut self, note: String) {
        self.batch.notes.push(note);
    }

    /// Nobody wants more.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    fn flush(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        self.closed |= self.sender.blocking_send(Ok(batch)).is_err();
    }

    fn finish(mut self, done: Result<(), BadFile>) {
        if !self.batch.found.is_empty() || !self.batch.notes.is_empty() {
            self.flush();
        }
        if let Err(bad) = done {
            // Nobody listens any more: then nobody needs to know.
            let _ = self.sender.blocking_send(Err(bad));
        }
    }
}

/// Column names of a header line.
pub(super) fn columns(file: &str, header: Vec<String>) -> Result<Columns, BadFile> {
    let names: Vec<String> = header
        .iter()
        .map(|name| name.trim_matches(blank).to_owned())
        .collect();
    if names.iter().all(|name| {
        name.is_empty()
            || name
                .chars()
                .all(|c| c.is_ascii_digit() || c.is_ascii_punctuation())
    }) {
        return Err(BadFile::new(file, Why::NoColumnNames).at(1, None));
    }
    for (index, name) in names.iter().enumerate() {
        if !name.is_empty() && names[..index].contains(name) {
            return Err(BadFile::new(file, Why::SameColumn(name.clone())).at(1, None));
        }
    }
    Ok(Columns::new(names))
}

fn blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::row::Row;

    fn row(cell: &str) -> Found {
        Found::Row(Row {
            location: "a.csv:2".to_owned(),
            columns: Columns::new(vec!["a".to_owned()]),
            cells: vec![Some(cell.to_owned())],
            children: Default::default(),
        })
    }

    #[test]
    fn a_file_that_brings_the_reading_down_is_bad_and_not_at_its_end() {
        let (sender, mut receiver) = channel(9);
        Out::new(sender, 0).fill("a.xlsx", |out| {
            out.give(row("x"));
            panic!("of a decoder");
        });
        let first = receiver.blocking_recv().expect("rows").expect("good");
        assert_eq!(first.found.len(), 1);
        let bad = receiver.blocking_recv().expect("an end").expect_err("bad");
        assert_eq!(bad.file, "a.xlsx");
    }

    #[test]
    fn long_rows_are_handed_on_before_they_are_a_thousand() {
        let (sender, mut receiver) = channel(9);
        Out::new(sender, 0).fill("a.csv", |out| {
            let long = "x".repeat(BATCH_BYTES / 2);
            (0..4).for_each(|_| out.give(row(&long)));
            Ok(())
        });
        for _ in 0..2 {
            let batch = receiver.blocking_recv().expect("rows").expect("good");
            assert_eq!(batch.found.len(), 2);
        }
        assert!(receiver.blocking_recv().is_none());
    }
}
