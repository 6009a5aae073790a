//! Seeded randomness that stays the same across machines and library versions: a ChaCha8 stream per
//! drawn thing, and ranges computed here, because libraries may change how they sample.
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// What is being drawn. Each thing has a stream of its own, so that it can be made without its neighbours.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Draw {
    Notary = 1,
    Household = 2,
    Company = 3,
    Case = 4,
    Planting = 5,
    Amendment = 6,
    Breach = 7,
    Filing = 8,
    OfficeFiling = 9,
    Certificates = 10,
}

/// Random decisions about one thing.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// `group` < 2^16 and `row` < 2^40 tell the thing among those of its kind.
    pub(crate) fn new(seed: u64, draw: Draw, group: u64, row: u64) -> Self {
        debug_assert!(group < 1 << 16 && row < 1 << 40);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream((draw as u64) << 56 | group << 40 | row);
        Self(rng)
    }

    /// Uniform in `0..n`; the bias of at most n/2^32 does not matter here.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(n)) >> 32) as u32
    }

    /// Uniform in `low..=high`.
    pub(crate) fn between(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1) as u32) as i32
    }

    /// True in `share` of 10,000 throws.
    pub(crate) fn chance(&mut self, share: u32) -> bool {
        self.below(10_000) < share
    }

    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u32) as usize]
    }

    /// An index, each as likely as its weight.
    pub(crate) fn weighted(&mut self, weights: impl Iterator<Item = u32> + Clone) -> usize {
        let mut left = self.below(weights.clone().sum());
        for (index, weight) in weights.enumerate() {
            if left < weight {
                return index;
            }
            left -= weight;
        }
        unreachable!("below() is less than the sum of the weights")
    }
}

/// A fixed shuffle of `0..modulus`: different inputs give different outputs, neighbours land far apart.
/// `modulus` must not be a multiple of the prime 2,147,483,629.
pub(crate) fn shuffle(index: u64, modulus: u64) -> u64 {
    debug_assert!(index < modulus);
    const PRIME: u128 = 2_147_483_629;
    ((u128::from(index) * PRIME + 7_919) % u128::from(modulus)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_stream_depends_on_nothing_but_its_coordinates() {
        let numbers = |row| {
            let mut dice = Dice::new(7, Draw::Case, 3, row);
            [dice.below(1_000_000), dice.below(1_000_000)]
        };
        assert_eq!(numbers(9), numbers(9));
        assert_ne!(numbers(9), numbers(10));
    }

    #[test]
    fn the_generator_never_changes() {
        let mut dice = Dice::new(1, Draw::Case, 0, 0);
        let drawn: Vec<u32> = (0..4).map(|_| dice.below(1_000_000)).collect();
        assert_eq!(drawn, [460_175, 259_745, 165_362, 537_085]);
    }

    #[test]
    fn shuffling_loses_nothing() {
        let shuffled: HashSet<u64> = (0..100_000).map(|i| shuffle(i, 100_000)).collect();
        assert_eq!(shuffled.len(), 100_000);
    }
}
