//! One run of training over a whole collection.

use std::num::NonZeroUsize;

use super::{
    PatternCounts, combine, expectation_maximisation, first_guess, prior, u_from_random_pairs,
};
use crate::{
    block::{BlockingRule, Blocks},
    compare::{Field, Mention},
    weights::{MatchWeight, Provenance, Thresholds, Weights, WeightsError, rarest_share},
    work,
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
    /// Threads that count side by side. However many, the weights are the same.
    pub workers: NonZeroUsize,
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
        let sessions = SESSIONS.iter().map(Some).chain([None]);
        let counted = work::each(sessions.collect(), self.workers, |session| {
            let mut counts = PatternCounts::default();
            let visit = |a: usize, b: usize| count(&mut counts, &mentions[a], &mentions[b]);
            match session {
                Some((rule, _)) => blocks.for_each_pair_under(*rule, visit),
                None => blocks.for_each_pair(visit),
            }
            counts
        });
        let pairs = random.pairs() + counted.iter().map(PatternCounts::pairs).sum::<u64>();
        let (compared, of_rules) = counted
            .split_last()
            .expect("the pairs of all rules are last");
        let sessions: Vec<_> = SESSIONS
            .iter()
            .zip(of_rules)
            .map(|((_, fixed), counts)| expectation_maximisation(counts, &start, fixed))
            .collect();
        let probabilities = combine(&sessions, &start);
        let all = mentions.len() as u64;
        let prior = prior(compared, &probabilities, all, blocks.one_in());
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
            pairs,
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
        let wanted = if mentions.is_empty() {
            0
        } else {
            self.random_pairs
        };
        let mut draw = || (self.dice)(mentions.len());
        let pairs: Vec<(usize, usize)> = (0..wanted).map(|_| (draw(), draw())).collect();
        let counted = work::split(&pairs, self.workers, |_, pairs| {
            let mut counts = PatternCounts::default();
            for (a, b) in pairs.iter().filter(|(a, b)| a != b) {
                counts.add(&mentions[*a].compare(&mentions[*b]));
            }
            counts
        });
        counted
            .iter()
            .fold(PatternCounts::default(), |mut all, counts| {
                all.merge(counts);
                all
            })
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
                workers: NonZeroUsize::MIN,
                dice: |below: usize| below / 2,
            };
            if let Ok(weights) = run.train(&mentions, &Blocks::of(&mentions, 10)) {
                assert!(Weights::parse(&weights.to_toml()).is_ok());
            }
        }
    }
}
