//! The life of a finding, and who takes which step.
//!
//! | from | step | to | who |
//! |---|---|---|---|
//! | open | notify 通知 | notified | bureau |
//! | notified | rectify 报整改 | rectified | office |
//! | rectified | verify 核实 | verified | bureau |
//! | rectified | return 退回 | notified | bureau |
//! | open, notified, rectified | dismiss 排除 | dismissed | bureau |
//! | verified, dismissed | reopen 重新打开 | open | bureau |

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::codes;

/// Where a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SupervisionFindingState)] // reviews have states of their own
pub enum FindingState {
    /// 待处理
    Open,
    /// 已通知，待整改
    Notified,
    /// 已报整改，待核实
    Rectified,
    /// 整改已核实
    Verified,
    /// 已排除
    Dismissed,
}

codes!(FindingState {
    Open = "open" "待处理",
    Notified = "notified" "待整改",
    Rectified = "rectified" "待核实",
    Verified = "verified" "已核实",
    Dismissed = "dismissed" "已排除",
});

/// What a person does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Notify,
    Rectify,
    Verify,
    Return,
    Dismiss,
    Reopen,
}

codes!(Step {
    Notify = "notify" "通知整改",
    Rectify = "rectify" "报送整改",
    Verify = "verify" "核实",
    Return = "return" "退回",
    Dismiss = "dismiss" "排除",
    Reopen = "reopen" "重新打开",
});

/// Whose hands a step is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    Bureau,
    Office,
}

/// A step that the table does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a finding that is {from:?} knows no step {step:?}")]
pub struct IllegalStep {
    pub from: FindingState,
    pub step: Step,
}

impl Step {
    pub const fn hand(self) -> Hand {
        match self {
            Self::Rectify => Hand::Office,
            _ => Hand::Bureau,
        }
    }
}

impl FindingState {
    /// Whether those of that hand find anything in it: an office is told of what it was notified of.
    pub const fn is_told_to(self, hand: Hand) -> bool {
        !matches!((self, hand), (Self::Open, Hand::Office))
    }

    /// Takes a step.
    pub const fn transition(self, step: Step) -> Result<Self, IllegalStep> {
        use FindingState::*;
        match (self, step) {
            (Open, Step::Notify) | (Rectified, Step::Return) => Ok(Notified),
            (Notified, Step::Rectify) => Ok(Rectified),
            (Rectified, Step::Verify) => Ok(Verified),
            (Open | Notified | Rectified, Step::Dismiss) => Ok(Dismissed),
            (Verified | Dismissed, Step::Reopen) => Ok(Open),
            (from, step) => Err(IllegalStep { from, step }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_as_documented() {
        let mut table = Vec::new();
        for from in FindingState::ALL {
            for step in Step::ALL {
                if let Ok(to) = from.transition(*step) {
                    table.push(format!("{} {} {}", from.code(), step.code(), to.code()));
                }
            }
        }
        assert_eq!(
            table,
            [
                "open notify notified",
                "open dismiss dismissed",
                "notified rectify rectified",
                "notified dismiss dismissed",
                "rectified verify verified",
                "rectified return notified",
                "rectified dismiss dismissed",
                "verified reopen open",
                "dismissed reopen open",
            ]
        );
    }
}
