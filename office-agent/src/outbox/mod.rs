//! Where records wait for the hub: durable here before the source may go on, gone only long after the hub has
//! committed them.
//!
//! Sequences have no gap and never change within an epoch. A case that comes again with the same content takes
//! none. What [`Outbox::append`] returned for survives a killed process and a power cut.

mod append;
mod begin_again;
mod check;
mod compare;
mod decide;
mod entry;
mod error;
mod go_over;
mod mend;
mod next_key;
mod notice;
mod refused;
mod reject;
mod retention;
mod schema;
mod seal;
mod summary;
mod window;
mod worker;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use notary_proto::hub::v1 as wire;
use time::{Duration, OffsetDateTime};
use tokio::sync::watch;

use crate::config::SourceName;

pub use check::{Checkup, Finding};
pub use compare::{Drift, Held, MonthHeld};
pub use entry::{Cursor, Disposition, Entry};
pub use error::OutboxError;
pub use mend::{Mended, mend};
pub use notice::KeptNotice;
pub use reject::OpenReject;
pub use summary::{SourceSummary, Summary};
pub use window::{Position, Window};

use worker::Worker;

/// Name of the file in the data directory.
pub const FILE: &str = "outbox.sqlite";

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

/// The outbox. Clones share it.
#[derive(Clone)]
pub struct Outbox {
    worker: Worker,
    clock: Clock,
    grown: Arc<watch::Sender<u64>>,
    /// The token key under which whoever has opened it makes records.
    key: Arc<AtomicU32>,
}

