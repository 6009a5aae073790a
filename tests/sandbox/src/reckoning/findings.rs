//! Duplicate findings against what was planted.

use std::collections::{HashMap, HashSet};

use synthetic_city::{CaseRef, City, PlantedKind};

use super::hub::Finding;

pub(super) struct Findings {
    pub(super) planted: usize,
    pub(super) found: usize,
    pub(super) missed: Vec<String>,
    pub(super) false_findings: Vec<String>,
}

type Pair = (String, (String, String), (String, String));

pub(super) fn compare(city: &City, offices: &[usize], found: Vec<Finding>) -> Findings {
    let taking_part: HashSet<&str> = offices
        .iter()
        .map(|&office| city.offices()[office].id.as_str())
        .collect();
    let case = |case: CaseRef| (case.office_id, case.source_case_id);
    let planted: HashMap<Pair, (PlantedKind, &str)> = city
        .truth()
        .planted
        .into_iter()
        .filter(|pair| {
            [&pair.left, &pair.right]
                .iter()
                .all(|side| taking_part.contains(side.office_id.as_str()))
        })
        .map(|pair| {
            let named = (pair.rule_id, case(pair.left), case(pair.right));
            (named, (pair.kind, pair.severity.code()))
        })
        .collect();
    let mut hits: HashSet<Pair> = HashSet::new();
    let mut false_findings = Vec::new();
    for finding in found {
        let pair = (finding.rule_id, finding.left, finding.right);
        match planted.get(&pair) {
            Some((_, severity)) if *severity == finding.severity => {
                hits.insert(pair);
            }
            _ => false_findings.push(format!("{} ({})", words(&pair), finding.severity)),
        }
    }
    let exact = || {
        planted
            .iter()
            .filter(|(_, (kind, _))| *kind == PlantedKind::Exact)
            .map(|(pair, _)| pair)
    };
    let missed: Vec<String> = exact()
        .filter(|pair| !hits.contains(*pair))
        .map(words)
        .collect();
    Findings {
        planted: exact().count(),
        found: exact().count() - missed.len(),
        missed,
        false_findings,
    }
}

fn words((rule, left, right): &Pair) -> String {
    format!("{rule}: {}/{} and {}/{}", left.0, left.1, right.0, right.1)
}
