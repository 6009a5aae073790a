//! A writer: takes everything that waits, commits it once, then tells everybody. Batches grow under load and
//! stay small when little comes in; no timer is needed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use linkage::vocabulary::RejectRule;
use metrics::{counter, gauge, histogram};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::batch::{self, Job, Outcome, Tally, Treatment};
use super::{Context, Queued};
use crate::background::caught;
use crate::store::tx::{describe, is_refusal, is_unreadable};
use crate::telemetry::metrics::{
    FINDINGS, INGEST_BATCH_RECORDS, INGEST_BATCH_SECONDS, INGEST_QUEUE, INGEST_RECORDS, REJECTS,
    REVISION_CONFLICTS,
};

/// Records that one transaction takes at most; beyond this, larger batches are not faster.
const MOST_RECORDS: usize = 5000;
/// Wait after a database failure that may pass.
const PAUSE: Duration = Duration::from_millis(500);

/// One of the hub's writers.
pub(super) struct Writer {
    pub context: Arc<Context>,
    pub queue: mpsc::Receiver<Queued>,
    /// Its number, as a metric's label.
    pub label: String,
    /// Nothing more is taken; what was handed over is still committed.
    pub closing: CancellationToken,
    /// The database does not come back: what is not committed stays so.
    pub giving_up: CancellationToken,
}

impl Writer {
    /// Runs until it is closed and everything handed over is committed, or until it gives up.
    pub(super) async fn run(mut self) {
        while let Some(batch) = self.next_batch().await {
            let mut jobs = Vec::with_capacity(batch.len());
            let mut waiting = Vec::with_capacity(batch.len());
            for queued in batch {
                gauge!(INGEST_QUEUE, "writer" => self.label.clone())
                    .decrement(queued.job.records.len() as f64);
                jobs.push(queued.job);
                waiting.push((queued.done, queued.room));
            }
            let under_way = self.context.traffic.enter();
            let outcomes = tokio::select! {
                outcomes = store_apart(&self.context, &jobs) => outcomes,
                () = self.giving_up.cancelled() => return,
            };
            drop(under_way);
            for ((done, _room), outcome) in waiting.into_iter().zip(outcomes) {
                // A stream that has gone hears of it when it comes back.
                let _ = done.send(outcome);
            }
        }
    }

    async fn next_batch(&mut self) -> Option<Vec<Queued>> {
        let first = tokio::select! {
            first = self.queue.recv() => first?,
            () = self.closing.cancelled() => {
                self.queue.close();
                self.queue.recv().await?
            }
        };
        let mut records = first.job.records.len();
        let mut batch = vec![first];
        while records < MOST_RECORDS
            && let Ok(next) = self.queue.try_recv()
        {
            records += next.job.records.len();
            batch.push(next);
        }
        Some(batch)
    }
}

/// Stores the jobs, those of one stream apart from the others once a defect of the hub ended the attempt: it holds up
/// the office alone at whose records it happens.
async fn store_apart(context: &Context, jobs: &[Job]) -> Vec<Outcome> {
    if let Some(outcomes) = caught("ingest", store_all(context, jobs)).await {
        return outcomes;
    }
    if let [job] = jobs {
        tracing::error!(
            office = %job.office_id,
            sequence = job.first_sequence,
            records = job.records.len(),
            "a defect of the hub keeps records from being stored; their stream is ended"
        );
        return vec![Outcome::NotStored];
    }
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in jobs {
        outcomes.extend(Box::pin(store_apart(context, std::slice::from_ref(job))).await);
    }
    outcomes
}

/// Stores the jobs whatever it takes: failures that may pass are waited out, and a record that cannot be stored is isolated
/// by halving.
async fn store_all(context: &Context, jobs: &[Job]) -> Vec<Outcome> {
    match store_patiently(context, jobs, Treatment::Store).await {
        Ok(outcomes) => outcomes,
        Err(unstorable) => {
            let records: usize = jobs.iter().map(|job| job.records.len()).sum();
            tracing::error!(
                error = describe(&unstorable.error),
                records,
                "a batch cannot be stored; isolating the record that it is about"
            );
            let mut outcomes = Vec::with_capacity(jobs.len());
            for job in jobs {
                outcomes.push(isolate(context, job.clone()).await);
            }
            outcomes
        }
    }
}

/// Why jobs cannot be stored, however often it is tried.
struct Unstorable {
    /// By which their records go into quarantine.
    rule: RejectRule,
    error: sqlx::Error,
}

