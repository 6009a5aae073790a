//! Appending. One task takes whatever waits, writes it with one statement and then hands everybody a receipt:
//! alone an entry waits for nothing, under load many share a commit.
//!
//! Several hubs may write one log. The statement takes the log's lock; an entry behind one that another hub
//! has written meanwhile has a number that is taken, is refused by the primary key, and is written again behind
//! the log's real end, which is read under the lock.

use std::sync::Arc;
use std::time::Duration;

use metrics::histogram;
use serde_json::json;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::chain::Chain;
use super::checkpoint::CheckpointKey;
use super::denials::{Course, Denials};
use super::entry::{Action, Actor, Entry, Outcome};
use super::merkle::{Edge, Nodes, completed_by};
use super::receipt::{Batch, Receipt};
use super::recorded::Recorded;
use crate::background::caught;
use crate::store::{self, tx};
use crate::telemetry::metrics::{AUDIT_APPEND_SECONDS, AUDIT_BATCH_ENTRIES};

/// Entries that may wait; whoever finds no room waits before the door.
const QUEUE: usize = 1024;
/// Entries of one statement.
const BATCH: usize = 512;
/// How often denials are looked through that were counted and not recorded yet.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long more entries are let come while they come in company.
const GATHERING: Duration = Duration::from_millis(1);

/// Why nothing was recorded, and therefore nothing may be answered.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AuditError {
    #[error("write the audit log: {0}")]
    Database(Arc<sqlx::Error>),
    #[error("the hub is stopping and records nothing more")]
    Stopping,
    #[error("denied too often: beyond so many in a minute they are only counted")]
    DeniedTooOften,
    #[error("a defect of the hub kept an entry out of the audit log; its log says where")]
    Defect,
}

/// Entries that are written together or not at all.
struct Waiting {
    entries: Vec<Entry>,
    done: oneshot::Sender<Result<Vec<Receipt>, AuditError>>,
}

/// Where entries are handed over. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Audit {
    queue: mpsc::Sender<Waiting>,
    denials: Arc<Denials>,
}

/// The task behind [`Audit`].
pub struct AuditLog {
    pool: PgPool,
    key: Arc<CheckpointKey>,
    queue: mpsc::Receiver<Waiting>,
    denials: Arc<Denials>,
    /// The end of the log as this hub last saw it.
    end: Option<End>,
    /// Whether the last batch had several entries.
    in_company: bool,
    grown: watch::Sender<u64>,
}

/// Where the next entry goes.
#[derive(Clone, Debug)]
struct End {
    chain: Chain,
    edge: Edge,
}

impl Audit {
    /// The log on `pool`, which [`store::pool::audit`] makes, and the task that has to run for it. `key` signs what
    /// receipts say.
    pub fn new(pool: PgPool, key: Arc<CheckpointKey>) -> (Self, AuditLog) {
        let (sender, queue) = mpsc::channel(QUEUE);
        let denials = Arc::new(Denials::new());
        let log = AuditLog {
            pool,
            key,
            queue,
            denials: Arc::clone(&denials),
            end: None,
            in_company: false,
            grown: watch::Sender::new(0),
        };
        let audit = Self {
            queue: sender,
            denials,
        };
        (audit, log)
    }

    /// Returns when the entry is durable. A denial of a caller who was denied too often of late is counted instead.
    pub async fn append(&self, entry: Entry) -> Result<Receipt, AuditError> {
        match self.denials.course(entry, Instant::now()) {
            Course::Record(entry) => {
                let mut receipts = self.append_all(vec![entry]).await?;
                Ok(receipts.pop().expect("each entry has a receipt"))
            }
            Course::Count(now) => {
                if let Some(entry) = now {
                    self.append_all(vec![entry]).await?;
                }
                Err(AuditError::DeniedTooOften)
            }
        }
    }

    /// Records what came to nothing, and says what it is answered with: `answer`, or why it is not recorded.
    pub async fn refuse<E: From<AuditError>>(&self, entry: Entry, answer: E) -> E {
        match self.append(entry).await {
            Ok(_) => answer,
            Err(problem) => problem.into(),
        }
    }

    /// Returns when all the entries are durable, in one commit; none of them is when it fails.
    pub async fn append_all(&self, entries: Vec<Entry>) -> Result<Vec<Receipt>, AuditError> {
        let begun = Instant::now();
        let (done, receipts) = oneshot::channel();
        self.queue
            .send(Waiting { entries, done })
            .await
            .map_err(|_| AuditError::Stopping)?;
        let receipts = receipts.await.map_err(|_| AuditError::Defect)?;
        histogram!(AUDIT_APPEND_SECONDS).record(begun.elapsed().as_secs_f64());
        receipts
    }
}

/// Appends one entry on behalf of a command, for which no log runs.
pub async fn append_once(
    pool: PgPool,
    key: Arc<CheckpointKey>,
    entry: Entry,
) -> Result<Receipt, AuditError> {
    for_once(pool, key, async move |audit: &Audit| {
        audit.append(entry).await
    })
    .await
}

/// Lets `work` append on behalf of a command, for which no log runs.
pub async fn for_once<T>(
    pool: PgPool,
    key: Arc<CheckpointKey>,
    work: impl AsyncFnOnce(&Audit) -> T,
) -> T {
    let (audit, log) = Audit::new(pool, key);
    let stop = CancellationToken::new();
    let writing = tokio::spawn(log.run(stop.clone()));
    let done = work(&audit).await;
    stop.cancel();
    // It ends by itself; a panic in it has left entries unrecorded, which `work` was told.
    let _ = writing.await;
    done
}

impl AuditLog {
    /// The size of the tree after each batch of this hub. Ends when the log does.
    pub fn grown(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }

    /// Writes until `stop`, then what was handed over before. Entries at which a defect happens are not recorded, and
    /// whoever waits for them is told so: nothing is answered. The log goes on behind its end in the database.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut waiting = Vec::with_capacity(BATCH);
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = async {
                tokio::select! {
                    taken = self.queue.recv_many(&mut waiting, BATCH) => Some(taken),
                    _ = looks.tick() => None,
                }
            };
            match stop.run_until_cancelled(next).await {
                Some(Some(0)) => return,
                Some(Some(_)) => {
                    self.gather(&mut waiting).await;
                    caught("audit", self.write(&mut waiting)).await;
                }
                Some(None) => {
                    let due = self.denials.due(Instant::now());
                    self.write_by_itself(due).await;
                }
                None => break,
            }
        }
        let rest = self.denials.rest();
        self.write_by_itself(rest).await;
        self.queue.close();
        while self.queue.recv_many(&mut waiting, BATCH).await > 0 {
            caught("audit", self.write(&mut waiting)).await;
        }
    }

    /// Writes what nobody waits for.
    async fn write_by_itself(&mut self, entries: Vec<Entry>) {
        if entries.is_empty() {
            return;
        }
        let (done, mut written) = oneshot::channel();
        let mut waiting = vec![Waiting { entries, done }];
        caught("audit", self.write(&mut waiting)).await;
        if let Ok(Err(error)) = written.try_recv() {
            tracing::error!(%error, "denials that were counted could not be recorded");
        }
    }

    /// What a statement, a commit and a signature cost is shared by the entries of a batch: behind a batch of several,
    /// more are let come for a moment. An entry that comes alone is written at once.
    async fn gather(&mut self, waiting: &mut Vec<Waiting>) {
        if self.in_company {
            tokio::time::sleep(GATHERING).await;
            while waiting.len() < BATCH
                && let Ok(one) = self.queue.try_recv()
            {
                waiting.push(one);
            }
        }
        self.in_company = waiting.len() > 1;
    }

    async fn write(&mut self, waiting: &mut Vec<Waiting>) {
        let mut entries: Vec<Recorded> = Vec::with_capacity(waiting.len());
        let mut done = Vec::with_capacity(waiting.len());
        for one in waiting.drain(..) {
            done.push((one.entries.len(), one.done));
            entries.extend(one.entries.into_iter().map(Recorded::unplaced));
        }
        histogram!(AUDIT_BATCH_ENTRIES).record(entries.len() as f64);
        match self.append(&mut entries).await {
            Ok(batch) => {
                self.grown.send_replace(batch.head().size);
                let batch = Arc::new(batch);
                let mut written = entries.iter();
                for (count, done) in done {
                    let own = written.by_ref().take(count);
                    let receipts = own.map(|recorded| Receipt::new(recorded, &batch));
                    // Whoever went away has asked all the same.
                    let _ = done.send(Ok(receipts.collect()));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for (_, done) in done {
                    let _ = done.send(Err(AuditError::Database(Arc::clone(&error))));
                }
            }
        }
    }

    /// Writes behind the end this hub knows; behind the real one when it does not know it.
    async fn append(&mut self, entries: &mut [Recorded]) -> Result<Batch, sqlx::Error> {
        let now = OffsetDateTime::now_utc();
        // Whatever goes wrong below, the end has to be read again: a commit may have happened unseen.
        if let Some(mut end) = self.end.take() {
            let nodes = end.place(entries, now);
            match store::audit::insert(&self.pool, entries).await {
                Ok(()) => return Ok(self.remember(end, nodes)),
                Err(error) if store::audit::is_number_taken(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let mut transaction = tx::begin(&self.pool).await?;
        let chain = store::audit::chain(&mut *transaction).await?;
        let edge = store::audit::lock_edge(&mut transaction, &chain).await?;
        let mut end = End { chain, edge };
        if let Some(mut first) = end.first_leaf() {
            end.place(std::slice::from_mut(&mut first), now);
            store::audit::insert(&mut *transaction, &[first]).await?;
        }
        let nodes = end.place(entries, now);
        store::audit::insert(&mut *transaction, entries).await?;
        transaction.commit().await?;
        Ok(self.remember(end, nodes))
    }

    fn remember(&mut self, end: End, nodes: Nodes) -> Batch {
        let batch = Batch::new(end.chain, end.edge.head(), nodes, Arc::clone(&self.key));
        self.end = Some(end);
        batch
    }
}

impl End {
    /// Gives entries the next places. Returns the subtrees of which their proofs are made.
    fn place(&mut self, entries: &mut [Recorded], now: OffsetDateTime) -> Nodes {
        let mut nodes: Nodes = self.edge.nodes().collect();
        for entry in entries {
            let leaf = self.edge.size();
            entry.entry_no = store::audit::entry_of(&self.chain, leaf);
            entry.recorded_at = to_microseconds(now);
            let completed = self.edge.push(entry.hash());
            entry.tree = Some(completed.concat());
            nodes.extend(completed_by(leaf).zip(completed));
        }
        nodes
    }

    /// A tree that follows a chain begins with an entry that names the chain's end: who holds a checkpoint of the
    /// tree holds one of the chain.
    fn first_leaf(&self) -> Option<Recorded> {
        let Chain { entries, head } = self.chain;
        (entries > 0 && self.edge.size() == 0).then(|| {
            let head = data_encoding::HEXLOWER.encode(&head);
            let detail = json!({ "entries": entries, "head": head });
            let begun = Entry::of(Actor::Hub, Action::BeginTree, Outcome::Done, detail);
            Recorded::unplaced(begun)
        })
    }
}

/// PostgreSQL keeps microseconds.
fn to_microseconds(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_nanosecond(at.nanosecond() / 1000 * 1000)
        .expect("fewer nanoseconds than before")
}

impl std::fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditLog")
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
