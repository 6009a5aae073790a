//! Which pairs of a population are compared, and what becomes of them.

use std::collections::HashSet;

use linkage::{
    block::{self, BlockingKey, BlockingRule},
    cluster::{Evidence, Pair, resolve},
    compare::Mention,
    score::Decision,
    weights::{MatchWeight, Weights},
};

/// Most mentions that are compared under one key; larger blocks are left out and counted.
const MOST_IN_BLOCK: usize = 300;

/// Mentions by blocking key.
#[derive(Debug)]
pub struct Blocks {
    /// In ascending order.
    entries: Vec<(BlockingKey, u32)>,
    /// Each mention's keys in ascending order.
    keys: Vec<Vec<BlockingKey>>,
    oversized: HashSet<BlockingKey>,
}

impl Blocks {
    pub fn of(mentions: &[Mention]) -> Self {
        let mut entries = Vec::new();
        let mut keys = Vec::with_capacity(mentions.len());
        for (at, mention) in (0u32..).zip(mentions) {
            let mut own = Vec::with_capacity(block::MAX_KEYS);
            block::keys(mention, &mut own);
            own.sort_unstable();
            entries.extend(own.iter().map(|key| (*key, at)));
            keys.push(own);
        }
        entries.sort_unstable();
        let oversized = entries
            .chunk_by(|(a, _), (b, _)| a == b)
            .filter(|block| block.len() > MOST_IN_BLOCK)
            .map(|block| block[0].0)
            .collect();
        Self {
            entries,
            keys,
            oversized,
        }
    }

    /// Blocks that were left out.
    pub fn oversized(&self) -> usize {
        self.oversized.len()
    }

    /// Every pair that shares a key, once; with a rule, every pair that shares a key of it, once for each such key.
    pub fn for_each_pair(&self, rule: Option<BlockingRule>, mut visit: impl FnMut(usize, usize)) {
        for block in self.entries.chunk_by(|(a, _), (b, _)| a == b) {
            let key = block[0].0;
            let wanted = rule.is_none_or(|rule| key.rule() == rule);
            if !wanted || self.oversized.contains(&key) {
                continue;
            }
            for (at, &(_, a)) in block.iter().enumerate() {
                for &(_, b) in &block[at + 1..] {
                    let (a, b) = (a as usize, b as usize);
                    if rule.is_some() || self.first_shared(a, b) == Some(key) {
                        visit(a, b);
                    }
                }
            }
        }
    }

    /// The least key that both have and whose block is not left out: the one under which the pair is compared.
    fn first_shared(&self, a: usize, b: usize) -> Option<BlockingKey> {
        let (mut a, mut b) = (
            self.keys[a].iter().peekable(),
            self.keys[b].iter().peekable(),
        );
        while let (Some(one), Some(other)) = (a.peek(), b.peek()) {
            match one.cmp(other) {
                std::cmp::Ordering::Less => a.next(),
                std::cmp::Ordering::Greater => b.next(),
                std::cmp::Ordering::Equal if !self.oversized.contains(*one) => return Some(**one),
                std::cmp::Ordering::Equal => a.next(),
            };
        }
        None
    }
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
    blocks.for_each_pair(None, |a, b| {
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
