//! Candidates: the pairs of nodes that share a blocking key.

use std::num::NonZeroUsize;

use super::Collection;
use crate::{block::BlockingKey, compare::VerifiedNumber, identifier::IdentifierKind, work};

/// Which pairs of nodes are worth a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those that may become one person by themselves: not two verified numbers of one kind.
    Linkable,
    /// Those too, which people may be asked about.
    Reviewable,
}

/// Pairs of nodes to be compared.
#[derive(Debug)]
pub struct Candidates {
    /// Places of nodes, the lesser first, in order, none twice.
    pub pairs: Vec<(u32, u32)>,
    /// Keys left out because too many nodes have them, in order.
    pub overfull: Vec<BlockingKey>,
}

/// The keys are dealt out among so many parts, each small enough for a processor's cache.
const PARTS: usize = 64;

/// Nodes by key, a part of all keys.
type Part = Vec<(BlockingKey, u32)>;

impl Collection<'_> {
    /// The pairs of nodes that share a key. Blocks of more than `cap` nodes are left out and counted.
    #[must_use]
    pub fn candidates(&self, cap: usize, scope: Scope, workers: NonZeroUsize) -> Candidates {
        let nodes: Vec<u32> = (0..).take(self.nodes.len()).collect();
        let mut dealt = work::split(&nodes, workers, |_, nodes| self.deal(nodes));
        let parts: Vec<Vec<Part>> = (0..PARTS)
            .map(|part| {
                dealt
                    .iter_mut()
                    .map(|parts| std::mem::take(&mut parts[part]))
                    .collect()
            })
            .collect();
        let kinds: Vec<Option<IdentifierKind>> = nodes
            .iter()
            .map(|&node| self.number(node).map(|VerifiedNumber { kind, .. }| kind))
            .collect();
        let is_wanted = |a: u32, b: u32| {
            let kind = kinds[a as usize];
            scope == Scope::Reviewable || kind.is_none() || kind != kinds[b as usize]
        };
        let found = work::each(parts, workers, |pieces| pairs_of(pieces, cap, is_wanted));
        let mut overfull: Vec<_> = found
            .iter()
            .flat_map(|found| &found.overfull)
            .copied()
            .collect();
        overfull.sort_unstable();
        let mut pairs: Vec<_> = found.into_iter().flat_map(|found| found.pairs).collect();
        pairs.sort_unstable();
        pairs.dedup();
        Candidates { pairs, overfull }
    }

    fn deal(&self, nodes: &[u32]) -> [Part; PARTS] {
        let mut parts: [Part; PARTS] = std::array::from_fn(|_| Vec::new());
        let mut keys = Vec::new();
        for &node in nodes {
            self.keys(node, &mut keys);
            for key in &keys {
                let [.., last] = key.as_bytes();
                parts[usize::from(*last) % PARTS].push((*key, node));
            }
        }
        parts
    }
}

fn pairs_of(pieces: Vec<Part>, cap: usize, is_wanted: impl Fn(u32, u32) -> bool) -> Candidates {
    let mut entries = pieces.concat();
    drop(pieces);
    entries.sort_unstable_by_key(|(key, node)| (key.to_number(), *node));
    let mut found = Candidates {
        pairs: Vec::new(),
        overfull: Vec::new(),
    };
    for block in entries.chunk_by(|(a, _), (b, _)| a == b) {
        if block.len() > cap {
            found.overfull.extend(block.first().map(|(key, _)| *key));
            continue;
        }
        for (at, &(_, a)) in block.iter().enumerate() {
            let others = block[at + 1..].iter().map(|&(_, b)| b);
            found
                .pairs
                .extend(others.filter(|&b| is_wanted(a, b)).map(|b| (a, b)));
        }
    }
    // The keys of a person are many and agree together: most pairs come more than once.
    found.pairs.sort_unstable();
    found.pairs.dedup();
    found
}
