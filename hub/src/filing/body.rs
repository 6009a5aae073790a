//! What each kind of filing says beside its text. One form for the agent, the console and the database: a JSON object of
//! the kind's own fields. Counts and codes; no names, and of relatives tokens alone.

use data_encoding::HEXLOWER_PERMISSIVE;
use linkage::matter::MatterType;
use linkage::token::Token;
use linkage::vocabulary::ReasonCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::Date;
use utoipa::ToSchema;
use uuid::Uuid;

use super::day::{day_or_none, iso_date};
pub use super::list::{
    ComplaintSubject, MajorGround, Measure, OutcomeResult, PaperChange, Relation,
};
use super::window::Answer;
use super::{FilingError, FilingKind};

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
    #[serde(default)]
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

    /// The time that it counts.
    pub const fn period(&self) -> Option<Period> {
        match self {
            Self::Satisfaction { period, .. }
            | Self::QualityFollowUp { period, .. }
            | Self::ServiceCounts { period, .. }
            | Self::SpecialPaper { period, .. } => Some(*period),
            _ => None,
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
        match self.period() {
            Some(period) => Some(period.first_day),
            None => self.happened_on(),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(kind: FilingKind, detail: &str) -> Result<Body, FilingError> {
        Body::parse(kind, detail)?.checked()
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
}
