//! Who holds the connection: one thread, for SQLite blocks on the disk and nothing else may wait for it. In a simulation,
//! where nothing may depend on how threads are scheduled, whoever asks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use metrics::gauge;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::{Clock, OutboxError, go_over, schema};
use crate::telemetry::metrics::OUTBOX_FAILING;

/// Jobs that wait at once; a caller of a full outbox waits its turn.
const WAITING: usize = 64;

type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// The connection and what belongs to it.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    /// Whether the last write failed, so that each trouble is said once.
    in_trouble: bool,
    /// Whether a commit waits for the disk now.
    synchronous: bool,
}

impl Store {
    fn open(path: &Path, clock: &Clock) -> Result<Self, OutboxError> {
        Ok(Self {
            connection: schema::open(path, clock())?,
            in_trouble: false,
            synchronous: true,
        })
    }

    /// What is not `durable` survives a killed process, but perhaps not a power cut.
    fn transaction<T>(
        &mut self,
        durable: bool,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, OutboxError>,
    ) -> Result<T, OutboxError> {
        // IMMEDIATE: `office-agent import` may write beside a running agent.
        let result = self
            .synchronous(durable)
            .and_then(|connection| {
                Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
            })
            .and_then(|tx| {
                let value = job(&tx)?;
                tx.commit()?;
                Ok(value)
            });
        match (&result, self.in_trouble) {
            (Err(error), false) => tracing::error!(%error, "the outbox cannot be written"),
            (Ok(_), true) => tracing::info!("the outbox can be written again"),
            _ => {}
        }
        self.in_trouble = result.is_err();
        gauge!(OUTBOX_FAILING).set(f64::from(u8::from(self.in_trouble)));
        result
    }

    fn synchronous(&mut self, wanted: bool) -> Result<&mut Connection, OutboxError> {
        if self.synchronous != wanted {
            let mode = if wanted { "FULL" } else { "NORMAL" };
            self.connection.pragma_update(None, "synchronous", mode)?;
            self.synchronous = wanted;
        }
        Ok(&mut self.connection)
    }
}

/// The way to the connection.
#[derive(Clone, Debug)]
pub(super) enum Worker {
    Thread(mpsc::Sender<Job>),
    Here(Arc<Mutex<Store>>),
}

impl Worker {
    /// Jobs are done by whoever asks, before the asking goes on.
    /// With the token key that the outbox is under.
    pub(super) fn here(path: &Path, clock: &Clock) -> Result<(Self, u32), OutboxError> {
        let store = Store::open(path, clock)?;
        let key = go_over::key(&store.connection)?;
        Ok((Self::Here(Arc::new(Mutex::new(store))), key))
    }

    /// The same on a thread of its own.
    pub(super) fn start(path: &Path, clock: &Clock) -> Result<(Self, u32), OutboxError> {
        let mut store = Store::open(path, clock)?;
        let key = go_over::key(&store.connection)?;
        let (jobs, mut waiting) = mpsc::channel::<Job>(WAITING);
        thread::Builder::new()
            .name("outbox".to_owned())
            .spawn(move || {
                while let Some(job) = waiting.blocking_recv() {
                    // A job that panicked has changed nothing: its transaction was rolled back. Who asked for it hears
                    // that there is no answer, and the others go on.
                    let _ = catch_unwind(AssertUnwindSafe(|| job(&mut store)));
                }
            })
            .map_err(|source| OutboxError::Open {
                path: path.to_owned(),
                source,
            })?;
        Ok((Self::Thread(jobs), key))
    }

    /// Runs `job` in one write transaction: all of it or nothing.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, OutboxError> + Send + 'static,
    ) -> Result<T, OutboxError> {
        self.run(move |store| store.transaction(true, job)).await
    }

    /// [`Self::write`] for what may be forgotten in a power cut without harm.
    pub(super) async fn note<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> Result<T, OutboxError> + Send + 'static,
    ) -> Result<T, OutboxError> {
        self.run(move |store| store.transaction(false, job)).await
    }

    /// Runs `job`, which only reads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, OutboxError> + Send + 'static,
    ) -> Result<T, OutboxError> {
        self.run(move |store| job(&store.connection)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T, OutboxError> + Send + 'static,
    ) -> Result<T, OutboxError> {
        let jobs = match self {
            Self::Thread(jobs) => jobs,
            Self::Here(store) => {
                return job(&mut store.lock().unwrap_or_else(PoisonError::into_inner));
            }
        };
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |store| {
            // The asker may have given up; what it asked for is done all the same.
            let _ = answer.send(job(store));
        });
        jobs.send(job).await.map_err(|_| OutboxError::Closed)?;
        answered.await.map_err(|_| OutboxError::Defect)?
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    #[tokio::test]
    async fn a_defect_in_one_job_takes_it_back_and_leaves_the_others_their_turn() {
        let folder = tempfile::tempdir().expect("a folder");
        let clock: Clock = Arc::new(OffsetDateTime::now_utc);
        let (worker, _) = Worker::start(&folder.path().join("o.sqlite"), &clock).expect("opened");
        let count = |tx: &Connection| {
            Ok(tx.query_row("SELECT acked FROM state", [], |row| row.get::<_, i64>(0))?)
        };
        let failed: Result<(), _> = worker
            .write(|tx| {
                tx.execute("UPDATE state SET acked = 7", [])?;
                panic!("a defect")
            })
            .await;
        assert!(matches!(failed, Err(OutboxError::Defect)), "{failed:?}");
        assert_eq!(worker.read(count).await.expect("it goes on"), 0);
    }
}
