//! Filings of an office that are not cases: reports of major cases and refusals
//! (杭司〔2012〕122号, annex (十一)2: 拒绝受理报备制度, 请示报告制度).

use linkage::office::OfficeId;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::store;

/// Characters of a case's key, as in the wire contract.
const KEY_CHARS: usize = 64;
/// Characters of a filing's text.
const TEXT_CHARS: usize = 2000;

/// What a filing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilingKind {
    /// 重大疑难、跨区域、重大影响案件报告.
    MajorCaseReport,
    /// 拒绝受理报备.
    Refusal,
}

impl FilingKind {
    pub const fn code(self) -> &'static str {
        match self {
            Self::MajorCaseReport => "major_case_report",
            Self::Refusal => "refusal",
        }
    }
}

/// A checked filing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filing {
    pub office_id: OfficeId,
    /// Chosen by the office; makes a retry harmless.
    pub filing_id: Uuid,
    pub kind: FilingKind,
    /// The office's own case it concerns.
    pub source_case_id: Option<String>,
    pub text: String,
}

/// A filing as it came, its kind known.
#[derive(Clone, Debug)]
pub struct Raw {
    pub filing_id: String,
    pub source_case_id: String,
    pub text: String,
}

/// A field that cannot be used: its name, and what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` must be {expected}")]
pub struct FilingError {
    pub field: &'static str,
    pub expected: &'static str,
}

impl Filing {
    pub fn parse(office_id: OfficeId, kind: FilingKind, raw: Raw) -> Result<Self, FilingError> {
        let error = |field, expected| FilingError { field, expected };
        let filing_id =
            Uuid::parse_str(&raw.filing_id).map_err(|_| error("filing_id", "a UUID"))?;
        if !fits(&raw.source_case_id, KEY_CHARS) || raw.source_case_id.contains('\n') {
            return Err(error("source_case_id", "at most 64 printable characters"));
        }
        let text = raw.text.trim();
        if text.is_empty() || !fits(text, TEXT_CHARS) {
            return Err(error("text", "1 to 2000 printable characters"));
        }
        Ok(Self {
            office_id,
            filing_id,
            kind,
            source_case_id: (!raw.source_case_id.is_empty()).then_some(raw.source_case_id),
            text: text.to_owned(),
        })
    }
}

fn fits(text: &str, most: usize) -> bool {
    text.chars().count() <= most
        && !text
            .chars()
            .any(|char| char.is_control() && !matches!(char, '\n' | '\r' | '\t'))
}

/// Hands a filing in; the same `filing_id` again has no second effect. Returns when it was first recorded.
pub async fn submit(pool: &PgPool, filing: &Filing) -> Result<OffsetDateTime, sqlx::Error> {
    store::filing::record(pool, filing).await
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
        Filing::parse("hzgl".parse().expect("an id"), FilingKind::Refusal, raw)
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