impl Outbox {
    /// Opens the outbox, making it when it is not there. Blocks while the file is checked.
    ///
    /// # Errors
    /// When the file cannot be opened, is damaged, or belongs to a newer version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OutboxError> {
        Self::open_with_clock(path, Arc::new(OffsetDateTime::now_utc))
    }

    /// [`Self::open`] with a clock of the caller's.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with_clock(path: impl AsRef<Path>, clock: Clock) -> Result<Self, OutboxError> {
        let (worker, key) = Worker::start(path.as_ref(), &clock)?;
        Ok(Self::with(worker, key, clock))
    }

    /// [`Self::open_with_clock`] for a simulation: whoever calls blocks until it is done, so that the same calls come to
    /// the same every time.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_in_simulation(path: impl AsRef<Path>, clock: Clock) -> Result<Self, OutboxError> {
        let (worker, key) = Worker::here(path.as_ref(), &clock)?;
        Ok(Self::with(worker, key, clock))
    }

    fn with(worker: Worker, key: u32, clock: Clock) -> Self {
        Self {
            worker,
            clock,
            grown: Arc::new(watch::Sender::new(0)),
            key: Arc::new(AtomicU32::new(key)),
        }
    }

    /// What the hub should hold by now, to be compared with what it says.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub async fn held(&self) -> Result<Held, OutboxError> {
        self.worker.read(compare::held).await
    }

    /// Compares months case by case with what the hub listed of them, and heals: records go out again, or the sources
    /// are read anew.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub async fn heal(
        &self,
        held: Held,
        months: Vec<i32>,
        at_hub: Vec<wire::CaseDigest>,
    ) -> Result<Drift, OutboxError> {
        let (drift, last) = self
            .worker
            .write(move |tx| {
                let drift = compare::heal(tx, &held, &months, at_hub)?;
                Ok((drift, window::position(tx)?.last))
            })
            .await?;
        if drift.resent > 0 {
            self.grown.send_replace(last);
        }
        Ok(drift)
    }

    /// Where a source stands; `None` when it never stored a cursor.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub async fn cursor(&self, source: &SourceName) -> Result<Option<Cursor>, OutboxError> {
        let source = source.clone();
        self.worker
            .read(move |connection| append::cursor(connection, &source))
            .await
    }

    /// Stores entries under consecutive sequences, and the cursor with them, in one transaction: durable when
    /// this returns. Tells for each entry, in order, whether it was stored or had been there already. Without
    /// a cursor the stored one stays.
    ///
    /// # Errors
    /// When nothing could be stored (disk full, read-only); the caller tries again with the same entries.
    pub async fn append(
        &self,
        source: &SourceName,
        entries: Vec<Entry>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Disposition>, OutboxError> {
        self.append_told(source, entries, cursor, None).await
    }

    /// [`Self::append`] for entries from a file that was written then, nanoseconds since 1970: they do not count against
    /// what a newer file said.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub async fn append_told(
        &self,
        source: &SourceName,
        entries: Vec<Entry>,
        cursor: Option<Cursor>,
        told_at: Option<i64>,
    ) -> Result<Vec<Disposition>, OutboxError> {
        let source = source.clone();
        let now = (self.clock)();
        let key = self.key.load(Ordering::Relaxed);
        let (dispositions, last) = self
            .worker
            .write(move |tx| {
                // `office-agent import` may have begun before the agent went over.
                if go_over::key(tx)? != key {
                    return Err(OutboxError::KeyChanged);
                }
                append::append(tx, &source, entries, cursor.as_ref(), told_at, now)
            })
            .await?;
        if dispositions.contains(&Disposition::Stored) {
            self.grown.send_replace(last);
        }
        Ok(dispositions)
    }

    /// Ends the refusals of rows that had no case key at locations where good rows stand now, as
    /// [`crate::source::row::Row::location`] names them. Refusals of rows with a key end by themselves.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub async fn good_rows_at(
        &self,
        source: &SourceName,
        locations: Vec<String>,
    ) -> Result<(), OutboxError> {
        let asked = source.clone();
        // Nearly always there is none, and then nothing has to be made durable.
        let any = self
            .worker
            .read(move |connection| reject::any_without_key(connection, &asked))
            .await?;
        if !any {
            return Ok(());
        }
        let source = source.clone();
        let last = self
            .worker
            .write(move |tx| reject::clear_locations(tx, &source, &locations))
            .await?;
        if let Some(last) = last {
            self.grown.send_replace(last);
        }
        Ok(())
    }

    /// Where the outbox stands.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub async fn position(&self) -> Result<Position, OutboxError> {
        self.worker.read(window::position).await
    }

    /// Consecutive records from sequence `from` on, at most so many and so many bytes. A single record longer
    /// than `max_bytes` comes alone.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub async fn read(
        &self,
        from: u64,
        max_records: u32,
        max_bytes: usize,
    ) -> Result<Window, OutboxError> {
        self.worker
            .read(move |connection| window::read(connection, from, max_records, max_bytes))
            .await
    }

    /// Notes that everything there is may be sent from now on; before it is. Returns the last sequence given out.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub async fn offer(&self) -> Result<u64, OutboxError> {
        // Forgotten in a power cut, it makes the agent offer everything kept again, which does no harm.
        self.worker.note(window::offer).await
    }

    /// The hub has committed everything up to `sequence` and refused these of it. Returns how many of the refusals are
    /// news: neither known nor out of date.
    ///
    /// # Errors
    /// When the outbox cannot be written; the records are then offered again, which does no harm.
    pub async fn acked(
        &self,
        sequence: u64,
        rejects: Vec<wire::RecordReject>,
    ) -> Result<u64, OutboxError> {
        let now = (self.clock)();
        if rejects.is_empty() {
            // A forgotten acknowledgement is heard again in the next Welcome.
            let note = self.worker.note(move |tx| window::acked(tx, sequence, now));
            return note.await.map(|()| 0);
        }
        self.worker
            .write(move |tx| {
                let mut news = 0;
                for reject in &rejects {
                    news += u64::from(reject::take_from_hub(tx, reject, now)?);
                }
                window::acked(tx, sequence, now)?;
                Ok(news)
            })
            .await
    }

    /// Records the hub has not committed.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub async fn backlog(&self) -> Result<u64, OutboxError> {
        self.worker.read(window::backlog).await
    }

    /// Remembers the hub's epoch, when it is the first.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub async fn set_hub_epoch(&self, hub_epoch: &str) -> Result<(), OutboxError> {
        let hub_epoch = hub_epoch.to_owned();
        self.worker
            .write(move |tx| window::set_hub_epoch(tx, &hub_epoch))
            .await
    }

    /// The next token key that the hub asked for last; `None` when it asks for none.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub async fn asked_next_key(&self) -> Result<Option<u32>, OutboxError> {
        self.worker.read(next_key::asked).await
    }

    /// Notes the next token key that the hub asks for. Another one than before has every source read from its beginning,
    /// so that all cases go out with tokens under it.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub async fn ask_next_key(&self, key_id: Option<u32>) -> Result<(), OutboxError> {
        if self.asked_next_key().await? == key_id {
            return Ok(());
        }
        self.worker.write(move |tx| next_key::ask(tx, key_id)).await
    }

    /// The token key under which records are made.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub async fn token_key(&self) -> Result<u32, OutboxError> {
        self.worker.read(go_over::key).await
    }

    /// Has everything that is kept stand under this token key, as the hub has it once it went over. Nobody may be about to
    /// put in what was made under the key before.
    ///
    /// # Errors
    /// When the outbox cannot be written; nothing has changed then.
    pub async fn go_over(&self, key_id: u32) -> Result<(), OutboxError> {
        self.worker
            .write(move |tx| go_over::go_over(tx, key_id))
            .await?;
        self.key.store(key_id, Ordering::Relaxed);
        Ok(())
    }

    /// Offers everything that is kept again under a new epoch.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub async fn reoffer(&self, hub_epoch: &str) -> Result<(), OutboxError> {
        let hub_epoch = hub_epoch.to_owned();
        let now = (self.clock)();
        self.worker
            .write(move |tx| {
                reject::forget_sequences(tx)?;
                window::reoffer(tx, &hub_epoch, now)
            })
            .await
    }

    /// Keeps a notice of the hub; says whether it is new.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub async fn keep_notice(&self, notice: wire::Notice) -> Result<bool, OutboxError> {
        let now = (self.clock)();
        self.worker
            .write(move |tx| notice::keep(tx, &notice, now))
            .await
    }

    /// Lets go of what was acknowledged more than `retention` ago.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub async fn trim(&self, retention: Duration) -> Result<(), OutboxError> {
        let now = (self.clock)();
        while self
            .worker
            .write(move |tx| retention::trim(tx, retention, now))
            .await?
        {}
        Ok(())
    }

    /// The outbox at a glance.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub async fn summary(&self) -> Result<Summary, OutboxError> {
        self.worker.read(summary::read).await
    }

    /// Tells when this process has stored more. `office-agent import` beside it is not seen.
    #[must_use]
    pub fn grown(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
