//! What each kind of filing says beside its text. One form for the agent, the console and the database: a JSON object of
//! the kind's own fields. Counts and codes; no names, and of relatives tokens alone.

use std::ops::RangeInclusive;

use data_encoding::HEXLOWER_PERMISSIVE;
use linkage::long_number;
use linkage::matter::MatterType;
use linkage::token::Token;
use linkage::vocabulary::ReasonCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::Date;
use utoipa::ToSchema;
use uuid::Uuid;

pub use super::list::{
    ComplaintSubject, MajorGround, Measure, OutcomeResult, PaperChange, Relation,
};
use super::window::Answer;
use super::{FilingError, FilingKind};

/// Years of what is filed: typing errors lie beyond, and days that no limit can be counted from.
const YEARS: RangeInclusive<i32> = 1949..=2149;

time::serde::format_description!(pub iso_date, Date, "[year]-[month]-[day]");

/// A day or none. Of a kind that serde knows by its tag, `null` is none as well, which `iso_date::option` does not take.
mod day_or_none {
    use serde::{Deserialize, Deserializer, Serializer};
    use time::Date;

    use super::iso_date;

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Day(#[serde(with = "iso_date")] Date);

    pub(super) fn serialize<S: Serializer>(day: &Option<Date>, to: S) -> Result<S::Ok, S::Error> {
        iso_date::option::serialize(day, to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Date>, D::Error> {
        let day = Option::<Day>::deserialize(from)?;
        Ok(day.map(|Day(day)| day))
    }
}

/// Movements of special paper in one filing.
pub(super) const MOVEMENTS: usize = 2000;
/// Relatives of one notary.
pub(super) const KIN: usize = 200;
/// Largest count that is believed.
pub(super) const MOST: u32 = 10_000_000;

/// A kind with its fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Body {
    MajorCaseReport {
        #[serde(default)]
        grounds: Vec<MajorGround>,
        /// Day of acceptance, when the case is not at the hub yet.
        #[serde(default, with = "day_or_none")]
        #[schema(value_type = Option<String>, format = Date)]
        accepted_on: Option<Date>,
    },
    Refusal {
        #[serde(default, with = "day_or_none")]
        #[schema(value_type = Option<String>, format = Date)]
        refused_on: Option<Date>,
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        matter_type: Option<MatterType>,
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        reason_code: Option<ReasonCode>,
        /// 已书面告知救济途径.
        #[serde(default)]
        remedy_told: bool,
    },
    Instruction {},
    Complaint {
        #[serde(with = "iso_date")]
        #[schema(value_type = String, format = Date)]
        received_on: Date,
        subject: ComplaintSubject,
    },
    Review {
        #[serde(with = "iso_date")]
        #[schema(value_type = String, format = Date)]
        received_on: Date,
    },
    /// Closes a complaint or a review of the same office.
    Outcome {
        about: Uuid,
        #[serde(with = "iso_date")]
        #[schema(value_type = String, format = Date)]
        decided_on: Date,
        result: OutcomeResult,
    },
    Accountability {
        #[serde(with = "iso_date")]
        #[schema(value_type = String, format = Date)]
        decided_on: Date,
        responsible_licence_no: String,
        measure: Measure,
        /// Day of the revocation or correction that it answers; without it, of the one before it.
        #[serde(default, with = "day_or_none")]
        #[schema(value_type = Option<String>, format = Date)]
        wrong_on: Option<Date>,
    },
    Satisfaction {
        period: Period,
        asked: u32,
        /// Answers by score, the lowest (1) first.
        answers: [u32; 5],
    },
    QualityFollowUp {
        period: Period,
        visited: u32,
        satisfied: u32,
        problems: u32,
    },
    ServiceCounts {
        period: Period,
        legal_aid: u32,
        home_visits: u32,
        fee_waivers: u32,
    },
    SpecialPaper {
        period: Period,
        movements: Vec<PaperMovement>,
    },
    /// Replaces whatever the notary declared before.
    Recusal {
        licence_no: String,
        #[serde(default)]
        kin: Vec<Relative>,
        /// There is nobody any more: the only declaration without relatives.
        #[serde(default)]
        withdrawn: bool,
    },
    SelfAssessment {
        #[serde(with = "iso_date")]
        #[schema(value_type = String, format = Date)]
        assessed_on: Date,
        items: Vec<Answer>,
    },
}

/// Both days included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    #[serde(with = "iso_date")]
    #[schema(value_type = String, format = Date)]
    pub first_day: Date,
    #[serde(with = "iso_date")]
    #[schema(value_type = String, format = Date)]
    pub last_day: Date,
}

/// Serial numbers that moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperMovement {
    pub movement: PaperChange,
    /// Letters before the number; may be empty.
    pub series: String,
    pub first_no: i64,
    pub last_no: i64,
    #[serde(default)]
    pub source_case_id: Option<String>,
    #[serde(with = "iso_date")]
    #[schema(value_type = String, format = Date)]
    pub moved_on: Date,
}

