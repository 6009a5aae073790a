//! Taking in what offices send: decode → writer → one transaction → ack.
//!
//! An office's records go through one writer, in order; several offices' records share a transaction when
//! they wait together. Nothing is acknowledged before COMMIT.

pub mod batch;
pub mod decode;
pub mod plan;
mod writer;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use linkage::office::OfficeId;
use metrics::gauge;
use notary_proto::hub::v1 as wire;
use sqlx::PgPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::batch::{Job, Outcome};
use self::decode::Decoded;
use self::writer::Writer;
use crate::rules::Rules;
use crate::statistics::calendar::Calendar;
use crate::statistics::contribution;
use crate::telemetry::metrics::INGEST_QUEUE;
use crate::traffic::Traffic;

/// Records that may wait before one writer: three full transactions, and the bound of its memory.
const ROOM: u32 = 15_000;
/// Jobs that may wait before one writer. Small messages fill this before they fill [`ROOM`].
const QUEUE: usize = 4096;

/// How ingest works.
#[derive(Clone, Copy, Debug)]
pub struct IngestConfig {
    /// Writers; one for each core is enough, because the database does most of the work.
    pub writers: u32,
    /// The city's key as long as no other one came into force.
    pub first_token_key: u32,
}

/// What every writer needs.
#[derive(Debug)]
struct Context {
    pool: PgPool,
    rules: Rules,
    calendar: Arc<Calendar>,
    /// By which cases are counted.
    basis: String,
    first_token_key: i32,
    traffic: Traffic,
}

/// Where streams hand over what they received. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ingest {
    lanes: Arc<[Lane]>,
    rules: Rules,
    calendar: Arc<Calendar>,
}

/// The way to one writer.
#[derive(Debug)]
struct Lane {
    queue: mpsc::Sender<Queued>,
    room: Arc<Semaphore>,
    label: String,
}

/// A job, who waits for its outcome, and the room it takes until then.
#[derive(Debug)]
struct Queued {
    job: Job,
    done: oneshot::Sender<Outcome>,
    room: OwnedSemaphorePermit,
}

/// The running writers.
#[derive(Debug)]
pub struct Writers {
    tasks: TaskTracker,
    closing: CancellationToken,
    giving_up: CancellationToken,
}

/// The hub is stopping and takes nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hub is stopping; send again after reconnecting")]
pub struct Stopping;

impl Ingest {
    /// Starts the writers on `pool`, which [`crate::store::pool::writers`] makes. What they write goes before
    /// background work.
    pub fn start(
        pool: PgPool,
        rules: Rules,
        calendar: Calendar,
        traffic: Traffic,
        config: IngestConfig,
    ) -> (Self, Writers) {
        let calendar = Arc::new(calendar);
        let context = Arc::new(Context {
            pool,
            rules: rules.clone(),
            basis: contribution::basis(&calendar),
            calendar: Arc::clone(&calendar),
            first_token_key: i32::try_from(config.first_token_key)
                .expect("token key ids count up from 1"),
            traffic,
        });
        let writers = Writers {
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            giving_up: CancellationToken::new(),
        };
        let lanes = (0..config.writers.max(1))
            .map(|number| writers.spawn(Arc::clone(&context), number.to_string()))
            .collect();
        let ingest = Self {
            lanes,
            rules,
            calendar,
        };
        (ingest, writers)
    }

    /// Reads one record as it came over the wire.
    pub fn decode(&self, record: wire::Record) -> Decoded {
        decode::decode(record, &self.rules.current(), &self.calendar)
    }

    /// Hands over a job; the receiver hears after COMMIT. Waits while the writer has no room.
    pub async fn submit(&self, job: Job) -> Result<oneshot::Receiver<Outcome>, Stopping> {
        let lane = self.lane_of(job.office_id);
        let records = job.records.len();
        let room = u32::try_from(records).unwrap_or(ROOM).min(ROOM);
        let room = Arc::clone(&lane.room).acquire_many_owned(room);
        let room = room.await.map_err(|_| Stopping)?;
        let (done, outcome) = oneshot::channel();
        // Counted before the writer can count it out again.
        let waiting = || gauge!(INGEST_QUEUE, "writer" => lane.label.clone());
        waiting().increment(records as f64);
        if lane.queue.send(Queued { job, done, room }).await.is_err() {
            waiting().decrement(records as f64);
            return Err(Stopping);
        }
        Ok(outcome)
    }

    fn lane_of(&self, office_id: OfficeId) -> &Lane {
        let mut hasher = DefaultHasher::new();
        office_id.hash(&mut hasher);
        let lane = hasher.finish() % self.lanes.len() as u64;
        &self.lanes[usize::try_from(lane).expect("there are few lanes")]
    }
}

impl Writers {
    fn spawn(&self, context: Arc<Context>, label: String) -> Lane {
        let (sender, queue) = mpsc::channel(QUEUE);
        let writer = Writer {
            context,
            queue,
            label: label.clone(),
            closing: self.closing.clone(),
            giving_up: self.giving_up.clone(),
        };
        self.tasks.spawn(writer.run());
        Lane {
            queue: sender,
            room: Arc::new(Semaphore::new(ROOM as usize)),
            label,
        }
    }

    /// Takes nothing more, and waits until everything handed over is committed. A database that does not
    /// come back is given up after `grace`: what was not acknowledged is sent again.
    pub async fn shutdown(self, grace: Duration) {
        self.closing.cancel();
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                "the database did not take the last batches in time; agents will send them again"
            );
            self.giving_up.cancel();
            self.tasks.wait().await;
        }
    }
}
