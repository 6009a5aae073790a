//! Why a page of the console, or a program that hands filings in, is not answered, in the form of the hub's own problems: what the agent itself finds wrong, and
//! what the hub said.

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tonic::Code;

use crate::dial;
use crate::filing::{FilingError, FormError};
use crate::lookup::{LookupError, QuestionError};

/// Why there is no answer, in the form of the hub's own problems. Never carries a value.
#[derive(Debug, Serialize)]
pub(super) struct Refusal {
    #[serde(skip)]
    pub(super) status: StatusCode,
    pub(super) reason: String,
    pub(super) detail_zh: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) field: Option<String>,
    /// Which of several filings, from 1; those before it are recorded where the hub refused it, none where the agent did.
    #[serde(skip_serializing_if = "Option::is_none")]
    filing: Option<usize>,
    /// When to come back, where the hub said so.
    #[serde(skip)]
    retry_after: Option<Duration>,
}

impl Refusal {
    pub(super) fn of_body(status: StatusCode) -> Self {
        Self {
            status,
            reason: "BODY_INVALID".into(),
            detail_zh: "请求内容格式不正确。".into(),
            field: None,
            filing: None,
            retry_after: None,
        }
    }

    pub(super) fn of_field(field: impl Into<String>, detail_zh: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            reason: "FIELD_INVALID".into(),
            detail_zh: detail_zh.into(),
            field: Some(field.into()),
            filing: None,
            retry_after: None,
        }
    }

    /// The same with the field as the page names it: the hub counts those with a number and those without in one row.
    pub(super) fn of_parties(mut self, numbered: usize) -> Self {
        let Some((at, name)) = self.field.as_deref().and_then(party_field) else {
            return self;
        };
        let Some(at) = at.checked_sub(numbered) else {
            return self;
        };
        let (name, detail_zh) = match name {
            "birth_day" => (
                "birth",
                "仅凭姓名无法查找，请填写出生日期或电话；已填写的，请核对是否有误。",
            ),
            "phone_token" => ("phone", "电话号码有误，请核对。"),
            name => (name, self.detail_zh.as_str()),
        };
        let (field, detail_zh) = (format!("persons[{at}].{name}"), detail_zh.to_owned());
        self.field = Some(field);
        self.detail_zh = detail_zh;
        self
    }

    fn in_filing(self, at: usize) -> Self {
        Self {
            filing: Some(at),
            ..self
        }
    }

    fn unreachable() -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            reason: "UNREACHABLE".into(),
            detail_zh: "采集程序暂时无法连接平台。请稍后重试。".into(),
            field: None,
            filing: None,
            retry_after: None,
        }
    }

    pub(super) fn no_session() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            reason: "UNAUTHENTICATED".into(),
            detail_zh: "请重新登录。".into(),
            field: None,
            filing: None,
            retry_after: None,
        }
    }
}

/// `parties[2].birth_day` as place and name.
fn party_field(path: &str) -> Option<(usize, &str)> {
    let (at, name) = path.strip_prefix("parties[")?.split_once("].")?;
    Some((at.parse().ok()?, name))
}

impl From<QuestionError> for Refusal {
    fn from(error: QuestionError) -> Self {
        match error {
            QuestionError::Party { at, .. } => Self::of_field(
                format!("parties[{}].number", at - 1),
                format!("第 {at} 个当事人的证件号码有误，请核对。"),
            ),
            QuestionError::Subject { at, .. } => Self::of_field(
                format!("subjects[{}].number", at - 1),
                format!("第 {at} 个标的的编号有误，请核对。"),
            ),
        }
    }
}

impl From<LookupError> for Refusal {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Refused(said) => said.into(),
            LookupError::Question(wrong) => wrong.into(),
            LookupError::Token => Self::no_session(),
            LookupError::Dial(_) => Self::unreachable(),
        }
    }
}

impl From<FilingError> for Refusal {
    fn from(error: FilingError) -> Self {
        match error {
            FilingError::Refused { at, refusal, .. } => Self::from(refusal).in_filing(at),
            FilingError::Dial(_) => Self::unreachable(),
        }
    }
}

impl From<FormError> for Refusal {
    fn from(error: FormError) -> Self {
        match error {
            FormError::Form { .. } => Self::of_body(StatusCode::BAD_REQUEST),
            FormError::Kind { at } => {
                Self::of_field("kind", "没有这种报送，请核对 kind。").in_filing(at)
            }
            FormError::NumberInText { at, field } => {
                Self::of_field(field, "文字中疑有证件号码或电话号码，请删去后重新报送。")
                    .in_filing(at)
            }
            FormError::Kin { at, kin }
            | FormError::KinKind { at, kin, .. }
            | FormError::KinNumber { at, kin, .. } => Self::of_field(
                format!("kin[{}].id_number", kin - 1),
                format!("第 {kin} 名近亲属的证件种类或号码有误，请核对。"),
            )
            .in_filing(at),
        }
    }
}

/// What the hub said.
impl From<dial::Refusal> for Refusal {
    fn from(said: dial::Refusal) -> Self {
        Self {
            status: match said.code {
                Code::InvalidArgument => StatusCode::BAD_REQUEST,
                Code::Unauthenticated => StatusCode::UNAUTHORIZED,
                Code::PermissionDenied => StatusCode::FORBIDDEN,
                Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::BAD_GATEWAY,
            },
            field: said.fields.first().cloned(),
            detail_zh: match said.message_zh.as_str() {
                "" => "平台未能答复。请稍后重试。".into(),
                zh => zh.into(),
            },
            reason: said.reason,
            filing: None,
            retry_after: said.retry_after,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let retry_after = self.retry_after.map(|delay| {
            let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
            [(RETRY_AFTER, seconds.to_string())]
        });
        (self.status, retry_after, Json(self)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: Code, field: &str, retry_after: Option<Duration>) -> Refusal {
        Refusal::from(dial::Refusal {
            reason: "R".into(),
            code,
            fields: vec![field.to_owned()],
            message: String::new(),
            message_zh: "别的。".into(),
            retry_after,
        })
    }

    #[test]
    fn somebody_without_a_number_is_named_by_the_row_of_the_page() {
        for (hub, page, zh) in [
            ("parties[2].birth_day", "persons[0].birth", "电话"),
            ("parties[3].name", "persons[1].name", "别的"),
            (
                "parties[1].identifier.token",
                "parties[1].identifier.token",
                "别的",
            ),
            ("case_reference", "case_reference", "别的"),
        ] {
            let refusal = said(Code::InvalidArgument, hub, None).of_parties(2);
            assert_eq!(refusal.field.as_deref(), Some(page));
            assert!(refusal.detail_zh.contains(zh), "{hub}");
        }
    }

    #[test]
    fn when_to_come_back_is_said_in_whole_seconds_and_not_too_early() {
        let spent = said(
            Code::ResourceExhausted,
            "",
            Some(Duration::from_millis(7_200)),
        );
        assert_eq!(spent.into_response().headers()[RETRY_AFTER], "8");
        let other = said(Code::InvalidArgument, "", None).into_response();
        assert!(!other.headers().contains_key(RETRY_AFTER));
    }
}