/// A near relative, or the notary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Relative {
    pub relation: Relation,
    /// Keyed token of the document's number, 32 hexadecimal digits. Nobody is told it again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub token: String,
}

impl Relative {
    /// The token, of a checked filing.
    pub fn token(&self) -> Option<Token> {
        let bytes = HEXLOWER_PERMISSIVE.decode(self.token.as_bytes()).ok()?;
        Token::try_from(bytes.as_slice()).ok()
    }
}

impl Body {
    /// Reads the fields of a kind; nothing stands for no fields.
    pub fn parse(kind: FilingKind, detail: &str) -> Result<Self, FilingError> {
        let wrong = || {
            FilingError::new(
                "detail",
                "a JSON object of the fields that this kind of filing has",
                "填报的内容与该类报送的格式不符，请核对各项是否填全。",
            )
        };
        let mut fields = match detail.trim() {
            "" => serde_json::Map::new(),
            text => serde_json::from_str(text).map_err(|_| wrong())?,
        };
        fields.insert("kind".to_owned(), kind.code().into());
        serde_json::from_value(Value::Object(fields)).map_err(|_| wrong())
    }

    pub const fn kind(&self) -> FilingKind {
        match self {
            Self::MajorCaseReport { .. } => FilingKind::MajorCaseReport,
            Self::Refusal { .. } => FilingKind::Refusal,
            Self::Instruction {} => FilingKind::Instruction,
            Self::Complaint { .. } => FilingKind::Complaint,
            Self::Review { .. } => FilingKind::Review,
            Self::Outcome { .. } => FilingKind::Outcome,
            Self::Accountability { .. } => FilingKind::Accountability,
            Self::Satisfaction { .. } => FilingKind::Satisfaction,
            Self::QualityFollowUp { .. } => FilingKind::QualityFollowUp,
            Self::ServiceCounts { .. } => FilingKind::ServiceCounts,
            Self::SpecialPaper { .. } => FilingKind::SpecialPaper,
            Self::Recusal { .. } => FilingKind::Recusal,
            Self::SelfAssessment { .. } => FilingKind::SelfAssessment,
        }
    }

    /// Day of the event, or last day of the period.
    pub const fn happened_on(&self) -> Option<Date> {
        match self {
            Self::MajorCaseReport { accepted_on, .. } => *accepted_on,
            Self::Refusal { refused_on, .. } => *refused_on,
            Self::Complaint { received_on, .. } | Self::Review { received_on } => {
                Some(*received_on)
            }
            Self::Outcome { decided_on, .. } | Self::Accountability { decided_on, .. } => {
                Some(*decided_on)
            }
            Self::Satisfaction { period, .. }
            | Self::QualityFollowUp { period, .. }
            | Self::ServiceCounts { period, .. }
            | Self::SpecialPaper { period, .. } => Some(period.last_day),
            Self::SelfAssessment { assessed_on, .. } => Some(*assessed_on),
            Self::Instruction {} | Self::Recusal { .. } => None,
        }
    }

    /// Day of the event, or first day of the period: from there on it may be asked for.
    pub const fn begins_on(&self) -> Option<Date> {
        match self {
            Self::Satisfaction { period, .. }
            | Self::QualityFollowUp { period, .. }
            | Self::ServiceCounts { period, .. }
            | Self::SpecialPaper { period, .. } => Some(period.first_day),
            _ => self.happened_on(),
        }
    }

    pub(crate) fn has_tokens(&self) -> bool {
        matches!(self, Self::Recusal { kin, .. } if !kin.is_empty())
    }

    /// As it is kept to be shown. Tokens are kept apart, for the rules alone.
    pub(crate) fn without_tokens(mut self) -> Self {
        if let Self::Recusal { kin, .. } = &mut self {
            for relative in kin {
                relative.token.clear();
            }
        }
        self
    }

