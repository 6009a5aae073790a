//! What became of one round.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::fault::Fault;
use crate::means::Absence;
use crate::usage::Usage;
use crate::witness::Verdict;

/// One round.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    pub seed: u64,
    pub cases: u64,
    /// Cases that changed while things broke.
    pub changes: u64,
    /// Records of which agents know that the hub has committed them.
    pub acked: u64,
    #[serde(skip)]
    pub(crate) faults: BTreeMap<Fault, Thrown>,
    /// What this city or machine could not be thrown.
    #[serde(skip)]
    pub(crate) absent: BTreeMap<Fault, Absence>,
    /// From the last fault until everything was at the hub.
    pub settled_in_seconds: f64,
    pub lost: u64,
    pub duplicated: u64,
    /// Writes of the witness that the hub acknowledged.
    pub writes: u64,
    /// Its looks that were answered, and those that were not.
    pub looks: u64,
    pub looks_unanswered: u64,
    /// Looks that showed less than was acknowledged or seen before.
    pub anomalies: u64,
    /// What programs held whenever the city had settled.
    pub(crate) usage: Usage,
    /// What is wrong, in words.
    pub complaints: Vec<String>,
}

/// One kind of fault.
#[derive(Clone, Debug, Default)]
pub(crate) struct Thrown {
    pub(crate) cycles: u64,
    /// From the end of some of them until everything was at the hub.
    pub(crate) recovered_ms: Vec<u64>,
}

impl Outcome {
    pub(crate) fn of(seed: u64) -> Self {
        Self {
            seed,
            cases: 0,
            changes: 0,
            acked: 0,
            faults: BTreeMap::new(),
            absent: BTreeMap::new(),
            settled_in_seconds: 0.0,
            lost: 0,
            duplicated: 0,
            writes: 0,
            looks: 0,
            looks_unanswered: 0,
            anomalies: 0,
            usage: Usage::default(),
            complaints: Vec::new(),
        }
    }

    pub(crate) fn thrown(&mut self, fault: Fault) -> &mut Thrown {
        self.faults.entry(fault).or_default()
    }

    pub(crate) fn hear(&mut self, verdict: Verdict) {
        self.writes = verdict.writes;
        self.looks = verdict.looks;
        self.looks_unanswered = verdict.unanswered;
        self.anomalies = verdict.anomalies;
        self.complaints.extend(verdict.complaints);
    }

    /// In one line, and what is wrong below it.
    pub fn line(&self) -> String {
        let faults = self.faults.iter();
        let faults: Vec<String> = faults
            .map(|(fault, thrown)| format!("{} × {}", thrown.cycles, fault.name()))
            .collect();
        let mut text = format!(
            "seed {}: {} cases, {} changes; {}; settled in {:.1} s: {}",
            self.seed,
            self.cases,
            self.changes,
            faults.join(", "),
            self.settled_in_seconds,
            self.sum()
        );
        for complaint in &self.complaints {
            text += &format!("\n  {complaint}");
        }
        text
    }

    /// What must be nothing.
    pub(crate) fn sum(&self) -> String {
        format!(
            "{} lost, {} duplicated, {} anomalies in {} looks, {} complaints",
            self.lost,
            self.duplicated,
            self.anomalies,
            self.looks,
            self.complaints.len()
        )
    }

    /// Nothing lost, nothing twice, nothing seen that went back, and it settled by itself each time.
    pub fn is_well(&self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.anomalies == 0 && self.complaints.is_empty()
    }
}
