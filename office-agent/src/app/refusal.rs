//! Why a page of the console, or a program that hands filings in, is not answered, in the form of the hub's own problems: what the agent itself finds wrong, and
//! what the hub said.

use axum::Json;
use axum::http::StatusCode;
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
}

impl Refusal {
    pub(super) fn of_body(status: StatusCode) -> Self {
        Self {
            status,
            reason: "BODY_INVALID".into(),
            detail_zh: "请求内容格式不正确。".into(),
            field: None,
            filing: None,
        }
    }

    pub(super) fn of_field(field: impl Into<String>, detail_zh: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            reason: "FIELD_INVALID".into(),
            detail_zh: detail_zh.into(),
            field: Some(field.into()),
            filing: None,
        }
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
        }
    }

    pub(super) fn no_session() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            reason: "UNAUTHENTICATED".into(),
            detail_zh: "请重新登录。".into(),
            field: None,
            filing: None,
        }
    }
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
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}
