//! The library's side of the comparison: one process that reads a file of records and links it.

use std::{num::NonZeroUsize, path::Path, time::Instant};

use linkage::{
    bulk::{Collection, Scope, share_names},
    weights::Weights,
};
use serde::{Deserialize, Serialize};

use crate::{file::Mentions, pairs::MOST_IN_BLOCK, training::train_on};

/// Where the weights of a job come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum WeightsOf {
    /// Trained on the records themselves, as a part of the job.
    Training,
    /// Those that come with the program.
    Shipped,
}

/// What a job says of itself, in whatever language it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobReport {
    /// Seconds of each phase: read, train, and so on.
    pub phases: std::collections::BTreeMap<String, f64>,
    /// Most memory that the process held up to the end of the job.
    pub peak_kib: u64,
    /// Match weight from which pairs were linked.
    pub threshold: f64,
    /// Whatever else there is to say.
    #[serde(flatten)]
    pub more: serde_json::Map<String, serde_json::Value>,
}

impl JobReport {
    /// Of all phases.
    pub fn seconds(&self) -> f64 {
        self.phases.values().sum()
    }
}

/// Links a file of records. Returns the person of each, and the report.
pub fn link_file(
    path: &Path,
    weights_of: WeightsOf,
    workers: NonZeroUsize,
) -> anyhow::Result<(Vec<u32>, JobReport)> {
    let mut phases = Phases::default();
    let mut read = phases.time("read", || Mentions::read(path, workers.get()))?;
    phases.time("read", || share_names(&mut read.mentions, workers));
    let weights = match weights_of {
        WeightsOf::Training => phases.time("train", || train_on(&read.mentions, workers))?,
        WeightsOf::Shipped => Weights::builtin().scaled_to(read.mentions.len() as u64),
    };
    let collection = phases.time("block", || {
        Collection::new(&read.ids, &read.nodes, &read.mentions)
    });
    let candidates = phases.time("block", || {
        collection.candidates(MOST_IN_BLOCK, Scope::Linkable, workers)
    });
    let links = phases.time("score", || collection.score(&candidates, &weights, workers));
    let persons = phases.time("cluster", || collection.persons(&links, weights.link()));
    let more = [
        ("nodes", collection.nodes().len()),
        ("candidates", candidates.pairs.len()),
        ("links", links.len()),
        ("overfull_keys", candidates.overfull.len()),
    ];
    let report = JobReport {
        phases: phases.0,
        peak_kib: peak_kib()?,
        threshold: f64::from(weights.link().millibits()) / 1_000.0,
        more: more
            .into_iter()
            .map(|(name, count)| (name.to_owned(), count.into()))
            .collect(),
    };
    Ok((persons, report))
}

#[derive(Default)]
struct Phases(std::collections::BTreeMap<String, f64>);

impl Phases {
    fn time<R>(&mut self, name: &str, work: impl FnOnce() -> R) -> R {
        let started = Instant::now();
        let result = work();
        *self.0.entry(name.to_owned()).or_default() += started.elapsed().as_secs_f64();
        result
    }
}

/// Most memory that this process has held.
fn peak_kib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap_or_default();
    Ok(line.trim_end_matches("kB").trim().parse()?)
}
