//! The last line of `--once`.

use std::collections::BTreeMap;

use linkage::matter::Severity;
use sandbox::{FigureReckoning, Measured, Reckoning, Tally};
use serde::Serialize;

use super::supervision::Oversight;

/// The figures, under the names that scripts read.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Summary {
    offices: usize,
    cases_at_sources: u64,
    cases_at_hub: u64,
    /// Records in quarantine, each under the rule and, where the record says one, the key that the city's truth names.
    rejected: u64,
    /// Source cases neither at the hub in their newest content nor rightly in quarantine.
    lost: u64,
    /// Cases with more than one effect: more history than changes, or a figure that is not its recomputation.
    duplicated: u64,
    /// Pairs hidden in the city that equal numbers show.
    planted_duplicates: usize,
    found_duplicates: usize,
    /// Findings of the hub that are no planted pair.
    false_duplicates: usize,
    /// The same three by severity.
    exact: BTreeMap<&'static str, Measured>,
    /// Pairs hidden in the city that only comparison shows, because a number is missing or mistyped, and findings by
    /// persons, which say no more than that it is possible.
    fuzzy: BTreeMap<&'static str, Measured>,
    /// What the offices do wrong, by rule of supervision: the city hides nothing else.
    breaches: BTreeMap<String, Measured>,
    /// Everything the offices do wrong is pointed at, and nothing else.
    #[serde(skip)]
    breaches_are_well: bool,
    /// Periodic filings that are missing although they came, or the other way round.
    wrongly_missing: usize,
    /// Figures of an office and a month that are not what the city's cases come to.
    wrong_figures: usize,
    /// From the last case at the hub until all its persons were linked.
    linking_seconds: f64,
    /// What an agent holds in memory once its office is at the hub, MB: the most of all agents.
    agent_memory_mb: f64,
    /// From the first moment to this line.
    seconds: f64,
}

impl Summary {
    pub(super) fn new(
        reckoning: &Reckoning,
        oversight: &Oversight,
        figures: &FigureReckoning,
        statistics_differences: usize,
        linking_seconds: f64,
        agent_memory_mb: f64,
        seconds: f64,
    ) -> Self {
        let tenths = |seconds: f64| (seconds * 10.0).round() / 10.0;
        Self {
            offices: reckoning.offices.len(),
            cases_at_sources: reckoning.at_sources(),
            cases_at_hub: reckoning.at_hub(),
            rejected: reckoning.rejected(),
            lost: reckoning.lost(),
            duplicated: reckoning.repeated() + statistics_differences as u64,
            planted_duplicates: reckoning.planted,
            found_duplicates: reckoning.found,
            false_duplicates: reckoning.false_findings.len(),
            exact: measured(&reckoning.exact),
            fuzzy: measured(&reckoning.fuzzy),
            breaches: oversight
                .breaches
                .by_rule
                .iter()
                .map(|(rule, tally)| (rule.clone(), tally.measured()))
                .collect(),
            breaches_are_well: oversight.breaches.complaints().is_empty(),
            wrongly_missing: oversight.left_out.differences.len(),
            wrong_figures: figures.differences.len(),
            linking_seconds: tenths(linking_seconds),
            agent_memory_mb: tenths(agent_memory_mb),
            seconds: tenths(seconds),
        }
    }

    pub(super) fn is_well(&self) -> bool {
        self.lost == 0
            && self.duplicated == 0
            && self.breaches_are_well
            && self.wrongly_missing == 0
            && self.wrong_figures == 0
            && self.false_duplicates == 0
            && self.found_duplicates == self.planted_duplicates
    }
}

fn measured(tallies: &BTreeMap<Severity, Tally>) -> BTreeMap<&'static str, Measured> {
    tallies
        .iter()
        .map(|(severity, tally)| (severity.code(), tally.measured()))
        .collect()
}
