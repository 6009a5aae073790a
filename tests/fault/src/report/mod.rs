//! What became of it, for people and for `report.json`.

mod outcome;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

pub use outcome::Outcome;
use outcome::Thrown;

use crate::fault::Fault;
use crate::means::{Absence, Lack};

/// A run of so many minutes or more fails when it never threw a kind that the machine could throw.
const LONG_RUN_MINUTES: f64 = 10.0;

/// What a run is asked for.
#[derive(Clone, Debug)]
pub struct Run {
    pub seed: u64,
    pub minutes: f64,
    pub kinds: Vec<Fault>,
    /// Of each round's city.
    pub agents: u64,
}

/// All rounds.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    seed: u64,
    minutes: f64,
    faults: u64,
    /// Processes that died by SIGKILL.
    kills: u64,
    cases: u64,
    changes: u64,
    acked: u64,
    lost: u64,
    duplicated: u64,
    writes: u64,
    looks: u64,
    looks_unanswered: u64,
    anomalies: u64,
    scenarios: BTreeMap<&'static str, Scenario>,
    never_thrown: Vec<NeverThrown>,
    /// Why the run failed; empty when all is well.
    failed_because: Vec<String>,
    rounds: Vec<Outcome>,
    #[serde(skip)]
    thrown: BTreeMap<Fault, Thrown>,
    #[serde(skip)]
    run: Run,
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

/// A kind that these rounds say nothing of.
#[derive(Clone, Debug, Serialize)]
struct NeverThrown {
    kind: &'static str,
    why: &'static str,
    #[serde(skip)]
    cause: Cause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Machine(Lack),
    /// The machine can throw it.
    TooFewRounds,
}

impl Cause {
    const fn text(self) -> &'static str {
        match self {
            Self::Machine(Lack::Mount) => {
                "no disk can be mounted: that takes root, and in a container CAP_SYS_ADMIN"
            }
            Self::Machine(Lack::Libfaketime) => {
                "no clock can be set: libfaketime is not installed (deploy/setup.sh fault)"
            }
            Self::TooFewRounds => "too few rounds",
        }
    }
}

impl Report {
    pub fn new(run: Run) -> Self {
        let mut report = Self {
            seed: run.seed,
            minutes: run.minutes,
            faults: 0,
            kills: 0,
            cases: 0,
            changes: 0,
            acked: 0,
            lost: 0,
            duplicated: 0,
            writes: 0,
            looks: 0,
            looks_unanswered: 0,
            anomalies: 0,
            scenarios: BTreeMap::new(),
            never_thrown: Vec::new(),
            failed_because: Vec::new(),
            rounds: Vec::new(),
            thrown: BTreeMap::new(),
            run,
        };
        report.judge();
        report
    }

    pub fn add(&mut self, outcome: Outcome) {
        for (fault, thrown) in &outcome.faults {
            self.faults += thrown.cycles;
            self.kills += thrown.cycles * fault.kills(self.run.agents);
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
        self.writes += outcome.writes;
        self.looks += outcome.looks;
        self.looks_unanswered += outcome.looks_unanswered;
        self.anomalies += outcome.anomalies;
        self.rounds.push(outcome);
        self.judge();
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
        for NeverThrown { kind, why, .. } in &self.never_thrown {
            text += &format!("never thrown: {kind}: {why}\n");
        }
        text += &format!(
            "{} rounds, {} faults, {} processes killed, {} cases, {} changes, {} records acked: {} lost, {} duplicated\n\
             {} writes and {} looks of the witness ({} more without an answer): {} anomalies",
            self.rounds.len(),
            self.faults,
            self.kills,
            self.cases,
            self.changes,
            self.acked,
            self.lost,
            self.duplicated,
            self.writes,
            self.looks,
            self.looks_unanswered,
            self.anomalies
        );
        for reason in &self.failed_because {
            text += &format!("\nfailed: {reason}");
        }
        text
    }

    /// Whether every round ended well, there was one, and a long run threw what it could.
    pub fn is_well(&self) -> bool {
        self.failed_because.is_empty()
    }

    fn judge(&mut self) {
        let kinds = self.run.kinds.iter();
        let never = kinds.filter(|kind| !self.thrown.contains_key(kind));
        self.never_thrown = never.map(|kind| self.never(*kind)).collect();
        let ill = self.rounds.iter().filter(|round| !round.is_well());
        self.failed_because = ill
            .map(|round| format!("seed {}: {}", round.seed, round.sum()))
            .collect();
        if self.rounds.is_empty() {
            self.failed_because.push("no round was played".to_owned());
        }
        if self.minutes >= LONG_RUN_MINUTES {
            let missing = self.never_thrown.iter();
            let missing = missing.filter(|never| never.cause == Cause::TooFewRounds);
            self.failed_because.extend(missing.map(|never| {
                let (kind, minutes) = (never.kind, self.minutes);
                format!(
                    "{kind} was never thrown in {minutes} minutes, though nothing here prevents it"
                )
            }));
        }
    }

    /// Why a kind was never thrown: whatever a city that could have had it says of the machine.
    fn never(&self, kind: Fault) -> NeverThrown {
        let absences = self.rounds.iter().map(|round| round.absent.get(&kind));
        let mut lacks = absences.filter_map(|absence| match absence {
            Some(Absence::OnThisMachine(lack)) => Some(*lack),
            Some(Absence::InOtherCities) | None => None,
        });
        let cause = lacks.next().map_or(Cause::TooFewRounds, Cause::Machine);
        NeverThrown {
            kind: kind.name(),
            why: cause.text(),
            cause,
        }
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
mod tests;
