//! How good a clustering is against the truth.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use linkage::{
    block::Blocks,
    cluster::{Evidence, Pair, resolve},
    compare::{Field, Mention},
    weights::MatchWeight,
};

use crate::population::Population;

/// Pairwise and mention by mention (B-cubed).
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Quality {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    pub b_cubed_f1: f64,
}

impl Quality {
    /// Compares found persons with the true ones, mention by mention in the same order.
    pub fn of<F: Copy + Eq + Hash>(found: &[F], truth: &[u64]) -> Self {
        let mut both: HashMap<(F, u64), u64> = HashMap::new();
        let mut by_found: HashMap<F, u64> = HashMap::new();
        let mut by_truth: HashMap<u64, u64> = HashMap::new();
        for (&found, &truth) in found.iter().zip(truth) {
            *both.entry((found, truth)).or_default() += 1;
            *by_found.entry(found).or_default() += 1;
            *by_truth.entry(truth).or_default() += 1;
        }
        let pairs = |count: u64| (count * (count - 1) / 2) as f64;
        let shared: f64 = both.values().map(|&count| pairs(count)).sum();
        let linked: f64 = by_found.values().map(|&count| pairs(count)).sum();
        let matches: f64 = by_truth.values().map(|&count| pairs(count)).sum();
        let (mut own_precision, mut own_recall) = (0.0, 0.0);
        for (&(found, truth), &count) in &both {
            let squared = (count * count) as f64;
            own_precision += squared / by_found[&found] as f64;
            own_recall += squared / by_truth[&truth] as f64;
        }
        let mentions = truth.len().max(1) as f64;
        let (precision, recall) = (shared / linked.max(1.0), shared / matches.max(1.0));
        Self {
            precision,
            recall,
            f1: harmonic(precision, recall),
            b_cubed_f1: harmonic(own_precision / mentions, own_recall / mentions),
        }
    }
}

fn harmonic(a: f64, b: f64) -> f64 {
    if a + b > 0.0 {
        2.0 * a * b / (a + b)
    } else {
        0.0
    }
}

impl std::fmt::Display for Quality {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            precision,
            recall,
            f1,
            b_cubed_f1,
        } = self;
        write!(
            f,
            "precision {precision:.5} recall {recall:.5} F1 {f1:.5} B-cubed F1 {b_cubed_f1:.5}"
        )
    }
}

/// Persons by equal verified numbers alone.
pub fn by_number(mentions: &[Mention]) -> Vec<u32> {
    joined(mentions, &[])
}

/// Persons by equal verified numbers, or equal name in standard characters and birth date.
pub fn by_number_or_name_and_birth(mentions: &[Mention]) -> Vec<u32> {
    let mut groups: BTreeMap<(String, time::Date), u32> = BTreeMap::new();
    let mut links = Vec::new();
    for (at, mention) in (0u32..).zip(mentions) {
        if let (Some(birth), false) = (mention.birth, mention.name.is_missing()) {
            let first = *groups.entry((mention.name.standard(), birth)).or_insert(at);
            links.extend(Pair::new(first, at).map(|pair| (pair, MatchWeight::ZERO)));
        }
    }
    joined(mentions, &links)
}

fn joined(mentions: &[Mention], links: &[(Pair<u32>, MatchWeight)]) -> Vec<u32> {
    let numbers: Vec<_> = (0u32..)
        .zip(mentions)
        .map(|(at, mention)| (at, mention.verified()))
        .collect();
    let evidence = Evidence {
        mentions: &numbers,
        links,
        judgements: &[],
    };
    resolve(evidence)
        .persons
        .into_iter()
        .map(|(_, person)| person)
        .collect()
}

/// The comparison vectors under which most pairs are linked wrongly or missed, most frequent first.
pub fn frequent_errors(
    population: &Population,
    blocks: &Blocks,
    found: &[u32],
) -> Vec<(u64, String)> {
    let mut errors: HashMap<String, u64> = HashMap::new();
    let mut note = |a: usize, b: usize| {
        let (same, is_match) = (
            found[a] == found[b],
            population.persons[a] == population.persons[b],
        );
        if same != is_match {
            let vector = population.mentions[a].compare(&population.mentions[b]);
            let labels = Field::ALL
                .iter()
                .map(|&field| vector.label(field).map_or("-", |(code, _)| code));
            let what = if same { "wrong " } else { "missed" };
            *errors
                .entry(format!("{what} {}", labels.collect::<Vec<_>>().join(" ")))
                .or_default() += 1;
        }
    };
    blocks.for_each_pair(&mut note);
    let mut errors: Vec<_> = errors
        .into_iter()
        .map(|(pattern, count)| (count, pattern))
        .collect();
    errors.sort_unstable_by(|a, b| b.cmp(a));
    errors
}

/// Share of the matches, those that equal numbers join included, that share a key at all: no weight can find more.
pub fn reach(population: &Population, blocks: &Blocks) -> f64 {
    let mut shared = 0_u64;
    blocks
        .for_each_pair(|a, b| shared += u64::from(population.persons[a] == population.persons[b]));
    let mut sizes: HashMap<u64, u64> = HashMap::new();
    for &person in &population.persons {
        *sizes.entry(person).or_default() += 1;
    }
    let matches: u64 = sizes.values().map(|size| size * (size - 1) / 2).sum();
    shared as f64 / matches.max(1) as f64
}
