//! Lives, moments and disks: recorded once, then broken again and again.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, anyhow};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde::Serialize;
use tempfile::TempDir;

use crate::DATA_DIR;
use crate::check::{Found, IDENTITY, Identities, look};
use crate::disk::{Disk, State};
use crate::life::Part;
use crate::promise::{Mark, Promises};
use crate::trace::{self, Event};

/// Complaints that are told in full.
const TOLD: usize = 20;
/// Where nothing has to wait for a disk, if there is such a place.
const MEMORY: &str = "/dev/shm";

/// All that an agent did to its disk from its enrolment on.
#[derive(Clone, Debug)]
pub struct Life {
    seed: u64,
    events: Vec<Event>,
}

/// What it came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub lives: u64,
    /// Calls that changed files or made them durable.
    pub calls: u64,
    /// Disks as they may be after the power has failed.
    pub points: u64,
    /// Promised records looked for, over all points.
    pub acknowledged: u64,
    pub lost: u64,
    /// Disks on which the outbox does not open.
    pub unopened: u64,
    /// Disks on which anything is wrong.
    pub wrong: u64,
    /// The first of them.
    pub complaints: Vec<String>,
}

impl Life {
    /// Records it: all its processes, one after the other. `program` has the command `live`.
    ///
    /// # Errors
    /// When strace is missing, or the agent's code fails.
    pub fn record(program: &Path, seed: u64) -> anyhow::Result<Self> {
        let folder = place()?;
        let mut events = Vec::new();
        for nth in 0..Part::OF_A_LIFE {
            let (life, part) = (format!("--seed={seed}"), format!("--nth={nth}"));
            let mut live = Command::new(program);
            live.args(["live", &life, &part, "--folder"])
                .arg(folder.path());
            let recorded = trace::record(&live, folder.path());
            events.extend(recorded.with_context(|| format!("life {seed}, process {nth}"))?);
        }
        Ok(Self { seed, events })
    }

    /// Cuts the power at so many points, spread over its calls.
    fn cut(&self, disk: Disk, points: u64) -> anyhow::Result<Report> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let identity = Path::new(DATA_DIR).join(IDENTITY);
        let mut state = State::empty(disk);
        let (mut promises, mut identities) = (Promises::default(), Identities::default());
        let weights: u64 = self.events.iter().map(weight).sum();
        let (mut report, mut passed) = (Report::default(), 0);
        (report.lives, report.calls) = (1, self.events.len() as u64);
        for (nth, event) in self.events.iter().enumerate() {
            state.take(event);
            match event {
                Event::Said(Mark::Enrolled) => identities.promised = state.content(&identity),
                Event::Said(mark) => promises.hear(mark.clone()),
                Event::Renamed { to, .. } if *to == identity => {
                    identities.seen = state.content(to);
                }
                _ => {}
            }
            passed += weight(event);
            while report.points < points * passed / weights {
                let place = place()?;
                let mut dice = ChaCha8Rng::seed_from_u64(self.seed << 32 | report.points);
                state.leave(&mut dice, place.path())?;
                let found = look(place.path(), &promises, &identities, &runtime);
                let at = format!("life {}, call {nth}, point {}", self.seed, report.points);
                report.take(found, &promises, &at);
            }
        }
        Ok(report)
    }
}

/// Cuts the power at so many points of each life.
///
/// # Errors
/// When a disk cannot be made.
pub fn cut(lives: &[Life], disk: Disk, points_of_each: u64) -> anyhow::Result<Report> {
    let next = AtomicUsize::new(0);
    let work = || -> anyhow::Result<Report> {
        let mut report = Report::default();
        while let Some(life) = lives.get(next.fetch_add(1, Ordering::Relaxed)) {
            report.add(life.cut(disk, points_of_each)?);
        }
        Ok(report)
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let mut all = Report::default();
        for worker in workers {
            all.add(worker.join().map_err(|_| anyhow!("a worker panicked"))??);
        }
        Ok(all)
    })
}

/// How many disks are made after a call, in proportion: names change rarely, and then much depends on them.
fn weight(event: &Event) -> u64 {
    match event {
        Event::Made(_) | Event::FolderMade(_) | Event::Renamed { .. } | Event::Removed(_) => 100,
        _ => 1,
    }
}

/// An empty folder.
fn place() -> std::io::Result<TempDir> {
    tempfile::tempdir_in(MEMORY).or_else(|_| tempfile::tempdir())
}

impl Report {
    fn take(&mut self, found: Found, promises: &Promises, told: &str) {
        let Found {
            lost,
            wrong,
            opened,
        } = found;
        self.points += 1;
        self.acknowledged += promises.records().count() as u64;
        self.lost += lost;
        self.unopened += u64::from(!opened);
        if lost == 0 && wrong.is_none() {
            return;
        }
        self.wrong += 1;
        let wrong = wrong
            .map(|error| format!(", {error:#}"))
            .unwrap_or_default();
        self.complaints.push(format!("{told}: {lost} lost{wrong}"));
        self.complaints.truncate(TOLD);
    }

    fn add(&mut self, other: Self) {
        self.lives += other.lives;
        self.calls += other.calls;
        self.points += other.points;
        self.acknowledged += other.acknowledged;
        self.lost += other.lost;
        self.unopened += other.unopened;
        self.wrong += other.wrong;
        self.complaints.extend(other.complaints);
        self.complaints.truncate(TOLD);
    }

    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        Ok(fs::write(file, serde_json::to_vec_pretty(self)?)?)
    }

    /// In one line, and what is wrong below it.
    pub fn text(&self) -> String {
        let Self {
            lives,
            calls,
            points,
            acknowledged,
            lost,
            unopened,
            wrong,
            ..
        } = self;
        let sum = format!(
            "{lives} lives, {calls} calls, {points} points, {acknowledged} acknowledged records looked for: \
             {lost} lost, {unopened} unopened, {wrong} points with anything wrong"
        );
        let lines = self
            .complaints
            .iter()
            .map(|complaint| format!("\n  {complaint}"));
        lines.fold(sum, |text, line| text + &line)
    }

    /// Whether everything that was promised was found, and something was.
    pub fn is_well(&self) -> bool {
        self.acknowledged > 0 && self.wrong == 0
    }
}
