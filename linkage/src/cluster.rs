//! Persons out of pairs: clusters of mentions from links, verified numbers and people's decisions.
//!
//! The clusters follow from the evidence alone, never from the order in which it came. Joins are tried in this order
//! and each is made unless something keeps the two sides apart:
//!
//! 1. pairs that people held to be the same,
//! 2. equal verified numbers,
//! 3. links, the heaviest first, ties by the mentions' keys.
//!
//! Two sides are kept apart when people held some pair between them not to be the same, and, unless a person joins
//! them, when both have a verified number of one kind and none in common. A person is named by the least key of its
//! mentions, so a name is stable as long as that mention stays.
//!
//! [`resolve`] does it for any set of mentions; [`Clusters`] keeps a set up to date, reworking only the mentions that
//! are connected with what changed. Both come to the same, because a join never depends on evidence outside its own
//! connected component.

mod bounded;
mod forest;
mod incremental;

use std::hash::Hash;

use crate::{compare::VerifiedNumber, vocabulary::vocabulary, weights::MatchWeight};
use forest::Forest;

pub use bounded::{Bounded, resolve_bounded};
pub use incremental::{Change, Clusters, Update};

/// Names a mention for ever: the same mention has the same key in every run.
pub trait Key: Copy + Ord + Hash {}

impl<K: Copy + Ord + Hash> Key for K {}

vocabulary! {
    /// What a person decided about two mentions. It outlives every re-run.
    Judgement, "linkage_judgement" {
        Same = "same" "同一人",
        NotSame = "not_same" "不是同一人",
    }
}

/// Two different mentions, the lesser key first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair<K> {
    low: K,
    high: K,
}

impl<K: Key> Pair<K> {
    /// `None` when both are one mention.
    #[must_use]
    pub fn new(a: K, b: K) -> Option<Self> {
        match a.cmp(&b) {
            std::cmp::Ordering::Less => Some(Self { low: a, high: b }),
            std::cmp::Ordering::Greater => Some(Self { low: b, high: a }),
            std::cmp::Ordering::Equal => None,
        }
    }

    /// The lesser key.
    #[must_use]
    pub fn low(&self) -> K {
        self.low
    }

    /// The greater key.
    #[must_use]
    pub fn high(&self) -> K {
        self.high
    }
}

vocabulary! {
    /// Why two mentions that evidence would join stay apart.
    Obstacle, "linkage_obstacle" {
        /// A person held some pair between the two sides not to be the same.
        Judgement = "judgement" "人工判定不是同一人",
        /// Each side has a verified number of one kind, and they differ.
        DifferentNumbers = "different_numbers" "证件号码不同",
    }
}

/// A join that was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused<K> {
    /// The pair whose evidence asked for it.
    pub pair: Pair<K>,
    /// What stood against it.
    pub obstacle: Obstacle,
}

/// Evidence about a set of mentions. The order within the slices does not matter; pairs that name a mention outside
/// of the set are left out of account.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a, K> {
    /// Every mention with its verified number, each key once.
    pub mentions: &'a [(K, Option<VerifiedNumber>)],
    /// Pairs that reach the link threshold, each once.
    pub links: &'a [(Pair<K>, MatchWeight)],
    /// What people decided, each pair once.
    pub judgements: &'a [(Pair<K>, Judgement)],
}

/// What follows from evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution<K> {
    /// Every mention with the person it is of, in order of mentions.
    pub persons: Vec<(K, K)>,
    /// Joins that were not made, in order.
    pub refused: Vec<Refused<K>>,
}

/// Clusters a set of mentions.
#[must_use]
pub fn resolve<K: Key>(evidence: Evidence<'_, K>) -> Resolution<K> {
    let mut mentions = evidence.mentions.to_vec();
    mentions.sort_unstable_by_key(|(key, _)| *key);
    mentions.dedup_by_key(|(key, _)| *key);
    let place = |key: K| mentions.binary_search_by(|(known, _)| known.cmp(&key)).ok();
    let places = |pair: &Pair<K>| place(pair.low).zip(place(pair.high));
    let mut forest = Forest::new(mentions.iter().map(|(_, number)| *number));
    let judged = |wanted: Judgement| {
        let mut pairs: Vec<_> = evidence
            .judgements
            .iter()
            .filter(|(_, judgement)| *judgement == wanted)
            .filter_map(|(pair, _)| places(pair))
            .collect();
        pairs.sort_unstable();
        pairs
    };
    for (a, b) in judged(Judgement::NotSame) {
        forest.keep_apart(a, b);
    }
    let mut refused = Vec::new();
    for (a, b) in judged(Judgement::Same) {
        refused.extend(
            forest
                .join_by_judgement(a, b)
                .err()
                .map(|obstacle| (a, b, obstacle)),
        );
    }
    join_equal_numbers(&mentions, &mut forest, &mut refused);
    let mut links: Vec<_> = evidence
        .links
        .iter()
        .filter_map(|(pair, weight)| places(pair).map(|(a, b)| (std::cmp::Reverse(*weight), a, b)))
        .collect();
    links.sort_unstable();
    for (_, a, b) in links {
        refused.extend(forest.join(a, b).err().map(|obstacle| (a, b, obstacle)));
    }
    resolution(&mentions, &mut forest, refused)
}

/// Each mention joins the first of the earlier groups with its number that nothing keeps it from. There is one group
/// but where people decided otherwise.
fn join_equal_numbers<K: Key>(
    mentions: &[(K, Option<VerifiedNumber>)],
    forest: &mut Forest,
    refused: &mut Vec<(usize, usize, Obstacle)>,
) {
    let mut numbered: Vec<_> = mentions
        .iter()
        .enumerate()
        .filter_map(|(place, (_, number))| number.map(|number| (number, place)))
        .collect();
    numbered.sort_unstable();
    for same in numbered.chunk_by(|(a, _), (b, _)| a == b) {
        let mut groups: Vec<usize> = Vec::new();
        for &(_, place) in same {
            let mut joined = false;
            for &group in &groups {
                match forest.join(group, place) {
                    Ok(()) => {
                        joined = true;
                        break;
                    }
                    Err(obstacle) => refused.push((group, place, obstacle)),
                }
            }
            if !joined {
                groups.push(place);
            }
        }
    }
}

fn resolution<K: Key>(
    mentions: &[(K, Option<VerifiedNumber>)],
    forest: &mut Forest,
    refused: Vec<(usize, usize, Obstacle)>,
) -> Resolution<K> {
    let persons = mentions
        .iter()
        .enumerate()
        .map(|(place, (key, _))| (*key, mentions[forest.least(place)].0))
        .collect();
    let mut refused: Vec<_> = refused
        .into_iter()
        .filter_map(|(a, b, obstacle)| {
            Pair::new(mentions[a].0, mentions[b].0).map(|pair| Refused { pair, obstacle })
        })
        .collect();
    refused.sort_unstable();
    refused.dedup();
    Resolution { persons, refused }
}

#[cfg(test)]
mod tests;
