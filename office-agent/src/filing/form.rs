//! The file: a JSON object or a list of them.
//!
//! ```json
//! { "kind": "refusal", "source_case_id": "2024-0815", "text": "申请事项不属于公证机构业务范围。",
//!   "fields": { "refused_on": "2024-06-03", "reason_code": "outside_scope", "remedy_told": true } }
//! ```
//!
//! `fields` are the kind's own, as docs/integrator.md lists them. A relative (`kin`) is given by `id_kind` and
//! `id_number`; what is sent has the keyed token in their place.

use data_encoding::HEXLOWER;
use linkage::identifier::{Identifier, IdentifierError, IdentifierKind, ParsedIdentifier};
use linkage::long_number;
use linkage::office::OfficeId;
use linkage::token::TokenKey;
use linkage::vocabulary::UnknownCode;
use notary_proto::hub::v1::{FilingKind, SubmitFilingRequest};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::id_of;

/// Why a file cannot be handed in. Nothing of its content is quoted: it may be of a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Not JSON, or not of the form.
    #[error(
        "the file is not a filing or a list of filings with kind, source_case_id, text and fields \
         (line {line}, column {column}); docs/integrator.md shows one of each kind"
    )]
    Form {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A kind that there is not.
    #[error("filing {at}: `kind` must be one of {}", kinds().join(", "))]
    Kind {
        /// Which, from 1.
        at: usize,
    },
    /// What could be somebody's number in a text.
    #[error(
        "第 {at} 件的 {field} 中疑有证件号码或电话号码，请删去后重新报送 (filing {at}: {field} must hold no phone or document numbers)"
    )]
    NumberInText {
        /// Which filing, from 1.
        at: usize,
        /// `text`, or the evidence of an item.
        field: String,
    },
    /// A relative without a document.
    #[error("filing {at}, kin {kin}: expected relation, id_kind and id_number")]
    Kin {
        /// Which filing, from 1.
        at: usize,
        /// Which relative, from 1.
        kin: usize,
    },
    /// A kind of document that there is not.
    #[error("filing {at}, kin {kin}: id_kind: {source}")]
    KinKind {
        /// Which filing, from 1.
        at: usize,
        /// Which relative, from 1.
        kin: usize,
        /// Why.
        source: UnknownCode,
    },
    /// A number that nobody can be known by.
    #[error("第 {at} 件第 {kin} 名近亲属的证件号码有误，请核对 (filing {at}, kin {kin}: {source})")]
    KinNumber {
        /// Which filing, from 1.
        at: usize,
        /// Which relative, from 1.
        kin: usize,
        /// Why.
        source: IdentifierError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    kind: String,
    filing_id: Option<Uuid>,
    #[serde(default)]
    source_case_id: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    fields: Map<String, Value>,
}

