//! Fellegi and Sunter over fields of any text, for data that is not of Chinese persons: FEBRL's. The same method as
//! the library's with plain string comparators, so that the method is measured and not its knowledge of names.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
};

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// FEBRL's fields in the order of the file.
const FIELDS: usize = 10;
/// Equal; alike; somewhat alike; different.
const LEVELS: usize = 4;
const RANDOM_PAIRS: usize = 1_000_000;
const ROUNDS: usize = 100;
/// Match weight from which pairs are linked, fixed beforehand: odds of 16 to 1, as the library has it.
const LINK: f64 = 4.0;

/// Fields that candidates agree in, by their places: given name, surname, street number, addresses 1 and 2, suburb,
/// postcode, state, birth date, social security number.
const BLOCKING: &[&[usize]] = &[&[9], &[0, 1], &[8], &[6, 1], &[0, 6], &[3], &[1, 2]];

/// One record: whose, from which file, and its fields.
#[derive(Debug, Clone)]
pub struct GenericRecord {
    pub person: u64,
    pub source: u8,
    pub fields: [String; FIELDS],
}

type Pattern = [Option<u8>; FIELDS];
type Table = [[f64; LEVELS]; FIELDS];

/// Reads a file of records: record, person, source and the fields.
pub fn read_generic(path: &Path) -> anyhow::Result<Vec<GenericRecord>> {
    let mut records = Vec::new();
    for line in csv::Reader::from_path(path)?.deserialize() {
        let (_, person, source, fields): (u32, u64, u8, [String; FIELDS]) = line?;
        records.push(GenericRecord {
            person,
            source,
            fields,
        });
    }
    Ok(records)
}

/// The cluster of every record. Records of one source are compared only when there is no other source.
pub fn link_generic(records: &[GenericRecord]) -> Vec<u32> {
    let is_one_file = records.iter().all(|record| record.source == 0);
    let mut candidates: Vec<(u32, u32)> = candidates(records)
        .into_iter()
        .filter(|&(a, b)| is_one_file || records[a as usize].source != records[b as usize].source)
        .collect();
    candidates.sort_unstable();
    let patterns: Vec<Pattern> = candidates
        .iter()
        .map(|&(a, b)| compare(records, a, b))
        .collect();
    let u = u_from_random_pairs(records);
    let (m, share) = expectation_maximisation(&patterns, &u);
    let mut cluster: Vec<u32> = (0..).take(records.len()).collect();
    for (&(a, b), pattern) in candidates.iter().zip(&patterns) {
        if weight(pattern, &m, &u, share) >= LINK {
            let (low, high) = (root(&mut cluster, a), root(&mut cluster, b));
            cluster[low.max(high) as usize] = low.min(high);
        }
    }
    (0..)
        .take(records.len())
        .map(|at| root(&mut cluster, at))
        .collect()
}

fn root(cluster: &mut [u32], mut at: u32) -> u32 {
    while cluster[at as usize] != at {
        cluster[at as usize] = cluster[cluster[at as usize] as usize];
        at = cluster[at as usize];
    }
    at
}

fn candidates(records: &[GenericRecord]) -> HashSet<(u32, u32)> {
    let mut pairs = HashSet::new();
    for rule in BLOCKING {
        let mut blocks: HashMap<Vec<&str>, Vec<u32>> = HashMap::new();
        for (at, record) in (0..).zip(records) {
            let key: Vec<&str> = rule
                .iter()
                .map(|&field| record.fields[field].as_str())
                .collect();
            if key.iter().all(|part| !part.is_empty()) {
                blocks.entry(key).or_default().push(at);
            }
        }
        for block in blocks.values() {
            for (at, &a) in block.iter().enumerate() {
                pairs.extend(block[at + 1..].iter().map(|&b| (a, b)));
            }
        }
    }
    pairs
}

