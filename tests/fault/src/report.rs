//! What became of it, for people and for `report.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

/// One round.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    pub(crate) cases: u64,
    /// Cases that changed while things broke.
    pub(crate) changes: u64,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// From the last fault until everything was at the hub.
    pub(crate) settled_in_seconds: f64,
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    /// What is wrong, in words; the first twenty.
    pub(crate) complaints: Vec<String>,
}

impl Outcome {
    pub(crate) fn line(&self) -> String {
        let faults: Vec<String> = self
            .faults
            .iter()
            .map(|(kind, count)| format!("{count} × {kind}"))
            .collect();
        let mut text = format!(
            "seed {}: {} cases, {} changes; {}; settled in {:.1} s: {} lost, {} duplicated",
            self.seed,
            self.cases,
            self.changes,
            faults.join(", "),
            self.settled_in_seconds,
            self.lost,
            self.duplicated
        );
        for complaint in &self.complaints {
            text += &format!("\n  {complaint}");
        }
        text
    }

    fn is_well(&self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.complaints.is_empty()
    }
}

/// All rounds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    seed: u64,
    faults: u64,
    cases: u64,
    changes: u64,
    lost: u64,
    duplicated: u64,
    rounds: Vec<Outcome>,
}

impl Report {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            faults: 0,
            cases: 0,
            changes: 0,
            lost: 0,
            duplicated: 0,
            rounds: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, outcome: Outcome) {
        self.faults += outcome.faults.values().sum::<u64>();
        self.cases += outcome.cases;
        self.changes += outcome.changes;
        self.lost += outcome.lost;
        self.duplicated += outcome.duplicated;
        self.rounds.push(outcome);
    }

    pub(crate) fn write(&self, file: &Path) -> anyhow::Result<()> {
        Ok(std::fs::write(file, serde_json::to_vec_pretty(self)?)?)
    }

    pub(crate) fn line(&self) -> String {
        format!(
            "{} rounds, {} faults, {} cases, {} changes: {} lost, {} duplicated",
            self.rounds.len(),
            self.faults,
            self.cases,
            self.changes,
            self.lost,
            self.duplicated
        )
    }

    pub(crate) fn is_well(&self) -> bool {
        !self.rounds.is_empty() && self.rounds.iter().all(Outcome::is_well)
    }
}
