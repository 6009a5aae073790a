//! Weights from a population, without its truth.

use std::num::{NonZeroU64, NonZeroUsize};

use linkage::{
    block::Blocks,
    compare::Mention,
    train::TrainingRun,
    weights::{Weights, WeightsError},
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::{pairs::MOST_IN_BLOCK, population::Population};

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
        workers: NonZeroUsize::MIN,
        dice: |below| dice.random_range(0..below),
    };
    run.train(&population.mentions, blocks)
}

/// Pairs at random when training is a part of the job: a u of one in a hundred thousand is told by ten of them.
const RANDOM_PAIRS_IN_JOB: usize = 1_000_000;
/// Mentions of which every block is trained on; of more, a share of the blocks.
const MENTIONS_IN_JOB: u64 = 60_000;

/// Trains weights on mentions of which nothing is known, in as little time as they take.
pub(crate) fn train_on(
    mentions: &[Mention],
    workers: NonZeroUsize,
) -> Result<Weights, WeightsError> {
    let one_in =
        NonZeroU64::new(mentions.len() as u64 / MENTIONS_IN_JOB).unwrap_or(NonZeroU64::MIN);
    let blocks = Blocks::sample(mentions, MOST_IN_BLOCK, one_in, workers);
    let mut dice = ChaCha8Rng::seed_from_u64(0x5eed);
    let run = TrainingRun {
        version: "of-the-job".to_owned(),
        data: "the records to be linked".to_owned(),
        seed: 0x5eed,
        random_pairs: RANDOM_PAIRS_IN_JOB,
        workers,
        dice: |below| dice.random_range(0..below),
    };
    run.train(mentions, &blocks)
}
