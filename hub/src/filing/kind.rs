//! What is filed.

use serde::{Deserialize, Serialize};

use crate::codes::codes;

/// What a filing is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Deserialize,
    Serialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FilingKind {
    /// 重大疑难、跨区域、重大影响案件报告.
    MajorCaseReport,
    /// 拒绝受理报备.
    Refusal,
    /// 请示.
    Instruction,
    /// 投诉.
    Complaint,
    /// 复查.
    Review,
    /// What a complaint or a review came to.
    Outcome,
    /// 错假证责任追究结果.
    Accountability,
    /// 满意度测评.
    Satisfaction,
    /// 质量回访.
    QualityFollowUp,
    /// 法律援助、上门服务、减免 counts.
    ServiceCounts,
    /// 水印纸收发.
    SpecialPaper,
    /// 回避申报.
    Recusal,
    /// 窗口规范自评.
    SelfAssessment,
}

codes!(FilingKind {
    MajorCaseReport = "major_case_report" "重大疑难案件报告",
    Refusal = "refusal" "拒绝受理报备",
    Instruction = "instruction" "请示",
    Complaint = "complaint" "投诉",
    Review = "review" "复查",
    Outcome = "outcome" "投诉、复查结果",
    Accountability = "accountability" "错假证责任追究结果",
    Satisfaction = "satisfaction" "满意度测评",
    QualityFollowUp = "quality_follow_up" "质量回访",
    ServiceCounts = "service_counts" "法律援助、上门服务统计",
    SpecialPaper = "special_paper" "水印纸收发",
    Recusal = "recusal" "回避申报",
    SelfAssessment = "self_assessment" "窗口规范自评",
});

impl FilingKind {
    /// Whether it is about a case of the office's own.
    pub const fn about_case(self) -> AboutCase {
        match self {
            Self::Accountability => AboutCase::Needed,
            Self::MajorCaseReport
            | Self::Refusal
            | Self::Instruction
            | Self::Complaint
            | Self::Review
            | Self::Outcome => AboutCase::Possible,
            Self::Satisfaction
            | Self::QualityFollowUp
            | Self::ServiceCounts
            | Self::SpecialPaper
            | Self::Recusal
            | Self::SelfAssessment => AboutCase::Unusual,
        }
    }

    /// Whether it holds numbers of people's documents, which become tokens before they leave the office.
    pub const fn has_numbers(self) -> bool {
        matches!(self, Self::Recusal)
    }

    /// Whether it counts a period, so that a wrong count can be put right. What people state of one event stands as it was
    /// first told; of relatives and windows another filing is the last word.
    pub const fn is_correctable(self) -> bool {
        matches!(
            self,
            Self::Satisfaction | Self::QualityFollowUp | Self::ServiceCounts | Self::SpecialPaper
        )
    }

    /// Whether figures do not say it all.
    pub const fn needs_text(self) -> bool {
        matches!(
            self,
            Self::MajorCaseReport
                | Self::Refusal
                | Self::Instruction
                | Self::Complaint
                | Self::Review
        )
    }
}

/// Whether a filing is about a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AboutCase {
    /// It says nothing without one.
    Needed,
    Possible,
    /// A form does not ask for one; it may be named all the same.
    Unusual,
}