impl Unstorable {
    /// What may pass is returned as it is.
    fn of(error: sqlx::Error) -> Result<Self, sqlx::Error> {
        let rule = if is_refusal(&error) {
            RejectRule::StoreRefused
        } else if is_unreadable(&error) {
            RejectRule::StoredUnreadable
        } else {
            return Err(error);
        };
        Ok(Self { rule, error })
    }
}

/// Tries until stored.
async fn store_patiently(
    context: &Context,
    jobs: &[Job],
    treatment: Treatment,
) -> Result<Vec<Outcome>, Unstorable> {
    let begun = Instant::now();
    let mut failed = false;
    loop {
        let error = match batch::store(context, jobs, treatment).await {
            Ok((outcomes, tally)) => {
                if failed {
                    tracing::info!("the database takes batches again");
                }
                measure(jobs, &tally, begun.elapsed());
                return Ok(outcomes);
            }
            Err(error) => error,
        };
        let passing = match Unstorable::of(error) {
            Ok(unstorable) => return Err(unstorable),
            Err(passing) => passing,
        };
        if !failed {
            tracing::error!(
                error = describe(&passing),
                "the database does not take a batch; trying again until it does"
            );
            failed = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Stores a job in halves until the records that cannot be stored stand alone, and puts those into quarantine.
async fn isolate(context: &Context, job: Job) -> Outcome {
    let mut parts = vec![job];
    let mut rejects = Vec::new();
    let mut committed = 0;
    while let Some(part) = parts.pop() {
        let stored = match store_patiently(context, std::slice::from_ref(&part), Treatment::Store)
            .await
        {
            Err(_) if part.records.len() > 1 => {
                let (front, back) = part.halves();
                parts.extend([back, front]);
                continue;
            }
            Err(Unstorable { rule, error }) => {
                tracing::error!(
                    office = %part.office_id,
                    sequence = part.first_sequence,
                    rule = rule.code(),
                    error = describe(&error),
                    "a record that cannot be stored goes into quarantine; its agent offers it again every hour"
                );
                let treatment = Treatment::Quarantine(rule);
                store_patiently(context, std::slice::from_ref(&part), treatment).await
            }
            stored => stored,
        };
        match stored.map(|mut outcomes| outcomes.remove(0)) {
            Ok(Outcome::Committed {
                committed_sequence,
                rejects: more,
            }) => {
                committed = committed_sequence;
                rejects.extend(more);
            }
            // The rest cannot be taken either; the agent is told where to go on.
            Ok(other) => return other,
            Err(unstorable) => {
                tracing::error!(
                    office = %part.office_id,
                    error = describe(&unstorable.error),
                    "not even quarantine can be written for an office: its position or what all records need cannot be \
                     read; its stream is ended"
                );
                return Outcome::NotStored;
            }
        }
    }
    Outcome::Committed {
        committed_sequence: committed,
        rejects,
    }
}

impl Job {
    fn halves(mut self) -> (Self, Self) {
        let middle = self.records.len() / 2;
        let back = Self {
            records: self.records.split_off(middle),
            first_sequence: self.first_sequence + middle as u64,
            ..self
        };
        let front = Self {
            // What waits behind the front includes the back.
            backlog: back.backlog.saturating_add(back.records.len() as u64),
            ..self
        };
        (front, back)
    }
}

fn measure(jobs: &[Job], tally: &Tally, took: Duration) {
    let records: usize = jobs.iter().map(|job| job.records.len()).sum();
    histogram!(INGEST_BATCH_RECORDS).record(records as f64);
    histogram!(INGEST_BATCH_SECONDS).record(took.as_secs_f64());
    for (effect, count) in [
        ("new", tally.new),
        ("changed", tally.changed),
        ("unchanged", tally.unchanged),
        ("rejected", tally.rejected.len() as u64),
    ] {
        counter!(INGEST_RECORDS, "effect" => effect).increment(count);
    }
    for (office_id, found_by, rule) in &tally.rejected {
        counter!(REJECTS, "found_by" => found_by.code(), "rule" => *rule).increment(1);
        if *rule == RejectRule::RevisionConflict.code() {
            counter!(REVISION_CONFLICTS, "office" => office_id.to_string()).increment(1);
        }
    }
    for severity in &tally.findings {
        counter!(FINDINGS, "severity" => *severity).increment(1);
    }
}
