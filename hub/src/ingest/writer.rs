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
use crate::store::tx::{describe, is_refusal};
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
                // A stream that has gone hears of it when it comes back. One that is told nothing ends, and its agent
                // sends again.
                if let Some(outcome) = outcome {
                    let _ = done.send(outcome);
                }
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
/// the office alone at whose records it happens. `None` for a job that was not stored; nothing of it is put into
/// quarantine, because the records are not at fault.
async fn store_apart(context: &Context, jobs: &[Job]) -> Vec<Option<Outcome>> {
    if let Some(outcomes) = caught("ingest", store_all(context, jobs)).await {
        return outcomes.into_iter().map(Some).collect();
    }
    if let [job] = jobs {
        tracing::error!(
            office = %job.office_id,
            sequence = job.first_sequence,
            records = job.records.len(),
            "a defect of the hub keeps records from being stored; their stream is ended"
        );
        return vec![None];
    }
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in jobs {
        outcomes.extend(Box::pin(store_apart(context, std::slice::from_ref(job))).await);
    }
    outcomes
}

/// Stores the jobs whatever it takes: failures that may pass are waited out, and a record that the database
/// refuses is isolated by halving.
async fn store_all(context: &Context, jobs: &[Job]) -> Vec<Outcome> {
    match store_patiently(context, jobs, Treatment::Store).await {
        Ok(outcomes) => outcomes,
        Err(refusal) => {
            let records: usize = jobs.iter().map(|job| job.records.len()).sum();
            tracing::error!(
                error = describe(&refusal),
                records,
                "the database refused a batch; isolating the record at fault"
            );
            let mut outcomes = Vec::with_capacity(jobs.len());
            for job in jobs {
                outcomes.push(isolate(context, job.clone()).await);
            }
            outcomes
        }
    }
}

/// Tries until stored; an error is a refusal of the data.
async fn store_patiently(
    context: &Context,
    jobs: &[Job],
    treatment: Treatment,
) -> Result<Vec<Outcome>, sqlx::Error> {
    let begun = Instant::now();
    let mut failed = false;
    loop {
        match batch::store(context, jobs, treatment).await {
            Ok((outcomes, tally)) => {
                if failed {
                    tracing::info!("the database takes batches again");
                }
                measure(jobs, &tally, begun.elapsed());
                return Ok(outcomes);
            }
            Err(error) if is_refusal(&error) => return Err(error),
            Err(error) => {
                if !failed {
                    tracing::error!(
                        error = describe(&error),
                        "the database does not take a batch; trying again until it does"
                    );
                    failed = true;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Stores a job in halves until the refused records stand alone, and puts those into quarantine.
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
            Err(refusal) => {
                tracing::error!(
                    office = %part.office_id,
                    sequence = part.first_sequence,
                    error = describe(&refusal),
                    "a record the database refuses goes into quarantine"
                );
                store_patiently(context, std::slice::from_ref(&part), Treatment::Quarantine).await
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
            Err(refusal) => {
                tracing::error!(error = describe(&refusal), "quarantine was refused as well");
                return Outcome::Gap {
                    from_sequence: part.first_sequence,
                };
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
