//! What `office-agent status` says about the connection.

use serde::{Deserialize, Serialize};

/// The connection to the hub.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncState {
    /// Whether a stream is open.
    pub connected: bool,
    /// When the last one was opened, seconds since 1970.
    pub connected_at: Option<i64>,
    /// When the hub last acknowledged, seconds since 1970.
    pub acked_at: Option<i64>,
    /// Hub's version.
    pub hub_version: Option<String>,
    /// This machine's clock minus the hub's, milliseconds, network time included.
    pub clock_skew_ms: Option<i64>,
    /// Whether the hub refused who this agent is (revoked, ended too long ago, another office's) and has opened no
    /// stream since.
    #[serde(default)]
    pub identity_refused: bool,
    /// What last went wrong.
    pub last_error: Option<Said>,
}

/// A clock that is off by more ends no time.
const SAME_DAY_MS: u64 = 24 * 3600 * 1000;

impl SyncState {
    /// Whether this machine's clock was the hub's, about, when a stream was last opened. One that stands in another year
    /// would have everything that the hub acknowledged count as old, and be let go.
    #[must_use]
    pub fn has_clock_of_hub(&self) -> bool {
        self.clock_skew_ms
            .is_some_and(|skew| skew.unsigned_abs() < SAME_DAY_MS)
    }
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// English.
    pub text: String,
    /// Chinese; empty when the hub gave none.
    pub text_zh: String,
    /// When, seconds since 1970.
    pub at: i64,
    /// Whether it still stands; false once a stream was opened after it.
    pub open: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_that_the_hub_has_confirmed_ends_the_time_of_what_is_kept() {
        let with = |clock_skew_ms| SyncState {
            clock_skew_ms,
            ..SyncState::default()
        };
        for (skew, expected) in [
            (None, false),
            (Some(0), true),
            (Some(-80_000_000), true),
            (Some(40 * 86_400_000), false),
            (Some(i64::MIN), false),
        ] {
            assert_eq!(with(skew).has_clock_of_hub(), expected, "{skew:?}");
        }
    }
}
