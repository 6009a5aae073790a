//! Workers that take work up under a lease and do it in chunks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use linkage::node::NodeId;
use metrics::{counter, gauge, histogram};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::LinkingError;
use super::compare::{Candidates, Compared};
use super::conclude::{Conclusion, conclude, follow};
use super::intake::take_in;
use super::model::{Model, Models};
use crate::background::{Cause, Course, kept, rest_after};
use crate::rules::Rules;
use crate::store::linking::work::{self, Work};
use crate::store::linking::{self as store, block, link};
use crate::store::tx;
use crate::telemetry::metrics::{
    FINDINGS, LINKING_CASES, LINKING_CHUNK_SECONDS, LINKING_FAILURES, LINKING_LAG,
    LINKING_OVERFULL_KEYS, LINKING_OVERSIZE_COMPONENTS, LINKING_PAIRS, LINKING_PERSONS_CHANGED,
    LINKING_POSSIBLE_PAIRS, LINKING_SET_ASIDE, LINKING_WAITING,
};
use crate::traffic::{self, Traffic};

/// Cases and nodes of one chunk.
const MOST_AT_ONCE: usize = 1_000;
/// How long a worker may be silent before its work is anybody's.
const LEASE: Duration = Duration::from_secs(120);
/// How long the nodes of one chunk are compared; those left then are work of their own.
const LONGEST: Duration = Duration::from_secs(30);
/// How often an idle worker looks for work.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long work is left alone after it failed.
const REST: Duration = Duration::from_secs(5);
/// How often what waits is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(10);
/// Attempts of one chunk while other weights come in force.
const ATTEMPTS: u32 = 3;

/// Links persons over a pool that [`crate::store::pool::linking`] makes.
#[derive(Clone, Debug)]
pub struct Linking {
    pool: PgPool,
    models: Models,
    rules: Rules,
}

/// Nodes of a chunk that are compared at once.
enum Part {
    /// Others follow.
    First,
    /// None do; these are put down as work.
    Last(Vec<NodeId>),
}

/// The running workers.
#[derive(Debug)]
pub struct Workers {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Linking {
    /// `rules` say which cases of one person are the same matter.
    pub fn new(pool: PgPool, models: Models, rules: Rules) -> Self {
        Self {
            pool,
            models,
            rules,
        }
    }

    /// Starts so many workers, which yield to `traffic`.
    pub fn start(&self, workers: u32, traffic: &Traffic) -> Workers {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        for _ in 0..workers {
            let (linking, traffic, told) = (self.clone(), traffic.clone(), stop.clone());
            let run = move || linking.clone().run(traffic.clone(), told.clone());
            tasks.spawn(kept("linking", stop.clone(), run));
        }
        let (linking, told) = (self.clone(), stop.clone());
        let measure = move || linking.clone().measure(told.clone());
        tasks.spawn(kept("linking_measure", stop.clone(), measure));
        Workers { tasks, stop }
    }

    /// Takes up work until none waits that is free. Returns the number of chunks.
    pub async fn drain(&self) -> Result<usize, LinkingError> {
        let mut chunks = 0;
        while self.step().await? {
            chunks += 1;
        }
        Ok(chunks)
    }

