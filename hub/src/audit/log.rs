//! Appending. One task takes whatever waits, writes it with one statement and then hands everybody a receipt:
//! alone an entry waits for nothing, under load many share a commit.
//!
//! Several hubs may write one log. The statement takes the log's lock; an entry behind one that another hub
//! has written meanwhile has a number that is taken, is refused by the primary key, and is written again behind
//! the log's real end, which is read under the lock.

use std::sync::Arc;

use metrics::histogram;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::entry::{ChainHash, Entry, Recorded};
use crate::store;
use crate::store::audit::Head;
use crate::telemetry::metrics::{AUDIT_APPEND_SECONDS, AUDIT_BATCH_ENTRIES};

/// Entries that may wait; whoever finds no room waits before the door.
const QUEUE: usize = 1024;
/// Entries of one statement.
const BATCH: usize = 512;

/// Proof that something was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub entry_no: i64,
    pub recorded_at: OffsetDateTime,
    pub chain_hash: ChainHash,
}

/// Why nothing was recorded, and therefore nothing may be answered.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AuditError {
    #[error("write the audit log: {0}")]
    Database(Arc<sqlx::Error>),
    #[error("the hub is stopping and records nothing more")]
    Stopping,
}

struct Waiting {
    entry: Entry,
    done: oneshot::Sender<Result<Receipt, AuditError>>,
}

/// Where entries are handed over. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Audit {
    queue: mpsc::Sender<Waiting>,
}

/// The task behind [`Audit`].
pub struct AuditLog {
    pool: PgPool,
    queue: mpsc::Receiver<Waiting>,
    /// The end of the log as this hub last saw it.
    head: Option<Head>,
}

impl Audit {
    /// The log on `pool`, which [`store::pool::audit`] makes, and the task that has to run for it.
    pub fn new(pool: PgPool) -> (Self, AuditLog) {
        let (sender, queue) = mpsc::channel(QUEUE);
        let log = AuditLog {
            pool,
            queue,
            head: None,
        };
        (Self { queue: sender }, log)
    }

    /// Returns when the entry is durable.
    pub async fn append(&self, entry: Entry) -> Result<Receipt, AuditError> {
        let begun = Instant::now();
        let (done, receipt) = oneshot::channel();
        self.queue
            .send(Waiting { entry, done })
            .await
            .map_err(|_| AuditError::Stopping)?;
        let receipt = receipt.await.map_err(|_| AuditError::Stopping)?;
        histogram!(AUDIT_APPEND_SECONDS).record(begun.elapsed().as_secs_f64());
        receipt
    }
}

impl AuditLog {
    /// Writes until `stop`, then what was handed over before.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut waiting = Vec::with_capacity(BATCH);
        loop {
            let next = self.queue.recv_many(&mut waiting, BATCH);
            match stop.run_until_cancelled(next).await {
                Some(0) => return,
                Some(_) => self.write(&mut waiting).await,
                None => break,
            }
        }
        self.queue.close();
        while self.queue.recv_many(&mut waiting, BATCH).await > 0 {
            self.write(&mut waiting).await;
        }
    }

    async fn write(&mut self, waiting: &mut Vec<Waiting>) {
        histogram!(AUDIT_BATCH_ENTRIES).record(waiting.len() as f64);
        let (entries, done): (Vec<Entry>, Vec<_>) =
            waiting.drain(..).map(|one| (one.entry, one.done)).unzip();
        match self.append(&entries).await {
            Ok(recorded) => {
                for (recorded, done) in recorded.iter().zip(done) {
                    // Whoever went away has asked all the same.
                    let _ = done.send(Ok(receipt(recorded)));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for done in done {
                    let _ = done.send(Err(AuditError::Database(Arc::clone(&error))));
                }
            }
        }
    }

    /// Writes behind the end this hub knows; behind the real one when it does not know it.
    async fn append(&mut self, entries: &[Entry]) -> Result<Vec<Recorded>, sqlx::Error> {
        let now = OffsetDateTime::now_utc();
        // Whatever goes wrong below, the end has to be read again: a commit may have happened unseen.
        if let Some(head) = self.head.take() {
            let recorded = chain(entries, &head, now);
            match store::audit::insert(&self.pool, &recorded).await {
                Ok(()) => return Ok(self.remember(recorded)),
                Err(error) if store::audit::is_number_taken(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let mut transaction = self.pool.begin().await?;
        let head = store::audit::lock_head(&mut transaction).await?;
        let recorded = chain(entries, &head, now);
        store::audit::insert(&mut *transaction, &recorded).await?;
        transaction.commit().await?;
        Ok(self.remember(recorded))
    }

    fn remember(&mut self, recorded: Vec<Recorded>) -> Vec<Recorded> {
        self.head = recorded.last().map(|last| Head {
            entry_no: last.entry_no,
            chain_hash: receipt(last).chain_hash,
        });
        recorded
    }
}

fn chain(entries: &[Entry], head: &Head, now: OffsetDateTime) -> Vec<Recorded> {
    let mut previous = head.chain_hash;
    (head.entry_no + 1..)
        .zip(entries)
        .map(|(entry_no, entry)| {
            let recorded = entry.clone().chained(entry_no, now, &previous);
            previous = receipt(&recorded).chain_hash;
            recorded
        })
        .collect()
}

fn receipt(recorded: &Recorded) -> Receipt {
    Receipt {
        entry_no: recorded.entry_no,
        recorded_at: recorded.recorded_at,
        chain_hash: recorded
            .chain_hash
            .as_slice()
            .try_into()
            .expect("an entry of this hub has a SHA-256"),
    }
}

impl std::fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditLog")
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}