    /// The filing that it closes.
    pub const fn closes(&self) -> Option<Uuid> {
        match self {
            Self::Outcome { about, .. } => Some(*about),
            _ => None,
        }
    }

    /// What types alone cannot say.
    pub(super) fn checked(self) -> Result<Self, FilingError> {
        let error = |field: &str, expected, zh| Err(FilingError::new(field, expected, zh));
        let day = self.happened_on();
        if day.is_some_and(|day| !YEARS.contains(&day.year())) {
            return error(
                "detail",
                "a day between 1949 and 2149",
                "日期应在 1949 年至 2149 年之间。",
            );
        }
        let counts: &[u32] = match &self {
            Self::Satisfaction { asked, answers, .. } => {
                let answered: u64 = answers.iter().map(|count| u64::from(*count)).sum();
                if answered > u64::from(*asked) {
                    return error(
                        "answers",
                        "no more answers than were asked for",
                        "各分值的答卷合计不得多于发放份数。",
                    );
                }
                &[*asked]
            }
            Self::QualityFollowUp {
                visited,
                satisfied,
                problems,
                ..
            } => {
                if satisfied > visited || problems > visited {
                    return error(
                        "visited",
                        "no fewer than were satisfied or had problems",
                        "回访件数不得少于满意件数或发现问题件数。",
                    );
                }
                &[*visited]
            }
            Self::ServiceCounts {
                legal_aid,
                home_visits,
                fee_waivers,
                ..
            } => &[*legal_aid, *home_visits, *fee_waivers],
            _ => &[],
        };
        if counts.iter().any(|count| *count > MOST) {
            return error("detail", "counts up to 10000000", "件数不得超过一千万。");
        }
        match &self {
            Self::Satisfaction { period, .. }
            | Self::QualityFollowUp { period, .. }
            | Self::ServiceCounts { period, .. }
            | Self::SpecialPaper { period, .. }
                if period.last_day < period.first_day =>
            {
                error(
                    "period",
                    "a last day that is not before the first",
                    "期间的末日不得早于首日。",
                )
            }
            Self::SpecialPaper { movements, .. }
                if !movements.iter().all(PaperMovement::is_sound) =>
            {
                error(
                    "movements",
                    "series of up to 16 letters or digits and ranges of 0 or more, the last not below the first",
                    "字轨为不超过 16 位的字母或数字，止号不得小于起号。",
                )
            }
            Self::SpecialPaper { movements, .. } if movements.len() > MOVEMENTS => {
                error("movements", "up to 2000", "一次最多报送 2000 条收发记录。")
            }
            Self::Recusal { kin, withdrawn, .. } if kin.is_empty() != *withdrawn => error(
                "kin",
                "relatives, or `withdrawn` and none",
                "请填写近亲属；确已没有需回避的近亲属的，请选择撤回申报。",
            ),
            Self::Recusal {
                kin, licence_no, ..
            } if kin.len() > KIN || licence_no.is_empty() || !is_code(licence_no) => error(
                "licence_no",
                "a notary's licence and up to 200 relatives",
                "请填写公证员执业证号；近亲属不超过 200 人。",
            ),
            Self::Recusal { kin, .. } if kin.iter().any(|relative| relative.token().is_none()) => {
                error(
                    "kin",
                    "tokens of 32 hexadecimal digits",
                    "近亲属的证件号码须在本处转为令牌后报送。",
                )
            }
            Self::Accountability {
                responsible_licence_no,
                ..
            } if responsible_licence_no.is_empty() || !is_code(responsible_licence_no) => error(
                "responsible_licence_no",
                "a notary's licence",
                "请填写责任公证员的执业证号。",
            ),
            Self::SelfAssessment { items, .. } => {
                super::window::Window::builtin().check(items)?;
                Ok(self)
            }
            _ => Ok(self),
        }
    }
}

impl PaperMovement {
    fn is_sound(&self) -> bool {
        let series = self.series.chars().count() <= 16
            && self.series.chars().all(char::is_alphanumeric)
            && !long_number::is_in(&self.series);
        let case = self.source_case_id.as_deref().is_none_or(is_code);
        series && case && 0 <= self.first_no && self.first_no <= self.last_no
    }
}

