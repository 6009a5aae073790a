//! The weights file.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::{Deserialize, Serialize};

use super::{LevelProbability, MatchWeight, Thresholds, Weights};
use crate::compare::Field;

/// What makes a weights file unusable.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// Not TOML, or not of this shape.
    #[error("the weights file is not readable: {0}")]
    Text(#[from] toml::de::Error),
    /// A field of the comparison has no weights, or a level has none, or one is unknown.
    #[error("{field}: the levels must be exactly {}", field.level_codes().join(", "))]
    Levels {
        /// The field.
        field: Field,
    },
    /// An m or u that is no probability, or excludes or promises something for certain.
    #[error("{field}: every m and u must lie between 0 and 1, both excluded")]
    Probability {
        /// The field.
        field: Field,
    },
    /// They do not add up.
    #[error("{field}: the m of all levels must add up to 1, and so must the u")]
    Sum {
        /// The field.
        field: Field,
    },
    /// Some level outweighs full agreement.
    #[error("{field}: no level may weigh more than the first, full agreement")]
    Order {
        /// The field.
        field: Field,
    },
    /// The prior is no probability.
    #[error("the prior must lie between 0 and 1, both excluded")]
    Prior,
    /// The share of the rarest name is no probability.
    #[error("the rarest name's share must lie between 0 and 1, both excluded")]
    RarestName,
    /// Review begins above linking.
    #[error("the review threshold must not be above the link threshold")]
    Thresholds,
}

/// Where weights come from and how good they were on data that they were not trained on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// What data they were trained on.
    pub data: String,
    /// How.
    pub method: String,
    /// Seed of the data and of all sampling.
    pub seed: u64,
    /// Mentions in it.
    pub mentions: u64,
    /// Pairs compared.
    pub pairs: u64,
    /// Seed of the data on which quality was measured.
    pub measured_seed: u64,
    /// Mentions in it.
    pub measured_mentions: u64,
    /// Linked pairs that are matches, of all linked pairs.
    pub precision: f64,
    /// Matches that are linked, of all matches.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// The same measured mention by mention.
    pub b_cubed_f1: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WeightsText {
    version: String,
    prior: f64,
    link: f64,
    review: f64,
    rarest_name: f64,
    provenance: Provenance,
    levels: BTreeMap<Field, BTreeMap<String, LevelText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelText {
    m: f64,
    u: f64,
}

pub(super) fn parse(toml: &str) -> Result<Weights, WeightsError> {
    let text: WeightsText = toml::from_str(toml)?;
    let mut probabilities = std::array::from_fn(|_| Vec::new());
    for (&field, into) in Field::ALL.iter().zip(&mut probabilities) {
        *into = text
            .levels
            .get(&field)
            .and_then(|levels| levels_of(field, levels))
            .ok_or(WeightsError::Levels { field })?;
    }
    let thresholds = Thresholds {
        link: MatchWeight::from_bits(text.link),
        review: MatchWeight::from_bits(text.review),
    };
    Weights::new(
        text.version,
        probabilities,
        text.prior,
        text.rarest_name,
        thresholds,
        text.provenance,
    )
}

/// In the field's order; `None` when one is missing or unknown.
fn levels_of(field: Field, levels: &BTreeMap<String, LevelText>) -> Option<Vec<LevelProbability>> {
    let codes = field.level_codes();
    if levels.len() != codes.len() {
        return None;
    }
    codes
        .iter()
        .map(|code| {
            levels.get(*code).map(|level| LevelProbability {
                m: level.m,
                u: level.u,
            })
        })
        .collect()
}

/// Weights beside the probabilities are comments: they are computed when the file is read.
pub(super) fn write(weights: &Weights) -> String {
    let bits = |weight: MatchWeight| f64::from(weight.millibits()) / 1_000.0;
    let mut text = String::from(
        "# Weights of person linkage (Fellegi-Sunter): m and u of every comparison level. Described in docs/linkage.md.\n\
         # Made by `make train`; not edited by hand. A hub may train its own.\n",
    );
    let provenance = toml::to_string(&weights.provenance).unwrap_or_default();
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "version = {:?}\nprior = {:e}\nlink = {:.3}\nreview = {:.3}\nrarest_name = {:e}\n\n[provenance]\n{provenance}",
        weights.version,
        weights.prior_probability,
        bits(weights.link),
        bits(weights.review),
        weights.rarest_share,
    );
    for (&field, levels) in Field::ALL.iter().zip(&weights.probabilities) {
        let _ = write!(text, "\n[levels.{field}]\n");
        for (code, level) in field.level_codes().iter().zip(levels) {
            let _ = writeln!(
                text,
                "{code} = {{ m = {:.6e}, u = {:.6e} }} # {}",
                level.m,
                level.u,
                level.weight()
            );
        }
    }
    text
}