    async fn run(self, traffic: Traffic, stop: CancellationToken) {
        while let Some(turn) = stop
            .run_until_cancelled(traffic.turn(traffic::Work::Linking))
            .await
        {
            let stepped = self.step().await;
            drop(turn);
            let pause = match stepped {
                Ok(true) => Duration::ZERO,
                Ok(false) => LOOK_EVERY,
                Err(error) => {
                    counter!(LINKING_FAILURES).increment(1);
                    // What the database said may hold a person's data; its kind does not.
                    tracing::error!(error = describe(&error), "persons could not be linked");
                    REST
                }
            };
            let pause = tokio::time::sleep(pause);
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }

    /// Does one chunk; false when there was none.
    async fn step(&self) -> Result<bool, LinkingError> {
        let work = work::take(&self.pool, MOST_AT_ONCE, LEASE).await?;
        if work.rows.is_empty() {
            return Ok(false);
        }
        match Course::of(work.attempt, work.cases.len()) {
            Course::Do => return self.attempt(&work).await,
            Course::Split => {
                for row in &work.rows {
                    work::split(&self.pool, *row, &work.cases).await?;
                }
            }
            Course::SetAside => {
                tracing::error!(
                    office = work.office_id.as_ref().map(tracing::field::display),
                    cause = work.cause.map(Cause::code),
                    "cases could not be linked again and again and are set aside; see `notary-hub work set-aside`"
                );
                work::set_aside(&self.pool, &work).await?;
            }
        }
        Ok(true)
    }

    async fn attempt(&self, work: &Work) -> Result<bool, LinkingError> {
        let begun = Instant::now();
        match self.link(work).await {
            Ok(conclusion) => {
                tally(work, &conclusion, begun.elapsed());
                Ok(true)
            }
            Err(LinkingError::Relinking) => {
                work::postpone(&self.pool, &work.rows, REST).await?;
                Ok(false)
            }
            Err(error) => {
                let rest = rest_after(work.attempt);
                // The lease would end by itself; this is only sooner.
                work::give_back(&self.pool, &work.rows, cause(&error), rest)
                    .await
                    .ok();
                Err(error)
            }
        }
    }

    async fn link(&self, work: &Work) -> Result<Conclusion, LinkingError> {
        for _ in 1..ATTEMPTS {
            match self.link_once(work).await {
                Err(LinkingError::OtherWeights) => {}
                done => return done,
            }
        }
        self.link_once(work).await
    }

    async fn link_once(&self, work: &Work) -> Result<Conclusion, LinkingError> {
        let begun = Instant::now();
        let (model, mut left) =
            tx::retried("linking.intake", || intake(&self.pool, &self.models, work)).await?;
        let mut conclusion = Conclusion::default();
        loop {
            let candidates = {
                let mut moment = tx::snapshot(&self.pool).await?;
                Candidates::take(&mut moment, &mut left, &model).await?
            };
            let scoring = Arc::clone(&model);
            let scored = tokio::task::spawn_blocking(move || candidates.score(&scoring)).await?;
            let compared = Arc::new(scored);
            let part = match left.is_empty() || begun.elapsed() > LONGEST {
                true => Part::Last(left.iter().copied().collect()),
                false => Part::First,
            };
            let concluded = tx::retried("linking.conclude", || {
                self.finish(&model, work, Arc::clone(&compared), &part)
            });
            conclusion.add(concluded.await?);
            if let Part::Last(_) = part {
                return Ok(conclusion);
            }
        }
    }

    async fn finish(
        &self,
        model: &Arc<Model>,
        work: &Work,
        compared: Arc<Compared>,
        part: &Part,
    ) -> Result<Conclusion, LinkingError> {
        let mut transaction = tx::begin(&self.pool).await?;
        if !store::enter(&mut transaction).await? {
            return Err(LinkingError::Relinking);
        }
        store::lock_clusters(&mut transaction).await?;
        let mut conclusion = conclude(&mut transaction, &compared, model).await?;
        if let Part::Last(_) = part {
            conclusion.touched.add_cases(work.office_id, &work.cases);
        }
        conclusion.findings =
            follow(&mut transaction, &self.rules, &conclusion.touched.cases).await?;
        if let Part::Last(rest) = part {
            work::add_nodes(&mut transaction, rest).await?;
            work::finish(&mut transaction, &work.rows).await?;
        }
        transaction.commit().await?;
        Ok(conclusion)
    }

    async fn measure(self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.measure_once().await {
                tracing::warn!(
                    error = describe(&error),
                    "what waits for linkage was not measured"
                );
            }
            let pause = tokio::time::sleep(MEASURE_EVERY);
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }

    async fn measure_once(&self) -> Result<(), LinkingError> {
        work::retry_set_aside(&self.pool).await?;
        let waiting = work::waiting(&self.pool).await?;
        gauge!(LINKING_SET_ASIDE).set(waiting.set_aside as f64);
        gauge!(LINKING_LAG).set(waiting.lag.as_secs_f64());
        gauge!(LINKING_WAITING).set(waiting.cases as f64);
        let mut connection = self.pool.acquire().await?;
        gauge!(LINKING_OVERFULL_KEYS).set(block::overfull(&mut connection).await? as f64);
        gauge!(LINKING_POSSIBLE_PAIRS).set(link::possible(&mut connection).await? as f64);
        Ok(())
    }
}

impl Workers {
    /// Ends after the chunks under way.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn intake(
    pool: &PgPool,
    models: &Models,
    work: &Work,
) -> Result<(Arc<Model>, BTreeSet<NodeId>), LinkingError> {
    let mut transaction = tx::begin(pool).await?;
    if !store::enter(&mut transaction).await? {
        return Err(LinkingError::Relinking);
    }
    let model = models.in_force(&mut transaction).await?;
    let nodes = take_in(&mut transaction, work, &model).await?;
    transaction.commit().await?;
    Ok((model, nodes))
}

fn tally(work: &Work, conclusion: &Conclusion, took: Duration) {
    histogram!(LINKING_CHUNK_SECONDS).record(took.as_secs_f64());
    counter!(LINKING_CASES).increment(work.cases.len() as u64);
    counter!(LINKING_PAIRS).increment(conclusion.pairs as u64);
    counter!(LINKING_PERSONS_CHANGED).increment(conclusion.touched.persons.len() as u64);
    for severity in &conclusion.findings.opened {
        counter!(FINDINGS, "severity" => *severity).increment(1);
    }
    if conclusion.placement.oversize > 0 {
        counter!(LINKING_OVERSIZE_COMPONENTS).increment(conclusion.placement.oversize as u64);
        tracing::warn!(
            components = conclusion.placement.oversize,
            "components with too many nodes are clustered by numbers and decisions alone"
        );
    }
    tracing::debug!(
        cases = work.cases.len(),
        pairs = conclusion.pairs,
        overfull = conclusion.overfull,
        moved = conclusion.placement.moved.len(),
        "linked a chunk"
    );
}

fn cause(error: &LinkingError) -> Cause {
    match error {
        LinkingError::Database(error) => Cause::from(error),
        LinkingError::Weights(_) => Cause::Unreadable,
        LinkingError::TooManyMentions => Cause::TooMuch,
        LinkingError::Scoring(_) => Cause::WorkerEnded,
        // Somebody else was always in the way.
        LinkingError::Vanished
        | LinkingError::OtherWeights
        | LinkingError::Relinking
        | LinkingError::RunUnderWay => Cause::TooLong,
    }
}

fn describe(error: &LinkingError) -> String {
    match error {
        LinkingError::Database(error) => tx::describe(error),
        other => other.to_string(),
    }
}
