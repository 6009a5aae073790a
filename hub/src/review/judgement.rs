//! The life of a judgement about two mentions.
//!
//! | state | confirm | decline | withdraw |
//! |---|---|---|---|
//! | proposed | in force | declined | withdrawn |
//! | in force | – | – | withdrawn |
//! | declined, withdrawn | – | – | – |

use linkage::cluster::Judgement;
use serde::Serialize;

use crate::codes::codes;

/// Where a judgement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JudgementState {
    /// Waits for the second pair of eyes; nothing follows from it yet.
    Proposed,
    /// Persons follow it.
    InForce,
    Declined,
    Withdrawn,
}

codes!(JudgementState {
    Proposed = "proposed",
    InForce = "in_force",
    Declined = "declined",
    Withdrawn = "withdrawn",
});

/// What can happen to a judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Confirm,
    Decline,
    Withdraw,
}

/// Whose cases a judgement joins or parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    WithinOneOffice,
    AcrossOffices,
}

/// A step that a judgement cannot take any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the judgement is past this step")]
pub struct Past;

impl JudgementState {
    /// Where a new judgement begins. A merge across offices needs a second pair of eyes; keeping apart does no harm
    /// that waiting would prevent.
    pub const fn of_new(judgement: Judgement, reach: Reach) -> Self {
        match (judgement, reach) {
            (Judgement::Same, Reach::AcrossOffices) => Self::Proposed,
            (Judgement::Same, Reach::WithinOneOffice) | (Judgement::NotSame, _) => Self::InForce,
        }
    }

    /// The state after a step.
    pub const fn after(self, step: Step) -> Result<Self, Past> {
        match (self, step) {
            (Self::Proposed, Step::Confirm) => Ok(Self::InForce),
            (Self::Proposed, Step::Decline) => Ok(Self::Declined),
            (Self::Proposed | Self::InForce, Step::Withdraw) => Ok(Self::Withdrawn),
            _ => Err(Past),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::JudgementState::{Declined, InForce, Proposed, Withdrawn};
    use super::Step::{Confirm, Decline, Withdraw};
    use super::*;

    #[test]
    fn the_table_is_the_one_above() {
        for (from, confirm, decline, withdraw) in [
            (Proposed, Ok(InForce), Ok(Declined), Ok(Withdrawn)),
            (InForce, Err(Past), Err(Past), Ok(Withdrawn)),
            (Declined, Err(Past), Err(Past), Err(Past)),
            (Withdrawn, Err(Past), Err(Past), Err(Past)),
        ] {
            assert_eq!(from.after(Confirm), confirm);
            assert_eq!(from.after(Decline), decline);
            assert_eq!(from.after(Withdraw), withdraw);
        }
    }

    #[test]
    fn a_merge_across_offices_alone_waits() {
        for (judgement, reach, state) in [
            (Judgement::Same, Reach::AcrossOffices, Proposed),
            (Judgement::Same, Reach::WithinOneOffice, InForce),
            (Judgement::NotSame, Reach::AcrossOffices, InForce),
            (Judgement::NotSame, Reach::WithinOneOffice, InForce),
        ] {
            assert_eq!(JudgementState::of_new(judgement, reach), state);
        }
    }
}