fn is_code(text: &str) -> bool {
    text.chars().count() <= 64 && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(kind: FilingKind, detail: &str) -> Result<Body, FilingError> {
        Body::parse(kind, detail)?.checked()
    }

    #[test]
    fn a_day_that_no_limit_can_follow_is_refused() {
        for day in ["9999-12-31", "9999-12-10", "2150-01-01", "1948-12-31"] {
            let detail = format!(r#"{{"received_on": "{day}"}}"#);
            assert!(checked(FilingKind::Review, &detail).is_err(), "{day}");
        }
        assert!(checked(FilingKind::Review, r#"{"received_on": "2149-12-31"}"#).is_ok());
    }

    #[test]
    fn what_is_stored_reads_back() {
        let complaint = r#"{"received_on": "2024-06-03", "subject": "fee"}"#;
        let measure = r#""responsible_licence_no": "13301", "measure": "admonished""#;
        let account = format!(r#"{{"decided_on": "2024-06-20", {measure}}}"#);
        let of_a_day =
            format!(r#"{{"decided_on": "2024-06-20", "wrong_on": "2024-06-03", {measure}}}"#);
        for (kind, detail) in [
            (FilingKind::MajorCaseReport, ""),
            (
                FilingKind::MajorCaseReport,
                r#"{"accepted_on": "2024-06-03"}"#,
            ),
            (FilingKind::Refusal, ""),
            (FilingKind::Refusal, r#"{"refused_on": "2024-06-03"}"#),
            (FilingKind::Complaint, complaint),
            (FilingKind::Accountability, &account),
            (FilingKind::Accountability, &of_a_day),
        ] {
            let body = checked(kind, detail).expect("a filing");
            let stored = serde_json::to_value(&body).expect("JSON");
            assert_eq!(
                serde_json::from_value::<Body>(stored).expect("a body"),
                body
            );
        }
    }

    #[test]
    fn the_kind_decides_which_fields_there_are() {
        let detail = r#"{"received_on": "2024-06-03", "subject": "fee"}"#;
        assert_eq!(
            checked(FilingKind::Review, detail)
                .expect_err("no subject")
                .field,
            "detail"
        );
        assert!(checked(FilingKind::Complaint, "").is_err());
        assert!(checked(FilingKind::MajorCaseReport, "").is_ok());
        assert!(
            checked(
                FilingKind::Complaint,
                r#"{"received_on": "2024-06-31", "subject": "fee"}"#
            )
            .is_err()
        );
    }

    #[test]
    fn counts_that_cannot_be_are_refused() {
        let more = r#"{"period": {"first_day": "2024-04-01", "last_day": "2024-06-30"}, "asked": 10, "answers": [0,0,0,0,11]}"#;
        assert_eq!(
            checked(FilingKind::Satisfaction, more)
                .expect_err("too many")
                .field,
            "answers"
        );
        let backwards = r#"{"period": {"first_day": "2024-07-01", "last_day": "2024-06-30"}, "legal_aid": 1, "home_visits": 1, "fee_waivers": 1}"#;
        assert_eq!(
            checked(FilingKind::ServiceCounts, backwards)
                .expect_err("no period")
                .field,
            "period"
        );
    }

    #[test]
    fn a_relative_is_a_token_and_never_a_number() {
        let number = r#"{"licence_no": "N1", "kin": [{"relation": "parent", "token": "11010519491231002X"}]}"#;
        assert_eq!(
            checked(FilingKind::Recusal, number)
                .expect_err("no token")
                .field,
            "kin"
        );
        let token = r#"{"licence_no": "N1", "kin": [{"relation": "parent", "token": "000102030405060708090a0b0c0d0e0f"}]}"#;
        assert!(checked(FilingKind::Recusal, token).is_ok());
    }

    #[test]
    fn relatives_are_taken_back_by_a_withdrawal_alone() {
        for (detail, is_taken) in [
            (r#"{"licence_no": "N1", "kin": []}"#, false),
            (r#"{"licence_no": "N1"}"#, false),
            (
                r#"{"licence_no": "N1", "kin": [], "withdrawn": true}"#,
                true,
            ),
            (
                r#"{"licence_no": "N1", "withdrawn": true, "kin": [{"relation": "parent", "token": "000102030405060708090a0b0c0d0e0f"}]}"#,
                false,
            ),
        ] {
            assert_eq!(
                checked(FilingKind::Recusal, detail).is_ok(),
                is_taken,
                "{detail}"
            );
        }
    }
}
