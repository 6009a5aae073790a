//! A filing as it is handed in, checked.

use linkage::long_number;
use linkage::office::OfficeId;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::body::Body;
use super::{AboutCase, FilingError, FilingKind};

/// Characters of a case's key, as in the wire contract.
pub const KEY_CHARS: usize = 64;
/// Characters of a filing's text.
pub const TEXT_CHARS: usize = 2000;

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
        let text = text_of(kind, &raw.text)?;
        Ok(Self {
            office_id,
            filing_id,
            body: body.checked()?,
            source_case_id: (!raw.source_case_id.is_empty()).then_some(raw.source_case_id),
            text,
            filed_by,
        })
    }

    /// Tells filings of one id apart, relatives included.
    pub fn digest(&self) -> [u8; 32] {
        digest(&self.body, self.source_case_id.as_deref(), &self.text)
    }
}

/// The text of a kind: people's own words, where figures do not say it all, and nobody's number.
pub(super) fn text_of(kind: FilingKind, text: &str) -> Result<String, FilingError> {
    let text = text.trim();
    if (text.is_empty() && kind.needs_text()) || !fits(text, TEXT_CHARS) {
        return Err(FilingError::new(
            "text",
            "1 to 2000 printable characters",
            "请填写情况说明，不超过 2000 字。",
        ));
    }
    match long_number::is_in(text) {
        true => Err(FilingError::number("text")),
        false => Ok(text.to_owned()),
    }
}

/// Tells contents apart, relatives included.
pub(crate) fn digest(body: &Body, source_case_id: Option<&str>, text: &str) -> [u8; 32] {
    // An object of serde_json keeps its keys in order.
    let content = json!([body, source_case_id, text]);
    Sha256::digest(content.to_string()).into()
}

fn fits(text: &str, most: usize) -> bool {
    text.chars().count() <= most
        && !text
            .chars()
            .any(|char| char.is_control() && !matches!(char, '\n' | '\r' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Reason;

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
}
