//! Weights from a population, without its truth.

use linkage::{
    block::BlockingRule,
    compare::{Field, Mention},
    train::{
        PatternCounts, combine, expectation_maximisation, first_guess, prior, rarest_share,
        u_from_random_pairs,
    },
    weights::{MatchWeight, Provenance, Thresholds, Weights},
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::{pairs::Blocks, population::Population};

const RANDOM_PAIRS: usize = 3_000_000;
/// Rules that EM is run under, and the fields that each makes agree, wholly or in part.
const SESSIONS: &[(BlockingRule, &[Field])] = &[
    (BlockingRule::Number, &[]),
    (BlockingRule::Phone, &[Field::Phone]),
    (BlockingRule::BirthSound, &[Field::Birth, Field::Name]),
    (BlockingRule::NameYear, &[Field::Birth, Field::Name]),
    (BlockingRule::Segment, &[Field::Identifier]),
];

/// Trains weights with the sampling seed that made the population.
pub fn train(population: &Population, blocks: &Blocks, version: &str) -> anyhow::Result<Weights> {
    let mentions = &population.mentions;
    let random = random_pairs(population.seed, mentions);
    let start = first_guess(&u_from_random_pairs(&random));
    let mut pairs = random.pairs();
    let sessions: Vec<_> = SESSIONS
        .iter()
        .map(|(rule, fixed)| {
            let mut counts = PatternCounts::default();
            blocks.for_each_pair(Some(*rule), |a, b| {
                count(&mut counts, &mentions[a], &mentions[b])
            });
            pairs += counts.pairs();
            expectation_maximisation(&counts, &start, fixed)
        })
        .collect();
    let probabilities = combine(&sessions, &start);
    let mut compared = PatternCounts::default();
    blocks.for_each_pair(None, |a, b| {
        count(&mut compared, &mentions[a], &mentions[b])
    });
    let all = mentions.len() as u64;
    let provenance = Provenance {
        data: "synthetic city, its natural persons".to_owned(),
        method: "u from random pairs; m by expectation maximisation under five blocking rules"
            .to_owned(),
        seed: population.seed,
        mentions: all,
        pairs: pairs + compared.pairs(),
        ..Provenance::default()
    };
    let thresholds = Thresholds {
        link: MatchWeight::from_bits(LINK),
        review: MatchWeight::from_bits(REVIEW),
    };
    let prior = prior(&compared, &probabilities, all);
    Ok(Weights::new(
        version.to_owned(),
        probabilities,
        prior,
        rarest_share(all),
        thresholds,
        provenance,
    )?)
}

/// Odds of 16 to 1. Precision and recall hardly move between 0 and 6 bits.
const LINK: f64 = 4.0;
/// Odds of 1 to 4: what a person may be asked about.
const REVIEW: f64 = -2.0;

/// Pairs that numbers hold apart are never weighed: twins among them would teach that twins match.
fn count(counts: &mut PatternCounts, a: &Mention, b: &Mention) {
    let numbers = a.verified().zip(b.verified());
    if !numbers.is_some_and(|(a, b)| a.kind == b.kind && a != b) {
        counts.add(&a.compare(b));
    }
}

fn random_pairs(seed: u64, mentions: &[Mention]) -> PatternCounts {
    let mut dice = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed);
    let mut counts = PatternCounts::default();
    for _ in 0..RANDOM_PAIRS {
        let (a, b) = (
            dice.random_range(0..mentions.len()),
            dice.random_range(0..mentions.len()),
        );
        if a != b {
            counts.add(&mentions[a].compare(&mentions[b]));
        }
    }
    counts
}
