//! Refusals as RFC 9457 problems. `reason` is one of `docs/errors.md`: the stable one of every door, or one of those that
//! only HTTP has.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tonic::Code;
use utoipa::ToSchema;

use super::own_reason::OwnReason;
use crate::audit::{AuditError, PublishError};
use crate::refusal::{self, Reason, Refusal};

/// A refusal on its way.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    retry_after: Option<Duration>,
    body: Box<ProblemBody>,
}

/// What the caller reads.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// Always `about:blank`: the reason tells problems apart.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    status: u16,
    /// Stable reason.
    reason: &'static str,
    /// What happened, for developers.
    detail: String,
    /// 处理办法, for people.
    #[schema(value_type = String)]
    detail_zh: Cow<'static, str>,
    /// The field at fault, the first when there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

impl Problem {
    fn new(
        status: StatusCode,
        reason: &'static str,
        detail: impl Into<String>,
        detail_zh: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            retry_after: None,
            body: Box::new(ProblemBody {
                r#type: "about:blank",
                title: status.canonical_reason().unwrap_or_default(),
                status: status.as_u16(),
                reason,
                detail: detail.into(),
                detail_zh: detail_zh.into(),
                field: None,
            }),
        }
    }

    /// A field or query parameter that cannot be used. Never carries the value.
    pub(super) fn field(name: impl Into<String>, expected: &str) -> Self {
        let name = name.into();
        Reason::FieldInvalid
            .because(format!("`{name}`: expected {expected}"))
            .field(name, expected)
            .into()
    }

    /// The same, with what to do about it in words for whoever filled a form in.
    pub(super) fn answer(name: impl Into<String>, expected: &str, detail_zh: &'static str) -> Self {
        let mut problem = Self::field(name, expected);
        problem.body.detail_zh = detail_zh.into();
        problem
    }

    /// A refusal in words for whoever filled a form in.
    pub(super) fn told(refusal: Refusal, detail_zh: &'static str) -> Self {
        let mut problem = Self::from(refusal);
        problem.body.detail_zh = detail_zh.into();
        problem
    }

    pub(super) fn practises_elsewhere() -> Self {
        let mut problem = Self::own(
            OwnReason::NotaryPractisesElsewhere,
            "a notary of this list practises at another office (公证法 art. 23 (1))",
        );
        problem.body.field = Some("notaries".to_owned());
        problem
    }

    /// A defect of the hub's, which the log has the place of.
    pub(super) fn internal() -> Self {
        Reason::Internal
            .because("a defect of the hub ended the request")
            .into()
    }

    pub(super) fn not_found() -> Self {
        Self::own(OwnReason::NotFound, "there is no such thing here")
    }

    pub(super) fn method_not_allowed() -> Self {
        let detail = "this resource has no such method";
        Self::own(OwnReason::MethodNotAllowed, detail)
    }

    pub(super) fn not_acceptable() -> Self {
        let detail = "Accept names none of the forms there are";
        Self::own(OwnReason::NotAcceptable, detail)
    }

    pub(super) fn export_needed() -> Self {
        Self::own(
            OwnReason::ExportNeeded,
            "there are more rows than are handed over at once; begin an export with POST /exports beside this route",
        )
    }

    pub(super) fn export_not_done() -> Self {
        let detail = "the file is not whole: it is being made, or will not be";
        Self::own(OwnReason::ExportNotDone, detail)
    }

    pub(super) fn export_under_way() -> Self {
        Self::own(
            OwnReason::ExportUnderWay,
            "another file is being made for this account; wait for it, or remove it",
        )
    }

    pub(super) fn too_many_exports() -> Self {
        Self::own(
            OwnReason::TooManyExports,
            "this account has as many files as are kept; remove some, or wait until they expire",
        )
    }

    pub(super) fn second_person_needed(detail: String) -> Self {
        Self::own(OwnReason::SecondPersonNeeded, detail)
    }

    pub(super) fn already_decided(detail: String) -> Self {
        Self::own(OwnReason::AlreadyDecided, detail)
    }

    pub(super) fn facts_changed(detail: String) -> Self {
        Self::own(OwnReason::FactsChanged, detail)
    }

    pub(super) fn decision_over(detail: String) -> Self {
        Self::own(OwnReason::DecisionOver, detail)
    }

    /// `open_zh` names them.
    pub(super) fn findings_open(detail: String, open_zh: &str) -> Self {
        let mut problem = Self::own(OwnReason::FindingsOpen, detail);
        problem.body.detail_zh =
            format!("纳入检查的监督问题尚未全部核实或排除：{open_zh}。请先逐项处理，再办结检查。")
                .into();
        problem
    }

    pub(super) fn period_not_over() -> Self {
        let detail = "a report is frozen when its period is over";
        Self::own(OwnReason::PeriodNotOver, detail)
    }

    pub(super) fn not_the_newest() -> Self {
        Self::own(
            OwnReason::NotTheNewest,
            "another issue of this report is the newest; read the report again",
        )
    }

    pub(super) fn corrected_meanwhile() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "NOT_THE_NEWEST",
            "another revision of this filing is the newest; read it again",
            "该报送已被更正。请刷新后再办理。",
        )
    }

    pub(super) fn body(status: StatusCode) -> Self {
        let reason = OwnReason::BodyInvalid;
        let detail = "the body is not the JSON that is expected here";
        Self::new(status, reason.code(), detail, reason.message_zh())
    }

    fn own(reason: OwnReason, detail: impl Into<String>) -> Self {
        Self::new(reason.status(), reason.code(), detail, reason.message_zh())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let reason = refusal.reason();
        let status = status_of(reason);
        let mut problem = Self::new(
            status,
            reason.code(),
            refusal.message(),
            reason.message_zh(),
        );
        problem.retry_after = refusal.delay();
        problem.body.field = refusal.fields().first().map(|(field, _)| field.clone());
        problem
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&sqlx::Error> for Problem {
    fn from(error: &sqlx::Error) -> Self {
        Refusal::from(error).into()
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        Refusal::from(&error).into()
    }
}

impl From<PublishError> for Problem {
    fn from(problem: PublishError) -> Self {
        match &problem {
            PublishError::Database(problem) => Self::from(problem),
            PublishError::Archive(_) | PublishError::Inconsistent { .. } => {
                refusal::fault(&problem).into()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(delay) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(delay.as_secs().max(1)));
        }
        response
    }
}

fn status_of(reason: Reason) -> StatusCode {
    match (reason, reason.status_code()) {
        (Reason::Overloaded, _) => StatusCode::SERVICE_UNAVAILABLE,
        (_, Code::InvalidArgument) => StatusCode::BAD_REQUEST,
        (_, Code::Unauthenticated) => StatusCode::UNAUTHORIZED,
        (_, Code::PermissionDenied) => StatusCode::FORBIDDEN,
        (_, Code::FailedPrecondition | Code::Aborted) => StatusCode::CONFLICT,
        (_, Code::ResourceExhausted) => StatusCode::TOO_MANY_REQUESTS,
        (_, Code::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
