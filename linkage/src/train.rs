//! Training of weights: u from pairs taken at random, m by expectation maximisation.
//!
//! The method is that of Winkler (1988) in the form that Splink made common. Two mentions taken at random are almost
//! surely of different persons: how they compare gives u. For m, pairs that share a blocking key are compared, and EM
//! finds the share of matches among them and the m of every field that the key does not fix, u being held. Each
//! field's m is the mean over the sessions that could see it, weighted by the matches they saw. Nothing is labelled.
//!
//! EM needs how often each comparison vector occurs and nothing else, so a session over millions of pairs is a table
//! of some thousand rows. Rows are kept in order: the same pairs in any order give the same weights to the last bit.

mod quality;
mod run;

use std::collections::BTreeMap;

use crate::{
    compare::{ComparisonVector, FIELDS, Field},
    weights::{LevelProbability, Probabilities},
};

pub use quality::Quality;
pub use run::TrainingRun;

/// Position of each field's level, as in [`ComparisonVector::levels`].
type Pattern = [Option<u8>; FIELDS];

/// How often each comparison vector occurs among some pairs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatternCounts {
    counts: BTreeMap<Pattern, u64>,
    pairs: u64,
}

impl PatternCounts {
    /// Counts one pair.
    pub fn add(&mut self, vector: &ComparisonVector) {
        *self.counts.entry(vector.levels()).or_default() += 1;
        self.pairs += 1;
    }

    /// Adds another table, for workers that count side by side.
    pub fn merge(&mut self, other: &Self) {
        for (pattern, count) in &other.counts {
            *self.counts.entry(*pattern).or_default() += count;
        }
        self.pairs += other.pairs;
    }

    /// Pairs counted.
    #[must_use]
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// Expected number of matches among the pairs under these probabilities and prior.
    #[must_use]
    pub fn expected_matches(&self, probabilities: &Probabilities, prior: f64) -> f64 {
        let every = [true; FIELDS];
        self.counts
            .iter()
            .map(|(pattern, &count)| {
                count as f64 * posterior(pattern, probabilities, prior, &every)
            })
            .sum()
    }
}

/// What EM found among the pairs of one blocking key.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// m of each level, for the fields that the key leaves free and that occurred.
    m: [Option<Vec<f64>>; FIELDS],
    /// Share of matches among the pairs.
    pub match_share: f64,
    /// Expected number of matches.
    pub matches: f64,
    /// Rounds until nothing moved.
    pub rounds: u32,
}

/// Rounds after which EM gives up: it converges in some ten.
const MOST_ROUNDS: u32 = 500;
/// Largest movement of a probability that counts as none.
const STILL: f64 = 1e-7;
/// Pairs that each level is given for nothing: a level that was never seen is rare, not impossible.
const PSEUDO_COUNT: f64 = 0.5;

/// u of every level from pairs taken at random.
#[must_use]
pub fn u_from_random_pairs(random: &PatternCounts) -> [Vec<f64>; FIELDS] {
    std::array::from_fn(|field| {
        let mut totals = vec![PSEUDO_COUNT; Field::ALL[field].level_count()];
        for (pattern, &count) in &random.counts {
            if let Some(level) = pattern[field] {
                totals[usize::from(level)] += count as f64;
            }
        }
        normalised(totals)
    })
}

/// m to begin with: full agreement is likely, the rest grows rarer down the list.
#[must_use]
pub fn first_guess(u: &[Vec<f64>; FIELDS]) -> Probabilities {
    std::array::from_fn(|field| {
        let rest = 0.1 / (u[field].len() - 1).max(1) as f64;
        let m = |level: usize| if level == 0 { 0.9 } else { rest };
        u[field]
            .iter()
            .enumerate()
            .map(|(level, &u)| LevelProbability { m: m(level), u })
            .collect()
    })
}

