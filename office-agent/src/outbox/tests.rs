//! The outbox's promises.

mod again;
mod basics;
mod compared;
mod damage;
mod model;
mod next_key;
mod restored;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use time::OffsetDateTime;

use super::*;

/// A folder with an outbox and a clock that stands still until it is moved.
pub(super) struct Bench {
    folder: tempfile::TempDir,
    seconds: Arc<AtomicI64>,
    pub(super) outbox: Outbox,
}

impl Bench {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let seconds = Arc::new(AtomicI64::new(1_700_000_000));
        let outbox = open(&folder, &seconds);
        Self {
            folder,
            seconds,
            outbox,
        }
    }

    pub(super) fn reopen(&mut self) {
        self.outbox = open(&self.folder, &self.seconds);
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Loses the outbox, as a broken disk would.
    pub(super) fn lose(&mut self) {
        self.folder = tempfile::tempdir().expect("a folder");
        self.reopen();
    }

    pub(super) async fn put(&self, entries: Vec<Entry>) -> Vec<Disposition> {
        self.outbox
            .append(&source(), entries, None)
            .await
            .expect("appended")
    }

    pub(super) async fn all(&self) -> Vec<wire::Record> {
        self.outbox
            .read(1, 10_000, usize::MAX)
            .await
            .expect("read")
            .records
    }
}

fn open(folder: &tempfile::TempDir, seconds: &Arc<AtomicI64>) -> Outbox {
    let seconds = Arc::clone(seconds);
    let clock: Clock = Arc::new(move || {
        OffsetDateTime::from_unix_timestamp(seconds.load(Ordering::Relaxed)).expect("in range")
    });
    Outbox::open_with_clock(folder.path().join(FILE), clock).expect("opened")
}

pub(super) fn source() -> SourceName {
    "cases".parse().expect("a name")
}

/// No source is due by itself.
pub(super) fn never(_: OffsetDateTime, _: OffsetDateTime) -> bool {
    false
}

pub(super) fn case(id: &str, fee: i64) -> Entry {
    revised(id, fee, 0)
}

pub(super) fn revised(id: &str, fee: i64, revision: u64) -> Entry {
    Entry::Case(Box::new(wire::CaseRecord {
        source_case_id: id.to_owned(),
        fee_charged_fen: fee,
        revision,
        ..wire::CaseRecord::default()
    }))
}

pub(super) fn rejected(id: &str, location: &str, shape: &str) -> Entry {
    Entry::Rejected(wire::RejectedRecord {
        mended: false,
        source_case_id: id.to_owned(),
        source_location: location.to_owned(),
        rule_id: "DATE_ILLEGAL".to_owned(),
        field: "accepted_on".to_owned(),
        value_shape: shape.to_owned(),
        rejected_at: None,
    })
}

/// Case key and fee of a record; the location of a reject.
pub(super) fn told(record: &wire::Record) -> (String, i64) {
    match record.payload.as_ref().expect("a payload") {
        wire::record::Payload::Case(case) => (case.source_case_id.clone(), case.fee_charged_fen),
        wire::record::Payload::Rejected(rejected) => (rejected.source_location.clone(), -1),
    }
}

pub(super) fn revision(record: &wire::Record) -> u64 {
    match record.payload.as_ref().expect("a payload") {
        wire::record::Payload::Case(case) => case.revision,
        wire::record::Payload::Rejected(_) => panic!("no case"),
    }
}
