//! Weights: the m and u probabilities of every comparison level, the prior, and the thresholds, as data.
//!
//! m is the probability of a level among mentions of one person, u among mentions of different persons. They are
//! trained ([`crate::train`]) and shipped in `data/weights.toml` with where they come from and how good they were.

mod match_weight;
mod text;

use crate::{
    compare::{FIELDS, Field},
    name::NameLevel,
};

pub use match_weight::MatchWeight;
pub use text::{Provenance, WeightsError};

/// Levels of the field that has most.
const MOST_LEVELS: usize = NameLevel::ALL.len();

/// m and u of one level, each above 0 and below 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelProbability {
    /// Probability among matches.
    pub m: f64,
    /// Probability among non-matches.
    pub u: f64,
}

impl LevelProbability {
    /// log2(m/u).
    #[must_use]
    pub fn weight(self) -> MatchWeight {
        MatchWeight::from_bits((self.m / self.u).log2())
    }
}

/// Probabilities of every field's levels, in the order of [`Field::ALL`] and the field's list.
pub type Probabilities = [Vec<LevelProbability>; FIELDS];

/// A complete set of weights. One that exists is consistent: every level of every field has an m and a u, each
/// field's add up to 1, no name outweighs the exact one, no birth date the equal one, and the thresholds are in order.
#[derive(Debug, Clone)]
pub struct Weights {
    version: String,
    probabilities: Probabilities,
    prior_probability: f64,
    rarest_share: f64,
    provenance: Provenance,
    /// What scoring reads, made from the above.
    levels: [[MatchWeight; MOST_LEVELS]; FIELDS],
    prior: MatchWeight,
    link: MatchWeight,
    review: MatchWeight,
    average_name_share: i32,
    rarest_name_share: i32,
}

/// Thresholds of the match weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// From here on two mentions are one person.
    pub link: MatchWeight,
    /// From here on a person is asked; not above `link`.
    pub review: MatchWeight,
}

impl Weights {
    /// The weights that come with the program.
    #[must_use]
    pub fn builtin() -> Self {
        Self::parse(include_str!("../data/weights.toml")).expect("a test reads the shipped weights")
    }

    /// Reads and checks a weights file.
    ///
    /// # Errors
    /// What makes it inconsistent.
    pub fn parse(toml: &str) -> Result<Self, WeightsError> {
        text::parse(toml)
    }

    /// Puts trained parts together.
    ///
    /// # Errors
    /// What makes them inconsistent.
    pub fn new(
        version: String,
        probabilities: Probabilities,
        prior_probability: f64,
        rarest_share: f64,
        thresholds: Thresholds,
        provenance: Provenance,
    ) -> Result<Self, WeightsError> {
        check(&probabilities, prior_probability, rarest_share, thresholds)?;
        let mut levels = [[MatchWeight::ZERO; MOST_LEVELS]; FIELDS];
        for (weights, field) in levels.iter_mut().zip(&probabilities) {
            for (weight, level) in weights.iter_mut().zip(field) {
                *weight = level.weight();
            }
        }
        let exact = probabilities[Field::Name as usize][NameLevel::Exact as usize];
        let odds = prior_probability / (1.0 - prior_probability);
        Ok(Self {
            version,
            levels,
            prior: MatchWeight::from_bits(odds.log2()),
            link: thresholds.link,
            review: thresholds.review,
            average_name_share: MatchWeight::from_bits(exact.u.log2()).millibits(),
            rarest_name_share: MatchWeight::from_bits(rarest_share.log2()).millibits(),
            probabilities,
            prior_probability,
            rarest_share,
            provenance,
        })
    }

    /// As a file that [`Weights::parse`] reads back.
    #[must_use]
    pub fn to_toml(&self) -> String {
        text::write(self)
    }

