//! Where a case stands and which steps lead on.

use super::vocabulary;

vocabulary! {
    /// Where a case (案件) stands.
    ///
    /// | from | one legal step leads to |
    /// |---|---|
    /// | applied | accepted, refused |
    /// | accepted | under_review, rejected, terminated |
    /// | under_review | approved, rejected, terminated |
    /// | approved | issued, rejected, terminated |
    /// | issued | archived, corrected, revoked |
    /// | archived | corrected, revoked |
    /// | corrected | archived, revoked |
    /// | refused, rejected, terminated, revoked | – |
    ///
    /// Any state but itself may also step to withdrawn: the office takes the record back. Staying is no step and
    /// always legal, because a revision may change other fields.
    CaseState, "case_state" {
        Applied = "applied" "申请",
        Accepted = "accepted" "受理",
        /// 公证程序规则 art. 19; carries a reason.
        Refused = "refused" "不予受理",
        UnderReview = "under_review" "审查",
        Approved = "approved" "审批",
        Issued = "issued" "出证",
        /// 公证法 art. 35.
        Archived = "archived" "归档",
        /// 公证法 art. 31; carries a reason.
        Rejected = "rejected" "不予办理",
        Terminated = "terminated" "终止",
        /// 公证法 art. 39.
        Corrected = "corrected" "更正",
        /// 公证法 art. 39: void from the start.
        Revoked = "revoked" "撤销",
        /// Withdrawn by the office; nothing is ever deleted.
        Withdrawn = "withdrawn" "撤回",
    }
}

/// A step that the table of [`CaseState`] does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a case does not step from {from} to {to}")]
pub struct IllegalStep {
    /// Where the case stood.
    pub from: CaseState,
    /// Where it was said to stand next.
    pub to: CaseState,
}

impl CaseState {
    /// The states one legal step leads to, withdrawal apart.
    const fn next(self) -> &'static [CaseState] {
        use CaseState::*;
        match self {
            Applied => &[Accepted, Refused],
            Accepted => &[UnderReview, Rejected, Terminated],
            UnderReview => &[Approved, Rejected, Terminated],
            Approved => &[Issued, Rejected, Terminated],
            Issued => &[Archived, Corrected, Revoked],
            Archived => &[Corrected, Revoked],
            Corrected => &[Archived, Revoked],
            Refused | Rejected | Terminated | Revoked | Withdrawn => &[],
        }
    }

    /// Takes one step, or stays.
    ///
    /// # Errors
    /// [`IllegalStep`] when the table has no such step.
    pub fn step_to(self, next: CaseState) -> Result<CaseState, IllegalStep> {
        let withdraws = next == CaseState::Withdrawn;
        if next == self || withdraws || self.next().contains(&next) {
            Ok(next)
        } else {
            Err(IllegalStep {
                from: self,
                to: next,
            })
        }
    }

    /// Whether some chain of legal steps leads from here to `later`. A feed shows snapshots: a case seen as
    /// accepted and then as issued went through review unseen, which is lawful; issued and then accepted is not.
    #[must_use]
    pub fn leads_to(self, later: CaseState) -> bool {
        // The table's only cycle is archived ⇄ corrected, and both lead to the same states.
        let mut reached = vec![self];
        let mut visited = 0;
        while let Some(&state) = reached.get(visited) {
            if state.step_to(later).is_ok() {
                return true;
            }
            for &next in state.next() {
                if !reached.contains(&next) {
                    reached.push(next);
                }
            }
            visited += 1;
        }
        false
    }

    /// Whether the case counts when duplicates are sought: it is being done, or its certificate stands.
    #[must_use]
    pub const fn is_live_or_issued(self) -> bool {
        use CaseState::*;
        match self {
            Applied | Accepted | UnderReview | Approved | Issued | Archived | Corrected => true,
            Refused | Rejected | Terminated | Revoked | Withdrawn => false,
        }
    }

    /// Whether the case has been accepted at some time. A withdrawn record does not say.
    #[must_use]
    pub const fn is_accepted_or_later(self) -> bool {
        use CaseState::*;
        !matches!(self, Applied | Refused | Withdrawn)
    }

    /// Whether a certificate has been issued at some time. A withdrawn record does not say.
    #[must_use]
    pub const fn is_issued_or_later(self) -> bool {
        use CaseState::*;
        matches!(self, Issued | Archived | Corrected | Revoked)
    }
}

#[cfg(test)]
mod tests {
    use super::{CaseState::*, *};

    /// The table of the type's documentation, written out once more: rows from, columns to, in the order of `ALL`.
    const LEGAL: [&str; 12] = [
        // ap ac re ur ap is ar rj te co rv wi
        "= + + - - - - - - - - +", // applied
        "- = - + - - - + + - - +", // accepted
        "- - = - - - - - - - - +", // refused
        "- - - = + - - + + - - +", // under_review
        "- - - - = + - + + - - +", // approved
        "- - - - - = + - - + + +", // issued
        "- - - - - - = - - + + +", // archived
        "- - - - - - - = - - - +", // rejected
        "- - - - - - - - = - - +", // terminated
        "- - - - - - + - - = + +", // corrected
        "- - - - - - - - - - = +", // revoked
        "- - - - - - - - - - - =", // withdrawn
    ];

    #[test]
    fn every_pair_of_states_steps_as_the_table_says() {
        for (&from, row) in CaseState::ALL.iter().zip(LEGAL) {
            for (&to, cell) in CaseState::ALL.iter().zip(row.split(' ')) {
                let step = from.step_to(to);
                match cell {
                    "-" => assert_eq!(step, Err(IllegalStep { from, to })),
                    _ => assert_eq!(step, Ok(to), "{from} to {to}"),
                }
            }
        }
    }

    #[test]
    fn a_snapshot_may_skip_steps_forward_but_never_back() {
        assert!(Applied.leads_to(Archived));
        assert!(Accepted.leads_to(Revoked));
        assert!(Corrected.leads_to(Archived));
        assert!(!Issued.leads_to(Accepted));
        assert!(!Issued.leads_to(Rejected));
        assert!(!Refused.leads_to(Issued));
        for &state in CaseState::ALL {
            assert!(state.leads_to(state));
            assert!(state.leads_to(Withdrawn));
            assert_eq!(Withdrawn.leads_to(state), state == Withdrawn);
        }
    }

    #[test]
    fn dead_cases_do_not_count_for_duplicates() {
        let dead: Vec<_> = CaseState::ALL
            .iter()
            .filter(|s| !s.is_live_or_issued())
            .collect();
        assert_eq!(
            dead,
            [&Refused, &Rejected, &Terminated, &Revoked, &Withdrawn]
        );
    }

    #[test]
    fn what_is_issued_was_accepted() {
        for state in CaseState::ALL {
            assert!(!state.is_issued_or_later() || state.is_accepted_or_later());
        }
    }
}