/// Runs EM over the pairs of one blocking key. `fixed` are the fields that the key makes agree; they are left out.
#[must_use]
pub fn expectation_maximisation(
    pairs: &PatternCounts,
    start: &Probabilities,
    fixed: &[Field],
) -> Session {
    let free: [bool; FIELDS] = std::array::from_fn(|field| !fixed.contains(&Field::ALL[field]));
    let mut probabilities = start.clone();
    let mut match_share = 0.5;
    let mut rounds = 0;
    loop {
        rounds += 1;
        let (totals, matches) = expect(pairs, &probabilities, match_share, &free);
        let share = (matches / (pairs.pairs.max(1)) as f64).clamp(1e-9, 1.0 - 1e-9);
        let mut moved = (share - match_share).abs();
        match_share = share;
        for (field, totals) in totals
            .into_iter()
            .enumerate()
            .filter(|(field, _)| free[*field])
        {
            for (level, m) in probabilities[field].iter_mut().zip(normalised(totals)) {
                moved = moved.max((level.m - m).abs());
                level.m = m;
            }
        }
        if moved < STILL || rounds == MOST_ROUNDS {
            let seen = |field: usize| {
                free[field] && pairs.counts.keys().any(|pattern| pattern[field].is_some())
            };
            let m = std::array::from_fn(|field| {
                seen(field).then(|| probabilities[field].iter().map(|level| level.m).collect())
            });
            return Session {
                m,
                match_share,
                matches,
                rounds,
            };
        }
    }
}

/// The E step: how much of each level belongs to matches, and how many matches there are.
fn expect(
    pairs: &PatternCounts,
    probabilities: &Probabilities,
    match_share: f64,
    free: &[bool; FIELDS],
) -> ([Vec<f64>; FIELDS], f64) {
    let mut totals: [Vec<f64>; FIELDS] =
        std::array::from_fn(|field| vec![PSEUDO_COUNT; Field::ALL[field].level_count()]);
    let mut matches = 0.0;
    for (pattern, &count) in &pairs.counts {
        let expected = count as f64 * posterior(pattern, probabilities, match_share, free);
        matches += expected;
        for (totals, level) in totals.iter_mut().zip(pattern) {
            if let Some(level) = level {
                totals[usize::from(*level)] += expected;
            }
        }
    }
    (totals, matches)
}

/// Probability that pairs of this pattern match.
fn posterior(
    pattern: &Pattern,
    probabilities: &Probabilities,
    share: f64,
    free: &[bool; FIELDS],
) -> f64 {
    let (mut m, mut u) = (share, 1.0 - share);
    for (field, level) in pattern.iter().enumerate() {
        if let (true, Some(level)) = (free[field], level) {
            let level = probabilities[field][usize::from(*level)];
            m *= level.m;
            u *= level.u;
        }
    }
    m / (m + u)
}

fn normalised(mut totals: Vec<f64>) -> Vec<f64> {
    let sum: f64 = totals.iter().sum();
    totals.iter_mut().for_each(|total| *total /= sum);
    totals
}

/// Joins what the sessions found. A field that no session could see keeps `start`.
#[must_use]
pub fn combine(sessions: &[Session], start: &Probabilities) -> Probabilities {
    let mut combined = start.clone();
    for (field, levels) in combined.iter_mut().enumerate() {
        let found: Vec<_> = sessions
            .iter()
            .filter_map(|session| session.m[field].as_ref().map(|m| (m, session.matches)))
            .collect();
        let matches: f64 = found.iter().map(|(_, matches)| matches).sum();
        if matches > 0.0 {
            for (at, level) in levels.iter_mut().enumerate() {
                level.m = found.iter().map(|(m, weight)| m[at] * weight).sum::<f64>() / matches;
            }
        }
        keep_order(levels);
    }
    combined
}

/// No level may outweigh full agreement; one that does, for want of examples, is taken down to it. What its m loses
/// is shared out among all in proportion, so that they still add up to 1 and the order holds.
fn keep_order(levels: &mut [LevelProbability]) {
    let Some(first) = levels.first().copied() else {
        return;
    };
    let most = first.m / first.u;
    for level in levels.iter_mut() {
        level.m = level.m.min(level.u * most);
    }
    let sum: f64 = levels.iter().map(|level| level.m).sum();
    for level in levels {
        level.m /= sum;
    }
}

/// Prior probability that two mentions at random match, from what is found among the compared pairs, one in so many
/// being compared: it feeds back into the number found, a few rounds settle it.
#[must_use]
pub fn prior(
    compared: &PatternCounts,
    probabilities: &Probabilities,
    mentions: u64,
    one_in: u64,
) -> f64 {
    let all_pairs = mentions as f64 * (mentions as f64 - 1.0) / 2.0 / one_in as f64;
    let bounded = |prior: f64| prior.clamp(1e-12, 0.5);
    let start = mentions as f64 / one_in as f64 / all_pairs.max(1.0);
    (0..20).fold(bounded(start), |prior, _| {
        bounded(compared.expected_matches(probabilities, prior) / all_pairs.max(1.0))
    })
}

#[cfg(test)]
mod tests;
