//! The unit of evidence.

use std::fmt;

/// A logarithm of odds to base 2, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MatchWeight(i32);

impl MatchWeight {
    /// Neither for nor against.
    pub const ZERO: Self = Self(0);

    /// From thousandths of a bit.
    #[must_use]
    pub const fn from_millibits(millibits: i32) -> Self {
        Self(millibits)
    }

    /// From bits, rounded; infinities and NaN become the bounds and zero.
    #[must_use]
    pub fn from_bits(bits: f64) -> Self {
        const BOUND: f64 = 1_000_000.0;
        // A bounded number fits; NaN casts to zero.
        Self((bits * 1_000.0).clamp(-BOUND, BOUND).round() as i32)
    }

    /// Thousandths of a bit.
    #[must_use]
    pub const fn millibits(self) -> i32 {
        self.0
    }

    /// Probability that a pair of this weight is a match, the prior being counted.
    #[must_use]
    pub fn probability(self) -> f64 {
        1.0 / (1.0 + (-f64::from(self.0) / 1_000.0).exp2())
    }
}

impl std::ops::Add for MatchWeight {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::iter::Sum for MatchWeight {
    fn sum<I: Iterator<Item = Self>>(weights: I) -> Self {
        weights.fold(Self::ZERO, std::ops::Add::add)
    }
}

impl fmt::Display for MatchWeight {
    /// With its sign and one decimal, as it is shown to people: `+7.8`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.1}", f64::from(self.0) / 1_000.0)
    }
}
