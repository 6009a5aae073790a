//! What became of it, for people and for `report.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::fault::Fault;

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
    pub faults: BTreeMap<Fault, Thrown>,
    /// From the last fault until everything was at the hub.
    pub settled_in_seconds: f64,
    pub lost: u64,
    pub duplicated: u64,
    /// What is wrong, in words.
    pub complaints: Vec<String>,
}

/// One kind of fault.
#[derive(Clone, Debug, Default)]
pub struct Thrown {
    pub cycles: u64,
    /// From the end of some of them until everything was at the hub.
    pub recovered_ms: Vec<u64>,
}

impl Outcome {
    pub(crate) fn of(seed: u64) -> Self {
        Self {
            seed,
            cases: 0,
            changes: 0,
            acked: 0,
            faults: BTreeMap::new(),
            settled_in_seconds: 0.0,
            lost: 0,
            duplicated: 0,
            complaints: Vec::new(),
        }
    }

    /// In one line, and what is wrong below it.
    pub fn line(&self) -> String {
        let faults = self.faults.iter();
        let faults: Vec<String> = faults
            .map(|(fault, thrown)| format!("{} × {}", thrown.cycles, fault.name()))
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

    /// Nothing lost, nothing twice, and it settled by itself each time.
    pub fn is_well(&self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.complaints.is_empty()
    }
}

/// All rounds.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    seed: u64,
    faults: u64,
    /// Processes that died by SIGKILL.
    kills: u64,
    cases: u64,
    changes: u64,
    acked: u64,
    lost: u64,
    duplicated: u64,
    scenarios: BTreeMap<&'static str, Scenario>,
    rounds: Vec<Outcome>,
    #[serde(skip)]
    thrown: BTreeMap<Fault, Thrown>,
    #[serde(skip)]
    agents: u64,
}

/// One kind of fault over all rounds.
#[derive(Clone, Debug, Serialize)]
struct Scenario {
    cycles: u64,
    /// Of those after which the city could settle.
    measured: usize,
    recovered_p50_ms: Option<u64>,
    /// The nearest rank: of fewer than a hundred, the longest.
    recovered_p99_ms: Option<u64>,
}

impl Report {
    /// Of rounds from this seed on, in cities with so many agents.
    pub fn new(seed: u64, agents: u64) -> Self {
        Self {
            seed,
            faults: 0,
            kills: 0,
            cases: 0,
            changes: 0,
            acked: 0,
            lost: 0,
            duplicated: 0,
            scenarios: BTreeMap::new(),
            rounds: Vec::new(),
            thrown: BTreeMap::new(),
            agents,
        }
    }

    pub fn add(&mut self, outcome: Outcome) {
        for (fault, thrown) in &outcome.faults {
            self.faults += thrown.cycles;
            self.kills += thrown.cycles * fault.kills(self.agents);
            let all = self.thrown.entry(*fault).or_default();
            all.cycles += thrown.cycles;
            all.recovered_ms.extend(&thrown.recovered_ms);
            self.scenarios.insert(fault.name(), Scenario::of(all));
        }
        self.cases += outcome.cases;
        self.changes += outcome.changes;
        self.acked += outcome.acked;
        self.lost += outcome.lost;
        self.duplicated += outcome.duplicated;
        self.rounds.push(outcome);
    }

    /// As JSON.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        Ok(std::fs::write(file, serde_json::to_vec_pretty(self)?)?)
    }

    /// Each scenario, and the sum.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{:<34} {:>6} {:>9} {:>8} {:>8}\n",
            "scenario", "cycles", "measured", "p50 ms", "p99 ms"
        );
        let shown = |ms: Option<u64>| ms.map_or("–".to_owned(), |ms| ms.to_string());
        for (name, scenario) in &self.scenarios {
            text += &format!(
                "{name:<34} {:>6} {:>9} {:>8} {:>8}\n",
                scenario.cycles,
                scenario.measured,
                shown(scenario.recovered_p50_ms),
                shown(scenario.recovered_p99_ms),
            );
        }
        let missing: Vec<_> = self.not_thrown().collect();
        if !missing.is_empty() {
            text += &format!("never thrown here: {}\n", missing.join(", "));
        }
        text + &format!(
            "{} rounds, {} faults, {} processes killed, {} cases, {} changes, {} records acked: {} lost, {} duplicated",
            self.rounds.len(),
            self.faults,
            self.kills,
            self.cases,
            self.changes,
            self.acked,
            self.lost,
            self.duplicated
        )
    }

    /// Kinds that these rounds say nothing of: too few of them, or the machine lacks what they take (a disk root, clocks
    /// libfaketime).
    fn not_thrown(&self) -> impl Iterator<Item = &'static str> {
        Fault::all()
            .map(Fault::name)
            .filter(|name| !self.scenarios.contains_key(name))
    }

    /// Whether every round ended well, and there was one.
    pub fn is_well(&self) -> bool {
        !self.rounds.is_empty() && self.rounds.iter().all(Outcome::is_well)
    }
}

impl Scenario {
    fn of(thrown: &Thrown) -> Self {
        let mut sorted = thrown.recovered_ms.clone();
        sorted.sort_unstable();
        let rank = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100);
            sorted.get(rank.checked_sub(1)?).copied()
        };
        Self {
            cycles: thrown.cycles,
            measured: sorted.len(),
            recovered_p50_ms: rank(50),
            recovered_p99_ms: rank(99),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_counts_each_kill_and_ranks_what_was_measured() {
        let mut report = Report::new(1, 6);
        let mut outcome = Outcome::of(1);
        let thrown = |cycles, recovered_ms| Thrown {
            cycles,
            recovered_ms,
        };
        outcome
            .faults
            .insert(Fault::KillEverything, thrown(2, vec![30, 10, 20]));
        outcome.faults.insert(Fault::CutNetwork, thrown(3, vec![]));
        report.add(outcome);
        assert_eq!((report.faults, report.kills), (5, 14));
        let killed = &report.scenarios["all killed"];
        assert_eq!(
            (killed.recovered_p50_ms, killed.recovered_p99_ms),
            (Some(20), Some(30))
        );
        assert_eq!(report.scenarios["network cut"].recovered_p99_ms, None);
        assert!(report.is_well());
        let text = report.text();
        let missing = text.lines().find(|line| line.starts_with("never thrown"));
        let missing = missing.expect("most kinds are missing");
        assert!(missing.contains("disk full") && !missing.contains("all killed"));
        let lost = Outcome {
            lost: 1,
            ..Outcome::of(2)
        };
        report.add(lost);
        assert!(!report.is_well());
    }
}
