//! One vector: quiet, attack, recovery.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::Context;
use sandbox::memory::Memory;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, timeout};

use crate::attacker::{Attacker, Counts, Door, Extent};
use crate::neighbour::{Heard, Neighbours};
use crate::report::{Latency, Row};
use crate::{Site, Vector};

/// What an attack may take beyond its time, to let go of what it holds.
const OVERTIME: Duration = Duration::from_secs(5);
/// How long recovery is waited for.
const RECOVERY_WATCHED: Duration = Duration::from_secs(15);
/// One look at whether all is as it was.
const GLANCE: Duration = Duration::from_millis(200);

/// Threads of the attacker's own, last in line for the processor: on a machine that attacker, hub and neighbours share,
/// the measure should speak of the hub.
///
/// # Errors
/// When they cannot be started.
pub fn attackers_threads() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .on_thread_start(|| {
            // Where it is not allowed the attack is a little less fair.
            let _ = rustix::process::nice(19);
        })
        .build()
        .context("start the attacker's threads")
}

/// How long.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    pub quiet: Duration,
    pub attack: Duration,
}

/// Quiet whiles that count. Of each figure the middle one is taken: other work on the machine comes and goes, and one
/// stall in quiet times must not excuse a late answer under attack.
const QUIET_WHILES: usize = 8;

/// A hub, who attacks it, who is served beside.
#[derive(Debug)]
pub struct Stage<'a> {
    pub site: &'a mut Site,
    pub neighbours: &'a Neighbours,
    pub threads: &'a Runtime,
    pub times: Times,
    quiet: VecDeque<Latency>,
}

impl<'a> Stage<'a> {
    pub fn new(
        site: &'a mut Site,
        neighbours: &'a Neighbours,
        threads: &'a Runtime,
        times: Times,
    ) -> Self {
        Self {
            site,
            neighbours,
            threads,
            times,
            quiet: VecDeque::new(),
        }
    }

    /// Measures neighbours undisturbed once more; how it is for them in the last quiet whiles.
    pub async fn quiet(&mut self) -> Latency {
        let heard = self.neighbours.listen(self.times.quiet).await;
        self.quiet.push_back(Latency::of(heard));
        if self.quiet.len() > QUIET_WHILES {
            self.quiet.pop_front();
        }
        Latency::middle(self.quiet.make_contiguous())
    }

    /// Plays one vector at one door and measures.
    ///
    /// # Errors
    /// When the attack could not be made or the hub not be measured. What the hub does is in the row.
    pub async fn play(&mut self, vector: &Vector, door: Door) -> anyhow::Result<Row> {
        let quiet = self.quiet().await;
        self.site.forget_peak()?;
        let quiet_mb = self.site.memory()?.now;
        let attacker = self.site.attacker(door, Extent::Time(self.times.attack));
        self.neighbours.heard();
        let begun = Instant::now();
        let limit = self.times.attack + OVERTIME;
        let counts = attack(self.threads, vector, attacker.clone(), limit).await?;
        let lasted = begun.elapsed();
        let attacked = self.neighbours.heard();
        let recovery = recovery(self.neighbours, &attacker, &quiet).await?;
        let crash = self.site.crash()?;
        let memory = match crash {
            None => self.site.memory()?,
            Some(_) => Memory::UNKNOWN,
        };
        Ok(Row {
            vector: vector.name,
            what: vector.what,
            door,
            attack_seconds: lasted.as_secs_f64(),
            counts,
            quiet_mb,
            peak_mb: memory.most,
            after_mb: memory.now,
            turned_away: attacked.turned_away,
            strangers_shut_out: vector.shuts_strangers_out,
            failures: attacked.failures.clone(),
            attacked: Latency::of(attacked),
            quiet,
            recovery_seconds: recovery.map(|recovery| recovery.as_secs_f64()),
            crash,
            tries: 1,
        })
    }
}

async fn attack(
    threads: &Runtime,
    vector: &Vector,
    attacker: Attacker,
    limit: Duration,
) -> anyhow::Result<Counts> {
    let tally = std::sync::Arc::clone(&attacker.tally);
    let vector = *vector;
    let attacking = threads.spawn(async move {
        // What an attack holds when its time is over is let go of here.
        timeout(limit, vector.run(attacker)).await
    });
    // One that is cut off has attacked as well.
    if let Ok(done) = attacking.await.context("the attacker panicked")? {
        done.with_context(|| format!("attack with {}", vector.name))?;
    }
    Ok(tally.counts())
}

/// How long it takes until neighbours are served as before and the attacker's own address is let in again, like
/// anybody's. `None` when it takes longer than anybody waits.
async fn recovery(
    neighbours: &Neighbours,
    attacker: &Attacker,
    quiet: &Latency,
) -> anyhow::Result<Option<Duration>> {
    let begun = Instant::now();
    while begun.elapsed() < RECOVERY_WATCHED {
        let so_far = begun.elapsed();
        let heard = neighbours.listen(GLANCE).await;
        let well = heard.failures.is_empty()
            && heard.turned_away == 0
            && within(&heard.lookups, quiet.lookup_p99)
            && within(&heard.health, quiet.health_p99);
        if well && attacker.enter().await?.is_some() {
            return Ok(Some(so_far));
        }
    }
    Ok(None)
}

/// Half of the answers of a glance, at least, take no longer than in quiet times nearly all did.
fn within(answers: &[Duration], quiet_p99: f64) -> bool {
    Heard::percentile(answers.to_vec(), 50) <= quiet_p99
}
