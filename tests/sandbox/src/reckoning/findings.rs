//! Duplicate findings against what was planted.

use std::collections::{BTreeMap, HashMap, HashSet};

use linkage::matter::Severity;
use serde::Serialize;
use synthetic_city::{CaseRef, City, PlantedKind};

use super::hub::Finding;

/// What became of the planted pairs of one kind and severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub planted: usize,
    pub found: usize,
    /// Findings that are no planted pair: the city hides nothing else.
    pub false_ones: usize,
}

/// A tally as it is told.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Measured {
    planted: usize,
    found: usize,
    r#false: usize,
    recall: Option<f64>,
    precision: Option<f64>,
}

pub(super) struct Findings {
    /// Pairs that equal numbers show.
    pub(super) exact: BTreeMap<Severity, Tally>,
    /// Pairs in which the number of one side is missing or mistyped, and findings by persons.
    pub(super) fuzzy: BTreeMap<Severity, Tally>,
    pub(super) missed: Vec<String>,
    pub(super) missed_fuzzy: Vec<String>,
    pub(super) false_findings: Vec<String>,
}

impl Tally {
    pub fn measured(self) -> Measured {
        let share = |of: usize| (of > 0).then(|| self.found as f64 / of as f64);
        Measured {
            planted: self.planted,
            found: self.found,
            r#false: self.false_ones,
            recall: share(self.planted),
            precision: share(self.found + self.false_ones),
        }
    }
}

type Pair = (String, (String, String), (String, String));

pub(super) fn compare(city: &City, offices: &[usize], found: Vec<Finding>) -> Findings {
    let planted = planted(city, offices);
    let mut tallies: HashMap<PlantedKind, BTreeMap<Severity, Tally>> = HashMap::new();
    let mut tally = |kind: PlantedKind, severity: Severity, add: fn(&mut Tally)| {
        add(tallies
            .entry(kind)
            .or_default()
            .entry(severity)
            .or_default());
    };
    for (kind, severity) in planted.values() {
        tally(*kind, *severity, |tally| tally.planted += 1);
    }
    let mut hits: HashSet<Pair> = HashSet::new();
    let mut false_findings = Vec::new();
    for finding in found {
        let pair = (finding.rule_id, finding.left, finding.right);
        match planted.get(&pair) {
            Some((kind, severity)) if *severity == finding.severity => {
                tally(*kind, *severity, |tally| tally.found += 1);
                hits.insert(pair);
            }
            _ => {
                tally(finding.kind, finding.severity, |tally| {
                    tally.false_ones += 1
                });
                let severity = finding.severity.code();
                false_findings.push(format!("{} ({severity})", words(&pair)));
            }
        }
    }
    let missed = |wanted: PlantedKind| -> Vec<String> {
        let missed = planted
            .iter()
            .filter(|(pair, (kind, _))| *kind == wanted && !hits.contains(*pair));
        missed.map(|(pair, _)| words(pair)).collect()
    };
    Findings {
        missed: missed(PlantedKind::Exact),
        missed_fuzzy: missed(PlantedKind::Fuzzy),
        exact: tallies.remove(&PlantedKind::Exact).unwrap_or_default(),
        fuzzy: tallies.remove(&PlantedKind::Fuzzy).unwrap_or_default(),
        false_findings,
    }
}

/// Pairs with both sides at offices that take part.
fn planted(city: &City, offices: &[usize]) -> HashMap<Pair, (PlantedKind, Severity)> {
    let taking_part: HashSet<&str> = offices
        .iter()
        .map(|&office| city.offices()[office].id.as_str())
        .collect();
    let case = |case: CaseRef| (case.office_id, case.source_case_id);
    let pairs = city.truth().planted.into_iter();
    pairs
        .filter(|pair| {
            [&pair.left, &pair.right]
                .iter()
                .all(|side| taking_part.contains(side.office_id.as_str()))
        })
        .map(|pair| {
            let named = (pair.rule_id, case(pair.left), case(pair.right));
            (named, (pair.kind, pair.severity))
        })
        .collect()
}

fn words((rule, left, right): &Pair) -> String {
    format!("{rule}: {}/{} and {}/{}", left.0, left.1, right.0, right.1)
}
