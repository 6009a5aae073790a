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

use linkage::long_number;
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::audit::{Action, Actor, Audit, AuditError, Entry, Outcome};
use crate::codes::codes;
use crate::local_time::local_day;
use crate::refusal::{Reason, Refusal};
use crate::statistics::calendar::Calendar;
use crate::store;
use crate::store::scope::Scope;
use crate::store::token_key::{NotEntered, Told};
use crate::supervision::rule::Rules;
use crate::supervision::worker::Supervision;
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
    pub reason: Reason,
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
            reason: Reason::FieldInvalid,
            field: field.into(),
            expected,
            detail_zh,
        }
    }

    /// Somebody's number in a text, which is not repeated.
    pub(crate) fn number(field: impl Into<String>) -> Self {
        let reason = Reason::NumberInText;
        Self {
            reason,
            ..Self::new(
                field,
                "a text without phone or document numbers",
                reason.message_zh(),
            )
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
    #[error("another filing of the office has this id")]
    IdTaken,
    #[error(transparent)]
    Key(#[from] NotEntered),
    #[error(transparent)]
    Audit(#[from] AuditError),
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
        if long_number::is_in(text) {
            return Err(FilingError::number("text"));
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

impl Filing {
    /// Tells filings of one id apart, relatives included.
    pub fn digest(&self) -> [u8; 32] {
        // An object of serde_json keeps its keys in order.
        let content = json!([self.body, self.source_case_id, self.text]);
        Sha256::digest(content.to_string()).into()
    }

    fn entry(&self, account_id: Uuid) -> Entry {
        let detail = json!({ "filing": self.filing_id, "kind": self.body.kind() });
        let actor = Actor::Account(account_id);
        Entry {
            office_id: Some(self.office_id),
            ..Entry::of(actor, Action::SubmitFiling, Outcome::Done, detail)
        }
    }
}

fn fits(text: &str, most: usize) -> bool {
    text.chars().count() <= most
        && !text
            .chars()
            .any(|char| char.is_control() && !matches!(char, '\n' | '\r' | '\t'))
}

/// What either door answers to an id that another filing has.
pub(crate) fn id_taken() -> Refusal {
    Reason::FilingIdTaken
        .because("another filing of the office has this id")
        .field("filing_id", "an id that no other filing has")
}

/// What the hub knows of what a filing is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    Nothing,
    /// The day on which the case did what is reported.
    Case(Date),
    /// The complaint or review that it closes.
    Grievance(FilingKind, Date),
}

/// The last day on which it is in time. An office's own word moves no limit that the hub can count itself: from what a case
/// did, from the end of the period, and for an outcome from the day on which the decision was due at the latest.
fn due_on(rules: &Rules, calendar: &Calendar, filing: &Filing, known: Known) -> Option<Date> {
    let said = filing.body.begins_on();
    let from = match known {
        Known::Nothing => said,
        Known::Case(day) => Some(day),
        Known::Grievance(kind, received_on) => {
            let latest = rules.outcome_due(kind, received_on, calendar);
            [said, latest].into_iter().flatten().min()
        }
    };
    rules.deadlines.due_on(filing.body.kind(), from, calendar)
}

/// Hands a filing in whose tokens are made with the key `told`, as whoever files may for the own office; the same
/// `filing_id` again has no second effect. What a person files is recorded before it is stored.
pub async fn submit(
    supervision: &Supervision,
    audit: &Audit,
    scope: Scope,
    told: Told,
    filing: &Filing,
) -> Result<Receipt, SubmitError> {
    if let Some(account_id) = filing.filed_by {
        audit.append(filing.entry(account_id)).await?;
    }
    let today = local_day(OffsetDateTime::now_utc());
    // What it is about is over, a period to its last day.
    let happened_on = filing.body.happened_on();
    if happened_on.is_some_and(|day| day > today) {
        return Err(SubmitError::Field(FilingError::new(
            "detail",
            "a day that has come",
            "日期不得晚于今天。",
        )));
    }
    let Supervision {
        pool,
        rules,
        calendar,
    } = supervision;
    let known = store::filing::known(pool, filing).await?;
    let due_on = due_on(&rules.rules(), calendar, filing, known);
    store::tx::retried("filing.submit", || {
        store::filing::record::record(pool, scope, told, filing, due_on)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

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

    #[test]
    fn somebodys_number_in_a_text_is_refused_and_not_repeated() {
        let id = Uuid::new_v4().to_string();
        let said = "当事人身份证号 11010519491231002X";
        let error = parse(&id, "C1", said).expect_err("a number");
        assert_eq!(
            (error.reason, error.field.as_str()),
            (Reason::NumberInText, "text")
        );
        assert!(!format!("{error:?} {error}").contains("110105"));
    }

    #[test]
    fn no_office_chooses_the_day_on_which_it_would_have_been_late() {
        let (rules, calendar) = (Rules::builtin(), Calendar::builtin());
        let due = |kind: FilingKind, detail: &str, known| {
            let filing = Filing {
                office_id: "hzgl".parse().expect("an id"),
                filing_id: Uuid::nil(),
                body: Body::parse(kind, detail).expect("a body"),
                source_case_id: None,
                text: String::new(),
                filed_by: None,
            };
            due_on(&rules, &calendar, &filing, known)
        };
        // A self-assessment is due behind its year, whenever the office assessed itself.
        let assessed = due(
            FilingKind::SelfAssessment,
            r#"{"assessed_on": "2024-03-01", "items": []}"#,
            Known::Nothing,
        );
        assert_eq!(assessed, Some(date!(2025 - 02 - 05)));
        // A month's paper behind the month, whatever part of it is reported.
        let paper = due(
            FilingKind::SpecialPaper,
            r#"{"period": {"first_day": "2024-06-03", "last_day": "2024-08-20"}, "movements": []}"#,
            Known::Nothing,
        );
        assert_eq!(paper, Some(date!(2024 - 07 - 05)));
        // A complaint of 2024-07-01 was to be decided by 07-22; whenever the office says it decided, 07-25 is the last day.
        let outcome = r#"{"about": "00000000-0000-0000-0000-000000000000", "decided_on": "2024-09-01", "result": "upheld"}"#;
        let about = Known::Grievance(FilingKind::Complaint, date!(2024 - 07 - 01));
        assert_eq!(
            due(FilingKind::Outcome, outcome, about),
            Some(date!(2024 - 07 - 25))
        );
        // The case says when it was revoked.
        let account = r#"{"decided_on": "2024-09-01", "responsible_licence_no": "N1", "measure": "admonished"}"#;
        let revoked = Known::Case(date!(2024 - 07 - 01));
        assert_eq!(
            due(FilingKind::Accountability, account, revoked),
            Some(date!(2024 - 07 - 22))
        );
    }
}
