//! Why somebody looks up.

use super::vocabulary;

vocabulary! {
    /// Why an office looks up (查询目的).
    Purpose, "purpose" {
        BeforeAcceptance = "before_acceptance" "受理前查重",
        VerifyingCase = "verifying_case" "办理中核实",
        ReviewOrComplaint = "review_or_complaint" "复查投诉",
    }
}