/// A filing as the office has it, in order to be handed in: its numbers are numbers yet, which `Debug` does not show.
#[derive(Clone, Debug, PartialEq)]
pub struct Ready {
    /// Code of its kind.
    pub kind: String,
    of_kind: FilingKind,
    filing_id: Option<Uuid>,
    source_case_id: String,
    text: String,
    /// The kind's own, without relatives.
    fields: Map<String, Value>,
    kin: Option<Vec<Relative>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Relative {
    relation: String,
    number: Identifier,
}

impl Ready {
    /// What is sent: tokens under the key in the place of numbers.
    pub(super) fn request(&self, office_id: OfficeId, key: &TokenKey) -> SubmitFilingRequest {
        let mut fields = self.fields.clone();
        if let Some(kin) = &self.kin {
            let kin = kin.iter().map(|relative| relative.tokenised(key));
            fields.insert(KIN.to_owned(), kin.collect());
        }
        let detail = Value::Object(fields).to_string();
        let content = [&self.kind, &self.source_case_id, &self.text, &detail];
        let filing_id = self
            .filing_id
            .unwrap_or_else(|| id_of(office_id, &content.map(String::as_str).join("\0")));
        SubmitFilingRequest {
            filing_id: filing_id.to_string(),
            kind: self.of_kind.into(),
            source_case_id: self.source_case_id.clone(),
            text: self.text.clone(),
            detail,
        }
    }
}

/// Reads a file's filings.
///
/// # Errors
/// When one of them is not of the form.
pub fn read(file: &str) -> Result<Vec<Ready>, FormError> {
    let is_list = file.trim_start().starts_with('[');
    let forms = match is_list {
        true => serde_json::from_str::<Vec<Form>>(file),
        false => serde_json::from_str(file).map(|form| vec![form]),
    };
    let forms = forms.map_err(|error| FormError::Form {
        line: error.line(),
        column: error.column(),
    })?;
    let ready = |(index, form)| ready(form, index + 1);
    forms.into_iter().enumerate().map(ready).collect()
}

fn ready(mut form: Form, at: usize) -> Result<Ready, FormError> {
    let of_kind = FilingKind::from_str_name(&format!("{PREFIX}{}", form.kind.to_uppercase()))
        .filter(|kind| *kind != FilingKind::Unspecified)
        .ok_or(FormError::Kind { at })?;
    if let Some(field) = numbered(&form) {
        return Err(FormError::NumberInText { at, field });
    }
    let kin = match form.fields.get(KIN) {
        Some(Value::Array(kin)) => {
            let kin = kin.iter().enumerate();
            let kin = kin.map(|(index, value)| Relative::read(value, at, index + 1));
            Some(kin.collect::<Result<_, _>>()?)
        }
        _ => None,
    };
    if kin.is_some() {
        form.fields.remove(KIN);
    }
    Ok(Ready {
        kind: form.kind,
        of_kind,
        filing_id: form.filing_id,
        source_case_id: form.source_case_id,
        text: form.text,
        fields: form.fields,
        kin,
    })
}

/// The first text of people's own words that holds what could be somebody's number.
fn numbered(form: &Form) -> Option<String> {
    if long_number::is_in(&form.text) {
        return Some("text".to_owned());
    }
    let items = form.fields.get("items")?.as_array()?;
    let evidence = |item: &&Value| {
        item.get("evidence")
            .and_then(Value::as_str)
            .is_some_and(long_number::is_in)
    };
    let item = items.iter().find(evidence)?.get("item")?.as_str()?;
    Some(format!("items.{item}.evidence"))
}

impl Relative {
    fn read(value: &Value, at: usize, kin: usize) -> Result<Self, FormError> {
        let text = |field: &str| {
            let value = value.get(field).and_then(Value::as_str);
            value.ok_or(FormError::Kin { at, kin })
        };
        let kind: IdentifierKind = text("id_kind")?
            .parse()
            .map_err(|source| FormError::KinKind { at, kin, source })?;
        // A mistyped number is no party's verified one: it would never be met, and nobody would know.
        let number = match ParsedIdentifier::parse(kind, text("id_number")?) {
            Ok(ParsedIdentifier::Verified(identifier)) => Ok(identifier),
            Ok(ParsedIdentifier::Unverified(identifier)) => Err(identifier.reason()),
            Err(source) => Err(source),
        };
        Ok(Self {
            relation: text("relation")?.to_owned(),
            number: number.map_err(|source| FormError::KinNumber { at, kin, source })?,
        })
    }