fn compare(records: &[GenericRecord], a: u32, b: u32) -> Pattern {
    let (a, b) = (&records[a as usize].fields, &records[b as usize].fields);
    std::array::from_fn(|field| {
        let (a, b) = (a[field].as_str(), b[field].as_str());
        let has_digits_only = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if a.is_empty() || b.is_empty() {
            None
        } else if a == b {
            Some(0)
        } else if has_digits_only(a) && has_digits_only(b) {
            Some(strsim::damerau_levenshtein(a, b).min(LEVELS - 1) as u8)
        } else {
            let likeness = strsim::jaro_winkler(a, b);
            Some(
                [0.92, 0.8]
                    .iter()
                    .map(|&least| u8::from(likeness < least))
                    .sum::<u8>()
                    + 1,
            )
        }
    })
}

fn u_from_random_pairs(records: &[GenericRecord]) -> Table {
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let mut counts = [[0.5; LEVELS]; FIELDS];
    let all = records.len() as u32;
    for _ in 0..RANDOM_PAIRS {
        let (a, b) = (dice.random_range(0..all), dice.random_range(0..all));
        if a != b {
            add(&mut counts, &compare(records, a, b), 1.0);
        }
    }
    shares(counts)
}

/// m of every level and the share of matches among the candidates, u being held.
fn expectation_maximisation(patterns: &[Pattern], u: &Table) -> (Table, f64) {
    let mut counted: BTreeMap<Pattern, f64> = BTreeMap::new();
    for pattern in patterns {
        *counted.entry(*pattern).or_default() += 1.0;
    }
    let mut m = [[0.85, 0.05, 0.05, 0.05]; FIELDS];
    let mut share = 0.1;
    for _ in 0..ROUNDS {
        let (mut totals, mut matches) = ([[0.5; LEVELS]; FIELDS], 0.0);
        for (pattern, &count) in &counted {
            let expected = count / (1.0 + (-weight(pattern, &m, u, share)).exp2());
            add(&mut totals, pattern, expected);
            matches += expected;
        }
        m = shares(totals);
        share = (matches / patterns.len().max(1) as f64).clamp(1e-9, 1.0 - 1e-9);
    }
    (m, share)
}

fn add(table: &mut Table, pattern: &Pattern, count: f64) {
    for (levels, level) in table.iter_mut().zip(pattern) {
        if let Some(level) = level {
            levels[usize::from(*level)] += count;
        }
    }
}

fn shares(mut table: Table) -> Table {
    for levels in &mut table {
        let sum: f64 = levels.iter().sum();
        levels.iter_mut().for_each(|level| *level /= sum);
    }
    table
}

fn weight(pattern: &Pattern, m: &Table, u: &Table, share: f64) -> f64 {
    let fields = pattern.iter().enumerate().filter_map(|(field, level)| {
        let level = usize::from((*level)?);
        Some((m[field][level] / u[field][level]).log2())
    });
    fields.fold((share / (1.0 - share)).log2(), |sum, weight| sum + weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_and_its_mistyped_copy_are_one_and_strangers_are_not() {
        let names = [
            "mitchell", "harley", "madeline", "isabelle", "taylor", "michaela", "courtney",
            "charles",
        ];
        let record = |at: usize, first: &str| {
            let text = |field: usize| {
                format!(
                    "{}{}",
                    names[(at * 3 + field * 5 + at / 8) % 8],
                    at * 31 % 211
                )
            };
            let mut fields: [String; FIELDS] = std::array::from_fn(text);
            fields[0] = first.to_owned();
            fields[8] = format!("19{:06}", at * 7919 % 1_000_000);
            fields[9] = format!("{:07}", at * 104_729 % 10_000_000);
            GenericRecord {
                person: at as u64,
                source: 0,
                fields,
            }
        };
        let records: Vec<_> = (0..200)
            .flat_map(|at| {
                [
                    record(at, &format!("{}{at}", names[at % 8])),
                    record(at, &format!("{}x{at}", names[at % 8])),
                ]
            })
            .collect();
        let found = link_generic(&records);
        for (at, pair) in found.chunks(2).enumerate() {
            assert_eq!(pair, [2 * at as u32; 2]);
        }
    }
}
