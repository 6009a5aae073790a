//! Which pairs of a population are compared, and what becomes of them.

use linkage::{
    block::Blocks,
    cluster::{Evidence, Pair, resolve},
    compare::Mention,
    score::Decision,
    weights::{MatchWeight, Weights},
};

/// Most mentions that are compared under one key; larger blocks are left out and counted.
pub(crate) const MOST_IN_BLOCK: usize = 300;

/// A population's blocks.
pub fn blocks_of(mentions: &[Mention]) -> Blocks {
    Blocks::of(mentions, MOST_IN_BLOCK)
}

/// Scored pairs of a population.
#[derive(Debug)]
pub struct Linked {
    /// Pairs from the review threshold up, without those that a rule decides.
    pub pairs: Vec<(Pair<u32>, MatchWeight)>,
    /// Pairs compared.
    pub compared: u64,
    /// Pairs for people to decide.
    pub possible: u64,
}

/// Compares and scores. Two verified numbers of one kind decide a pair, so it is not compared at all.
pub fn link(weights: &Weights, mentions: &[Mention], blocks: &Blocks) -> Linked {
    let mut linked = Linked {
        pairs: Vec::new(),
        compared: 0,
        possible: 0,
    };
    blocks.for_each_pair(|a, b| {
        let numbers = mentions[a].verified().zip(mentions[b].verified());
        if numbers.is_some_and(|(a, b)| a.kind == b.kind) {
            return;
        }
        linked.compared += 1;
        let score = weights.score(&mentions[a], &mentions[b]);
        if score.decision == Decision::Different {
            return;
        }
        linked.possible += u64::from(score.decision == Decision::Possible);
        if score.rule.is_none() {
            linked
                .pairs
                .extend(Pair::new(a as u32, b as u32).map(|pair| (pair, score.weight)));
        }
    });
    linked
}

impl Linked {
    /// The person of every mention when pairs of at least this weight are linked.
    pub fn persons(&self, mentions: &[Mention], least: MatchWeight) -> Vec<u32> {
        let numbers: Vec<_> = (0u32..)
            .zip(mentions)
            .map(|(at, mention)| (at, mention.verified()))
            .collect();
        let links: Vec<_> = self
            .pairs
            .iter()
            .filter(|(_, weight)| *weight >= least)
            .copied()
            .collect();
        let evidence = Evidence {
            mentions: &numbers,
            links: &links,
            judgements: &[],
        };
        resolve(evidence)
            .persons
            .into_iter()
            .map(|(_, person)| person)
            .collect()
    }
}