    fn tokenised(&self, key: &TokenKey) -> Value {
        let token = key.identifier(&self.number);
        serde_json::json!({
            "relation": self.relation,
            "token": HEXLOWER.encode(token.as_bytes()),
        })
    }
}

/// Where a kind's fields have relatives.
const KIN: &str = "kin";
const PREFIX: &str = "FILING_KIND_";

fn kinds() -> Vec<String> {
    let named = (1..).map_while(|number| FilingKind::try_from(number).ok());
    named
        .map(|kind| kind.as_str_name().trim_start_matches(PREFIX).to_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use linkage::token::TokenAlgorithm;

    use super::*;

    const OFFICE: &str = "hzgl";
    const NUMBER: &str = "11010519491231002X";

    fn sent(ready: &Ready, key_id: u32) -> SubmitFilingRequest {
        let secret = [u8::try_from(key_id).expect("a small id"); 32];
        let key = TokenKey::new(key_id, TokenAlgorithm::HmacSha256, secret);
        ready.request(OFFICE.parse().expect("an id"), &key)
    }

    #[test]
    fn somebodys_number_leaves_the_office_in_no_text() {
        let text = format!(r#"{{"kind": "instruction", "text": "当事人 {NUMBER}"}}"#);
        let evidence = format!(
            r#"{{"kind": "self_assessment", "fields": {{"items": [{{"item": "1.area", "evidence": "{NUMBER}"}}]}}}}"#
        );
        for (file, field) in [(text, "text"), (evidence, "items.1.area.evidence")] {
            let error = read(&file).expect_err("a number");
            assert!(!error.to_string().contains(NUMBER));
            let field = field.to_owned();
            assert_eq!(error, FormError::NumberInText { at: 1, field });
        }
    }

    #[test]
    fn one_filing_and_a_list_are_read_alike_and_the_same_content_has_the_same_id() {
        let one = r#"{"kind": "instruction", "text": "请示"}"#;
        let alone = read(one).expect("a filing");
        let listed = read(&format!("[{one}, {one}]")).expect("two filings");
        assert_eq!(listed, [alone.clone(), alone.clone()].concat());
        let other = read(&one.replace("请示", "再请示")).expect("a filing");
        let id = |ready: &Ready| sent(ready, 1).filing_id;
        assert_eq!(id(&listed[1]), id(&alone[0]));
        assert_ne!(id(&other[0]), id(&alone[0]));
    }

    #[test]
    fn a_relatives_number_leaves_as_a_token() {
        let file = format!(
            r#"{{"kind": "recusal", "fields": {{"licence_no": "N1", "kin": [
                {{"relation": "parent", "id_kind": "resident_id", "id_number": "{NUMBER}"}}]}}}}"#
        );
        let ready = read(&file).expect("a filing");
        let [first, next] = [1, 2].map(|key_id| sent(&ready[0], key_id));
        for shown in [format!("{ready:?}"), format!("{first:?}")] {
            assert!(
                !shown.contains(NUMBER) && !shown.contains("id_number"),
                "{shown}"
            );
        }
        let token = |sent: &SubmitFilingRequest| {
            let detail: Value = serde_json::from_str(&sent.detail).expect("JSON");
            detail["kin"][0]["token"]
                .as_str()
                .expect("a token")
                .to_owned()
        };
        assert_eq!(token(&first).len(), 32);
        assert_ne!(token(&first), token(&next), "under another key another one");
    }

    #[test]
    fn the_documents_example_shows_one_filing_of_each_kind() {
        let document = include_str!("../../../docs/integrator.md");
        let (_, example) = document.rsplit_once("```json").expect("an example");
        let (example, _) = example.split_once("```").expect("its end");
        let example = example.replace(
            "\"id_number\": \"…\"",
            &format!("\"id_number\": \"{NUMBER}\""),
        );
        let shown: Vec<String> = read(&example)
            .expect("filings")
            .into_iter()
            .map(|ready| ready.kind)
            .chain(["self_assessment".to_owned()])
            .collect();
        assert_eq!(shown, kinds());
    }

    #[test]
    fn what_is_wrong_is_named_and_not_quoted() {
        let kin = |number: &str| {
            format!(
                r#"[{{"kind": "recusal", "fields": {{"kin": [
                    {{"relation": "own", "id_kind": "resident_id", "id_number": "{number}"}}]}}}}]"#
            )
        };
        for (file, said) in [
            (r#"{"kind": "refusal", "tekst": "x"}"#.to_owned(), "line 1"),
            (r#"{"kind": "rumour"}"#.to_owned(), "self_assessment"),
            (kin("12"), "kin 1"),
        ] {
            let error = read(&file).expect_err("no filing").to_string();
            assert!(error.contains(said), "{error}");
            assert!(!error.contains("\"12\""), "{error}");
        }
    }
}
