//! Clusters of a whole collection, in which a component may be too large to be one person.

use std::collections::BTreeMap;

use super::{Evidence, Judgement, Key, Pair, resolve};
use crate::{compare::VerifiedNumber, weights::MatchWeight};

/// What follows from evidence when links count within bounds alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounded<K> {
    /// Every mention with the person it is of, in order of mentions.
    pub persons: Vec<(K, K)>,
    /// Mentions of components with more than the most, in order.
    pub oversize: Vec<K>,
    /// How many such components there are.
    pub components: usize,
}

/// Clusters a set of mentions, each key once. A connected component of more than `most` mentions is no person but a
/// mistake or an attack: its links are left out, so that numbers and decisions alone join its mentions.
#[must_use]
pub fn resolve_bounded<K: Key>(
    mentions: &[(K, Option<VerifiedNumber>)],
    links: &[(Pair<K>, MatchWeight)],
    judgements: &[(Pair<K>, Judgement)],
    most: usize,
) -> Bounded<K> {
    let mut components = Components::of(mentions);
    let linked = links.iter().map(|(pair, _)| pair);
    for pair in linked.chain(judgements.iter().map(|(pair, _)| pair)) {
        components.connect(*pair);
    }
    components.connect_equal_numbers(mentions);
    let mut oversize = Vec::new();
    let mut roots = Vec::new();
    for at in 0..components.keys.len() {
        let root = components.root(at);
        if components.sizes[root] > most {
            oversize.push(components.keys[at]);
            roots.push(root);
        }
    }
    roots.sort_unstable();
    roots.dedup();
    let within: Vec<_> = links
        .iter()
        .filter(|(pair, _)| oversize.binary_search(&pair.low()).is_err())
        .copied()
        .collect();
    let evidence = Evidence {
        mentions,
        links: &within,
        judgements,
    };
    Bounded {
        persons: resolve(evidence).persons,
        oversize,
        components: roots.len(),
    }
}

/// Mentions that evidence connects, whatever it says.
struct Components<K> {
    /// In order.
    keys: Vec<K>,
    parent: Vec<usize>,
    /// Of the roots.
    sizes: Vec<usize>,
}

impl<K: Key> Components<K> {
    fn of(mentions: &[(K, Option<VerifiedNumber>)]) -> Self {
        let mut keys: Vec<K> = mentions.iter().map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        Self {
            parent: (0..keys.len()).collect(),
            sizes: vec![1; keys.len()],
            keys,
        }
    }

    /// A pair that names a mention outside of the set is left out of account.
    fn connect(&mut self, pair: Pair<K>) {
        let place = |key: K| self.keys.binary_search(&key).ok();
        if let Some((a, b)) = place(pair.low()).zip(place(pair.high())) {
            let (a, b) = (self.root(a), self.root(b));
            if a != b {
                let (small, large) = if self.sizes[a] < self.sizes[b] {
                    (a, b)
                } else {
                    (b, a)
                };
                self.parent[small] = large;
                self.sizes[large] += self.sizes[small];
            }
        }
    }

    fn connect_equal_numbers(&mut self, mentions: &[(K, Option<VerifiedNumber>)]) {
        let mut first: BTreeMap<VerifiedNumber, K> = BTreeMap::new();
        for (key, number) in mentions {
            if let Some(number) = number
                && let Some(pair) = Pair::new(*first.entry(*number).or_insert(*key), *key)
            {
                self.connect(pair);
            }
        }
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }
}
