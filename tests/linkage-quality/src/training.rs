//! Weights from a population, without its truth.

use linkage::{
    block::Blocks,
    train::TrainingRun,
    weights::{Weights, WeightsError},
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::population::Population;

const RANDOM_PAIRS: usize = 10_000_000;

/// Trains weights with the seed that made the population.
pub fn train(
    population: &Population,
    blocks: &Blocks,
    version: &str,
) -> Result<Weights, WeightsError> {
    let mut dice = ChaCha8Rng::seed_from_u64(population.seed ^ 0x5eed);
    let run = TrainingRun {
        version: version.to_owned(),
        data: "synthetic city, its natural persons".to_owned(),
        seed: population.seed,
        random_pairs: RANDOM_PAIRS,
        dice: |below| dice.random_range(0..below),
    };
    run.train(&population.mentions, blocks)
}
