//! Filings of an office that are not cases (杭司〔2012〕122号): reports of major cases, requests for instruction,
//! refusals, complaints and reviews with their outcomes, who answered for a wrong certificate, satisfaction and
//! follow-up, counts of services, special paper, recusal, and the self-assessment of the window. They come through the
//! agent or from a form of the console, and count from the moment they are recorded.

pub mod assessment;
pub mod body;
pub mod deadline;
pub mod form;
mod list;
pub mod missing;
pub mod window;

use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::statistics::calendar::Calendar;
use crate::store;
use crate::store::scope::Scope;
use crate::supervision::codes;
use crate::supervision::rule::Rules;
use body::Body;

/// Characters of a case's key, as in the wire contract.
pub const KEY_CHARS: usize = 64;
/// Characters of a filing's text.
pub const TEXT_CHARS: usize = 2000;

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
    MajorCaseReport = "major_case_report",
    Refusal = "refusal",
    Instruction = "instruction",
    Complaint = "complaint",
    Review = "review",
    Outcome = "outcome",
    Accountability = "accountability",
    Satisfaction = "satisfaction",
    QualityFollowUp = "quality_follow_up",
    ServiceCounts = "service_counts",
    SpecialPaper = "special_paper",
    Recusal = "recusal",
    SelfAssessment = "self_assessment",
});

impl FilingKind {
    pub const fn label_zh(self) -> &'static str {
        match self {
            Self::MajorCaseReport => "重大疑难案件报告",
            Self::Refusal => "拒绝受理报备",
            Self::Instruction => "请示",
            Self::Complaint => "投诉",
            Self::Review => "复查",
            Self::Outcome => "投诉、复查结果",
            Self::Accountability => "错假证责任追究结果",
            Self::Satisfaction => "满意度测评",
            Self::QualityFollowUp => "质量回访",
            Self::ServiceCounts => "法律援助、上门服务统计",
            Self::SpecialPaper => "水印纸收发",
            Self::Recusal => "回避申报",
            Self::SelfAssessment => "窗口规范自评",
        }
    }

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

/// A checked filing.
#[derive(Clone, Debug, PartialEq)]
pub struct Filing {
    pub office_id: OfficeId,
    /// Chosen by the office; makes a retry harmless.
    pub filing_id: Uuid,
    pub body: Body,
    /// The office's own case it concerns.
    pub source_case_id: Option<String>,
    pub text: String,
    /// Who filled the form in; none behind an agent.
    pub filed_by: Option<Uuid>,
}

/// A filing as it came, its kind known.
#[derive(Clone, Debug)]
pub struct Raw {
    pub filing_id: String,
    pub source_case_id: String,
    pub text: String,
}

/// A field that cannot be used: its name, and what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` must be {expected}")]
pub struct FilingError {
    pub field: String,
    pub expected: &'static str,
    /// 处理办法, for people.
    pub detail_zh: &'static str,
}

impl FilingError {
    pub(crate) fn new(
        field: impl Into<String>,
        expected: &'static str,
        detail_zh: &'static str,
    ) -> Self {
        Self {
            field: field.into(),
            expected,
            detail_zh,
        }
    }
}

/// Why a filing was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    #[error(transparent)]
    Field(#[from] FilingError),
    #[error("the filing that this one closes is not there")]
    NothingToClose,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl store::tx::Retryable for SubmitError {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_retryable())
    }
}

/// A filing as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub recorded_at: OffsetDateTime,
    /// The last day on which it was in time, where there is one.
    pub due_on: Option<Date>,
    pub late: bool,
}

impl Filing {
    /// `detail` holds the kind's own fields.
    pub fn parse(
        office_id: OfficeId,
        body: Body,
        raw: Raw,
        filed_by: Option<Uuid>,
    ) -> Result<Self, FilingError> {
        let error = FilingError::new;
        let kind = body.kind();
        let filing_id = Uuid::parse_str(&raw.filing_id)
            .map_err(|_| error("filing_id", "a UUID", "报送编号应为 UUID。"))?;
        if !fits(&raw.source_case_id, KEY_CHARS) || raw.source_case_id.contains('\n') {
            return Err(error(
                "source_case_id",
                "at most 64 printable characters",
                "案件主键不超过 64 个字符。",
            ));
        }
        if kind.about_case() == AboutCase::Needed && raw.source_case_id.is_empty() {
            return Err(error(
                "source_case_id",
                "the case that it is about",
                "请填写所涉案件的主键。",
            ));
        }
        let text = raw.text.trim();
        if (text.is_empty() && kind.needs_text()) || !fits(text, TEXT_CHARS) {
            return Err(error(
                "text",
                "1 to 2000 printable characters",
                "请填写情况说明，不超过 2000 字。",
            ));
        }
        Ok(Self {
            office_id,
            filing_id,
            body: body.checked()?,
            source_case_id: (!raw.source_case_id.is_empty()).then_some(raw.source_case_id),
            text: text.to_owned(),
            filed_by,
        })
    }
}

fn fits(text: &str, most: usize) -> bool {
    text.chars().count() <= most
        && !text
            .chars()
            .any(|char| char.is_control() && !matches!(char, '\n' | '\r' | '\t'))
}

/// Hands a filing in, as whoever files may for the own office; the same `filing_id` again has no second effect.
pub async fn submit(
    pool: &PgPool,
    scope: Scope,
    rules: &Rules,
    calendar: &Calendar,
    filing: &Filing,
) -> Result<Receipt, SubmitError> {
    let due_on = rules
        .deadlines
        .due_on(filing.body.kind(), filing.body.happened_on(), calendar);
    store::tx::retried("filing.submit", || {
        store::filing::record(pool, scope, filing, due_on)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(filing_id: &str, source_case_id: &str, text: &str) -> Result<Filing, FilingError> {
        let raw = Raw {
            filing_id: filing_id.to_owned(),
            source_case_id: source_case_id.to_owned(),
            text: text.to_owned(),
        };
        let body = Body::parse(FilingKind::Refusal, "").expect("nothing is needed");
        Filing::parse("hzgl".parse().expect("an id"), body, raw, None)
    }

    #[test]
    fn a_filing_may_concern_no_case_and_have_several_lines() {
        let id = Uuid::new_v4().to_string();
        let filing =
            parse(&id, "", " 当事人不具备主体资格。\n已告知救济途径。 ").expect("a filing");
        assert_eq!(filing.source_case_id, None);
        assert_eq!(filing.text, "当事人不具备主体资格。\n已告知救济途径。");
    }

    #[test]
    fn a_field_out_of_bounds_is_named() {
        let id = Uuid::new_v4().to_string();
        let field = |result: Result<Filing, FilingError>| result.expect_err("a refusal").field;
        assert_eq!(field(parse("7", "C1", "x")), "filing_id");
        assert_eq!(field(parse(&id, &"1".repeat(65), "x")), "source_case_id");
        assert_eq!(field(parse(&id, "C\n1", "x")), "source_case_id");
        assert_eq!(field(parse(&id, "C1", " ")), "text");
        assert_eq!(field(parse(&id, "C1", "a\0b")), "text");
        assert_eq!(field(parse(&id, "C1", &"字".repeat(2001))), "text");
    }
}
