//! A whole collection's mentions by blocking key, in memory: for a first load, for training, and for measuring.

use std::{
    collections::BTreeSet,
    num::{NonZeroU64, NonZeroUsize},
};

use super::{BlockingKey, BlockingRule, MAX_KEYS, keys};
use crate::{compare::Mention, work};

/// Mentions by blocking key. Mentions go by their place in the slice they were made of.
#[derive(Debug)]
pub struct Blocks {
    /// In ascending order.
    entries: Vec<(BlockingKey, u32)>,
    /// Every mention's keys in ascending order, mention after mention.
    keys: Vec<BlockingKey>,
    /// Where each mention's keys begin, and where the last one's end.
    starts: Vec<usize>,
    oversized: BTreeSet<BlockingKey>,
    /// Of how many blocks one is held.
    one_in: u64,
}

impl Blocks {
    /// Blocks of more than `cap` mentions are left out of every comparison, and counted.
    ///
    /// # Panics
    /// With more than 2^32 mentions.
    #[must_use]
    pub fn of(mentions: &[Mention], cap: usize) -> Self {
        Self::sample(mentions, cap, NonZeroU64::MIN, NonZeroUsize::MIN)
    }

    /// One block in so many, whole, taken by the fingerprint of its key: enough to train on where there are millions.
    ///
    /// # Panics
    /// With more than 2^32 mentions.
    #[must_use]
    pub fn sample(
        mentions: &[Mention],
        cap: usize,
        one_in: NonZeroU64,
        workers: NonZeroUsize,
    ) -> Self {
        let mut blocks = Self {
            entries: Vec::new(),
            keys: Vec::new(),
            starts: vec![0],
            oversized: BTreeSet::new(),
            one_in: one_in.get(),
        };
        let pieces = work::split(mentions, workers, |first, mentions| {
            Keys::of(first, mentions, one_in)
        });
        for piece in pieces {
            let before = blocks.keys.len();
            blocks
                .starts
                .extend(piece.ends.iter().map(|end| before + end));
            blocks.keys.extend(piece.all);
            blocks.entries.extend(piece.held);
        }
        blocks
            .entries
            .sort_unstable_by_key(|(key, at)| (key.to_number(), *at));
        blocks.oversized = blocks
            .entries
            .chunk_by(|(a, _), (b, _)| a == b)
            .filter(|block| block.len() > cap)
            .map(|block| block[0].0)
            .collect();
        blocks
    }

    /// Of how many blocks one is held: 1 when all are.
    #[must_use]
    pub fn one_in(&self) -> u64 {
        self.one_in
    }

    /// How many blocks are left out.
    #[must_use]
    pub fn oversized(&self) -> usize {
        self.oversized.len()
    }

    /// Every pair that shares a key, once, the lesser place first; of a sample, those whose least shared key is in it.
    pub fn for_each_pair(&self, mut visit: impl FnMut(usize, usize)) {
        self.visit_blocks(
            |_| true,
            |key, a, b| {
                if self.first_shared(a, b) == Some(key) {
                    visit(a, b);
                }
            },
        );
    }

    /// Every pair that shares a key of one rule, once for each such key.
    pub fn for_each_pair_under(&self, rule: BlockingRule, mut visit: impl FnMut(usize, usize)) {
        self.visit_blocks(|key| key.rule() == rule, |_, a, b| visit(a, b));
    }

    fn visit_blocks(
        &self,
        wanted: impl Fn(BlockingKey) -> bool,
        mut visit: impl FnMut(BlockingKey, usize, usize),
    ) {
        for block in self.entries.chunk_by(|(a, _), (b, _)| a == b) {
            let key = block[0].0;
            if !wanted(key) || self.oversized.contains(&key) {
                continue;
            }
            for (at, &(_, a)) in block.iter().enumerate() {
                for &(_, b) in &block[at + 1..] {
                    visit(key, a as usize, b as usize);
                }
            }
        }
    }

    /// The least key that both have and whose block is not left out: the one under which the pair is visited.
    fn first_shared(&self, a: usize, b: usize) -> Option<BlockingKey> {
        let own = |at: usize| &self.keys[self.starts[at]..self.starts[at + 1]];
        let (mut a, mut b) = (own(a), own(b));
        while let ([one, rest_a @ ..], [other, rest_b @ ..]) = (a, b) {
            match one.cmp(other) {
                std::cmp::Ordering::Less => a = rest_a,
                std::cmp::Ordering::Greater => b = rest_b,
                std::cmp::Ordering::Equal if self.oversized.contains(one) => a = rest_a,
                std::cmp::Ordering::Equal => return Some(*one),
            }
        }
        None
    }
}

/// Keys of some mentions that follow one another.
struct Keys {
    /// Those of blocks that are held, with the mention.
    held: Vec<(BlockingKey, u32)>,
    /// Mention after mention, in ascending order.
    all: Vec<BlockingKey>,
    ends: Vec<usize>,
}

impl Keys {
    fn of(first: usize, mentions: &[Mention], one_in: NonZeroU64) -> Self {
        let mut found = Self {
            held: Vec::new(),
            all: Vec::new(),
            ends: Vec::with_capacity(mentions.len()),
        };
        let mut own = Vec::with_capacity(MAX_KEYS);
        for (at, mention) in (first..).zip(mentions) {
            let at = u32::try_from(at).expect("a city has fewer mentions than 2^32");
            own.clear();
            keys(mention, &mut own);
            own.sort_unstable();
            let is_held = |key: &&BlockingKey| key.to_number().unsigned_abs() % one_in == 0;
            found
                .held
                .extend(own.iter().filter(is_held).map(|key| (*key, at)));
            found.all.extend_from_slice(&own);
            found.ends.push(found.all.len());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::compare::tests::mention;

    proptest! {
        #[test]
        fn every_pair_that_shares_a_key_is_visited_once(
            mentions in proptest::collection::vec(mention(), 0..20), cap in 2usize..20,
        ) {
            let blocks = Blocks::of(&mentions, cap);
            let mut visited = Vec::new();
            blocks.for_each_pair(|a, b| visited.push((a, b)));
            let once: BTreeSet<_> = visited.iter().copied().collect();
            prop_assert_eq!(once.len(), visited.len());
            let own = |at: usize| {
                let mut own = Vec::new();
                keys(&mentions[at], &mut own);
                own
            };
            for a in 0..mentions.len() {
                for b in a + 1..mentions.len() {
                    let shares = own(a).iter().any(|key| own(b).contains(key) && !blocks.oversized.contains(key));
                    prop_assert_eq!(once.contains(&(a, b)), shares);
                }
            }
        }

        #[test]
        fn blocks_above_the_cap_are_left_out_and_counted(count in 3usize..30) {
            let mentions = vec![Mention { phone: Some([1; 16].into()), ..Mention::named("") }; count];
            let pairs = |cap: usize| {
                let (blocks, mut pairs) = (Blocks::of(&mentions, cap), 0);
                blocks.for_each_pair(|_, _| pairs += 1);
                (blocks.oversized(), pairs)
            };
            prop_assert_eq!(pairs(count), (0, count * (count - 1) / 2));
            prop_assert_eq!(pairs(count - 1), (1, 0));
        }
    }
}
