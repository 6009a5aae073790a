//! One run of training over a whole collection.

use super::{
    PatternCounts, combine, expectation_maximisation, first_guess, prior, u_from_random_pairs,
};
use crate::{
    block::{BlockingRule, Blocks},
    compare::{Field, Mention},
    weights::{MatchWeight, Provenance, Thresholds, Weights, WeightsError, rarest_share},
};

/// Rules that EM is run under, and the fields that each makes agree, wholly or in part.
const SESSIONS: &[(BlockingRule, &[Field])] = &[
    (BlockingRule::Number, &[]),
    (BlockingRule::Phone, &[Field::Phone]),
    (BlockingRule::BirthSound, &[Field::Birth, Field::Name]),
    (BlockingRule::NameYear, &[Field::Birth, Field::Name]),
    (BlockingRule::Segment, &[Field::Identifier]),
];

/// Odds of 16 to 1. Precision and recall hardly move between 0 and 6 bits.
const LINK: f64 = 4.0;
/// Odds of 1 to 4: what a person may be asked about.
const REVIEW: f64 = -2.0;

/// What a run is to be known by, and how its pairs at random are drawn.
#[derive(Debug)]
pub struct TrainingRun<D> {
    /// Version of the weights.
    pub version: String,
    /// What the mentions are, for the provenance.
    pub data: String,
    /// Seed of `dice`, for the provenance.
    pub seed: u64,
    /// Pairs to draw at random; ten million tell a u of one in a million.
    pub random_pairs: usize,
    /// Draws a number below the one given. Equal draws give equal weights.
    pub dice: D,
}

impl<D: FnMut(usize) -> usize> TrainingRun<D> {
    /// Trains weights on natural persons. Nothing is known of who is who but what verified numbers say; quality is to
    /// be measured elsewhere.
    ///
    /// # Errors
    /// When the mentions are too few for a consistent set of weights.
    pub fn train(mut self, mentions: &[Mention], blocks: &Blocks) -> Result<Weights, WeightsError> {
        let random = self.random(mentions);
        let start = first_guess(&u_from_random_pairs(&random));
        let mut pairs = random.pairs();
        let sessions: Vec<_> = SESSIONS
            .iter()
            .map(|(rule, fixed)| {
                let mut counts = PatternCounts::default();
                blocks.for_each_pair_under(*rule, |a, b| {
                    count(&mut counts, &mentions[a], &mentions[b])
                });
                pairs += counts.pairs();
                expectation_maximisation(&counts, &start, fixed)
            })
            .collect();
        let probabilities = combine(&sessions, &start);
        let mut compared = PatternCounts::default();
        blocks.for_each_pair(|a, b| count(&mut compared, &mentions[a], &mentions[b]));
        let all = mentions.len() as u64;
        let prior = prior(&compared, &probabilities, all, blocks.one_in());
        let thresholds = Thresholds {
            link: MatchWeight::from_bits(LINK),
            review: MatchWeight::from_bits(REVIEW),
        };
        let provenance = Provenance {
            data: self.data,
            method: "u from random pairs; m by expectation maximisation under five blocking rules"
                .to_owned(),
            seed: self.seed,
            mentions: all,
            pairs: pairs + compared.pairs(),
            ..Provenance::default()
        };
        Weights::new(
            self.version,
            probabilities,
            prior,
            rarest_share(all),
            thresholds,
            provenance,
        )
    }

    fn random(&mut self, mentions: &[Mention]) -> PatternCounts {
        let mut counts = PatternCounts::default();
        for _ in 0..if mentions.is_empty() {
            0
        } else {
            self.random_pairs
        } {
            let (a, b) = ((self.dice)(mentions.len()), (self.dice)(mentions.len()));
            if a != b {
                counts.add(&mentions[a].compare(&mentions[b]));
            }
        }
        counts
    }
}

/// Pairs that numbers hold apart are never weighed: twins among them would teach that twins match.
fn count(counts: &mut PatternCounts, a: &Mention, b: &Mention) {
    let numbers = a.verified().zip(b.verified());
    if !numbers.is_some_and(|(a, b)| a.kind == b.kind && a != b) {
        counts.add(&a.compare(b));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_mentions_give_consistent_weights_or_a_reason() {
        for mentions in [
            vec![],
            vec![Mention::named("张伟")],
            vec![Mention::named("张伟"); 3],
        ] {
            let run = TrainingRun {
                version: "test".to_owned(),
                data: "test".to_owned(),
                seed: 1,
                random_pairs: 100,
                dice: |below: usize| below / 2,
            };
            if let Ok(weights) = run.train(&mentions, &Blocks::of(&mentions, 10)) {
                assert!(Weights::parse(&weights.to_toml()).is_ok());
            }
        }
    }
}
