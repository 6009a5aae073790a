//! The ratios against their gates: a table for people, JSON for programs.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::copy::TABLES;
use crate::load::Load;
use crate::lookup;
use crate::persons;
use crate::site::Settings;

/// Cases in a second, measured side by side.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Round {
    pub(crate) copy: f64,
    /// 2 agents × 1000-case messages into empty tables.
    pub(crate) first: f64,
    /// The same again.
    pub(crate) replay: f64,
    /// 30 agents × 20-case messages.
    pub(crate) small: f64,
}

/// What is compared, and what the design asks for.
pub(crate) struct Measure<R> {
    pub(crate) id: &'static str,
    pub(crate) what: &'static str,
    pub(crate) gate: f64,
    pub(crate) stretch: f64,
    /// Whether the gate is a most, not a least.
    pub(crate) less_is_better: bool,
    pub(crate) ratio: fn(&R) -> f64,
}

const MEASURES: [Measure<Round>; 3] = [
    Measure {
        id: "ingest_to_copy",
        what: "full ingest (mTLS, all effects, ack after COMMIT) / raw 2-connection COPY",
        gate: 0.45,
        stretch: 0.60,
        less_is_better: false,
        ratio: |round| round.first / round.copy,
    },
    Measure {
        id: "replay_to_first",
        what: "replay of a stored stream / first ingest",
        gate: 2.0,
        stretch: 4.0,
        less_is_better: false,
        ratio: |round| round.replay / round.first,
    },
    Measure {
        id: "small_to_large_messages",
        what: "30 agents x 20-case messages / 2 agents x 1000-case messages",
        gate: 0.5,
        stretch: 0.75,
        less_is_better: false,
        ratio: |round| round.small / round.first,
    },
];

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    settings: Settings,
    cases: usize,
    parties: usize,
    on_top_of: u32,
    tables: [&'static str; 4],
    rounds: Vec<Round>,
    lookups: Vec<lookup::Round>,
    persons: Option<persons::Figures>,
    results: Vec<Verdict>,
}

/// One ratio against its gate.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verdict {
    id: &'static str,
    what: &'static str,
    /// Median of the rounds.
    ratio: f64,
    lowest: f64,
    highest: f64,
    gate: f64,
    stretch: f64,
    pass: bool,
}

impl Report {
    pub(crate) fn new(settings: Settings, load: &Load, on_top_of: u32) -> Self {
        Self {
            settings,
            cases: load.cases(),
            parties: load.parties(),
            on_top_of,
            tables: TABLES,
            rounds: Vec::new(),
            lookups: Vec::new(),
            persons: None,
            results: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, round: Round) {
        self.rounds.push(round);
        self.results = verdicts(&self.rounds, &MEASURES);
    }

    /// After the last round of taking cases in.
    pub(crate) fn add_lookups(&mut self, rounds: Vec<lookup::Round>) {
        self.lookups = rounds;
        self.results
            .extend(verdicts(&self.lookups, &lookup::MEASURES));
    }

    /// After everything else.
    pub(crate) fn add_persons(&mut self, figures: persons::Figures) {
        self.results
            .extend(verdicts(&figures.rounds, &persons::MEASURES));
        self.persons = Some(figures);
    }

    /// Whether every gate is met.
    pub(crate) fn passes(&self) -> bool {
        pass(&self.results)
    }

    pub(crate) fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "\n{}\n{} cases with {} parties on top of {}; COPY into {}\n",
            self.settings,
            self.cases,
            self.parties,
            self.on_top_of,
            TABLES.join(", "),
        )?;
        for (name, rate) in [
            ("COPY", (|round| round.copy) as fn(&Round) -> f64),
            ("2 x 1000", |round| round.first),
            ("replay", |round| round.replay),
            ("30 x 20", |round| round.small),
        ] {
            let rate = median(&sorted(&self.rounds, rate));
            writeln!(out, "{name:<10} {rate:>9.0} cases/s")?;
        }
        for round in &self.lookups {
            writeln!(out, "look-ups   {round}")?;
        }
        if let Some(persons) = &self.persons {
            write!(out, "{persons}")?;
        }
        print_verdicts(&mut out, &self.results)
    }
}

/// A report as JSON.
pub(crate) fn write(report: &impl Serialize, file: &Path) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(std::fs::write(file, serde_json::to_vec_pretty(report)?)?)
}

pub(crate) fn print_verdicts(out: &mut impl Write, verdicts: &[Verdict]) -> io::Result<()> {
    writeln!(
        out,
        "\n{:<76} {:>6} {:>13} {:>5} {:>7}",
        "ratio, median of the rounds", "", "range", "gate", "stretch"
    )?;
    for verdict in verdicts {
        writeln!(out, "{verdict}")?;
    }
    Ok(())
}

/// Whether every gate is met.
pub(crate) fn pass(verdicts: &[Verdict]) -> bool {
    verdicts.iter().all(|verdict| verdict.pass)
}

/// The rounds against the gates.
pub(crate) fn verdicts<R>(rounds: &[R], measures: &[Measure<R>]) -> Vec<Verdict> {
    let verdicts = measures.iter().map(|measure| verdict(rounds, measure));
    verdicts.collect()
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            ratio,
            lowest,
            highest,
            gate,
            stretch,
            pass,
            ..
        } = self;
        write!(
            f,
            "{what:<76} {ratio:>6.2} {lowest:>6.2}-{highest:<6.2} {gate:>5.2} {stretch:>7.2}  {}",
            if *pass { "pass" } else { "MISSED" },
        )
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            copy,
            first,
            replay,
            small,
        } = self;
        write!(
            f,
            "COPY {copy:.0}, 2 x 1000 {first:.0}, replay {replay:.0}, 30 x 20 {small:.0} cases/s"
        )
    }
}

/// Says what goes on.
pub(crate) fn progress(text: &str) -> io::Result<()> {
    writeln!(io::stderr().lock(), "{text}")
}

fn verdict<R>(rounds: &[R], measure: &Measure<R>) -> Verdict {
    let ratios = sorted(rounds, measure.ratio);
    let ratio = median(&ratios);
    Verdict {
        id: measure.id,
        what: measure.what,
        ratio,
        lowest: ratios.first().copied().unwrap_or(ratio),
        highest: ratios.last().copied().unwrap_or(ratio),
        gate: measure.gate,
        stretch: measure.stretch,
        pass: match measure.less_is_better {
            true => ratio <= measure.gate,
            false => ratio >= measure.gate,
        },
    }
}

pub(crate) fn sorted<R>(rounds: &[R], value: fn(&R) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = rounds.iter().map(value).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// Of sorted values.
pub(crate) fn median(values: &[f64]) -> f64 {
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_or_between_the_two() {
        assert!((median(&[1.0, 2.0, 9.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[1.0, 2.0, 4.0, 9.0]) - 3.0).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }
}