    /// The same weights with other thresholds.
    ///
    /// # Errors
    /// When `review` is above `link`.
    pub fn with_thresholds(mut self, thresholds: Thresholds) -> Result<Self, WeightsError> {
        check_thresholds(thresholds)?;
        self.link = thresholds.link;
        self.review = thresholds.review;
        Ok(self)
    }

    /// The same weights for a collection of another size. A mention has about as many others of its person however
    /// large the collection, so a pair at random matches the more rarely the more there are.
    #[must_use]
    pub fn scaled_to(mut self, mentions: u64) -> Self {
        let scale = self.provenance.mentions.max(1) as f64 / mentions.max(1) as f64;
        let odds = (self.prior_probability * scale).clamp(1e-15, 0.5);
        self.prior = MatchWeight::from_bits((odds / (1.0 - odds)).log2());
        self.rarest_name_share = MatchWeight::from_bits(rarest_share(mentions).log2()).millibits();
        self
    }

    /// The same weights with another provenance.
    #[must_use]
    pub fn with_provenance(mut self, provenance: Provenance) -> Self {
        self.provenance = provenance;
        self
    }

    /// Version, kept beside every link that was made with these weights.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Where they come from and how good they were.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// m and u of every level.
    #[must_use]
    pub fn probabilities(&self) -> &Probabilities {
        &self.probabilities
    }

    /// Probability that two mentions taken at random are of one person.
    #[must_use]
    pub fn prior_probability(&self) -> f64 {
        self.prior_probability
    }

    /// log2 of the prior odds.
    #[must_use]
    pub fn prior(&self) -> MatchWeight {
        self.prior
    }

    /// From here on two mentions are one person.
    #[must_use]
    pub fn link(&self) -> MatchWeight {
        self.link
    }

    /// From here on a person is asked.
    #[must_use]
    pub fn review(&self) -> MatchWeight {
        self.review
    }

    /// log2(m/u) of a level by its position in the field's list; nothing for a position that it does not have.
    #[must_use]
    pub fn level_weight(&self, field: Field, level: u8) -> MatchWeight {
        self.levels[field as usize]
            .get(usize::from(level))
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn average_name_share(&self) -> i32 {
        self.average_name_share
    }

    pub(crate) fn rarest_name_share(&self) -> i32 {
        self.rarest_name_share
    }
}

/// Share of the rarest name that can agree: two mentions bear it.
#[must_use]
pub fn rarest_share(mentions: u64) -> f64 {
    (2.0 / mentions.max(4) as f64).max(1e-12)
}

fn check(
    probabilities: &Probabilities,
    prior: f64,
    rarest_share: f64,
    thresholds: Thresholds,
) -> Result<(), WeightsError> {
    const TOLERANCE: f64 = 1e-3;
    let is_probability = |p: f64| p > 0.0 && p < 1.0;
    if !is_probability(prior) {
        return Err(WeightsError::Prior);
    }
    if !is_probability(rarest_share) {
        return Err(WeightsError::RarestName);
    }
    for (&field, levels) in Field::ALL.iter().zip(probabilities) {
        if levels.len() != field.level_count() {
            return Err(WeightsError::Levels { field });
        }
        if !levels
            .iter()
            .all(|level| is_probability(level.m) && is_probability(level.u))
        {
            return Err(WeightsError::Probability { field });
        }
        let sums = levels
            .iter()
            .fold((0.0, 0.0), |(m, u), level| (m + level.m, u + level.u));
        if (sums.0 - 1.0).abs() > TOLERANCE || (sums.1 - 1.0).abs() > TOLERANCE {
            return Err(WeightsError::Sum { field });
        }
        if levels
            .iter()
            .any(|level| level.weight() > levels[0].weight())
        {
            return Err(WeightsError::Order { field });
        }
    }
    check_thresholds(thresholds)
}

fn check_thresholds(thresholds: Thresholds) -> Result<(), WeightsError> {
    if thresholds.review <= thresholds.link {
        Ok(())
    } else {
        Err(WeightsError::Thresholds)
    }
}

#[cfg(test)]
mod tests;
