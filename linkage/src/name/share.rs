//! How common names are.

/// How common a name is: log2 of the share of mentions that bear it in standard form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameShare(i32);

impl NameShare {
    /// Of a name that `bearers` of `mentions` have; at least one and at most all of them.
    #[must_use]
    pub fn of(bearers: u64, mentions: u64) -> Self {
        let mentions = mentions.max(1);
        let share = bearers.clamp(1, mentions) as f64 / mentions as f64;
        // A share of u64 mentions is above 2^-64: its thousandths of a bit fit.
        Self((share.log2() * 1_000.0).round() as i32)
    }

    /// A share that was stored; none is more than all.
    #[must_use]
    pub const fn from_millibits(millibits: i32) -> Self {
        Self(if millibits > 0 { 0 } else { millibits })
    }

    /// log2 of the share in thousandths.
    #[must_use]
    pub const fn millibits(self) -> i32 {
        self.0
    }
}
