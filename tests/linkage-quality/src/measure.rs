//! How good a clustering is against the truth.

use std::collections::{BTreeMap, HashMap};

use linkage::{
    block::Blocks,
    cluster::{Evidence, Pair, resolve},
    compare::{Field, Mention},
    weights::MatchWeight,
};

use crate::population::Population;

pub use linkage::train::Quality;

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
