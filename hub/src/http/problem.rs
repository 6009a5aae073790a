//! Refusals as RFC 9457 problems. `reason` is the stable one of `docs/errors.md`, or one of the few that only
//! HTTP has.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tonic::Code;
use utoipa::ToSchema;

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
        let mut problem = Self::new(
            StatusCode::CONFLICT,
            "NOTARY_PRACTISES_ELSEWHERE",
            "a notary of this list practises at another office (公证法 art. 23 (1))",
            "名单中有公证员正在另一公证处执业。请先在该处将其改为不在任。",
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
        Self::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "there is no such thing here",
            "所请求的内容不存在。",
        )
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
            "this resource has no such method",
            "该地址不支持此操作。",
        )
    }

    pub(super) fn not_acceptable() -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "NOT_ACCEPTABLE",
            "Accept names none of the forms there are",
            "不支持所要求的格式。可选 JSON、CSV、XLSX。",
        )
    }

    pub(super) fn export_needed() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "EXPORT_NEEDED",
            "there are more rows than are handed over at once; begin an export with POST /exports beside this route",
            "数据量较大，请转为后台导出，完成后在“我的导出”中下载。",
        )
    }

    pub(super) fn export_not_done() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "EXPORT_NOT_DONE",
            "the file is not whole: it is being made, or will not be",
            "文件尚未生成，或者未能生成。请刷新后查看。",
        )
    }

    pub(super) fn export_under_way() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "EXPORT_UNDER_WAY",
            "another file is being made for this account; wait for it, or remove it",
            "您已有一个导出正在进行。请等它完成，或者先取消。",
        )
    }

    pub(super) fn too_many_exports() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "TOO_MANY_EXPORTS",
            "this account has as many files as are kept; remove some, or wait until they expire",
            "“我的导出”中的文件已满。请先删除不需要的文件。",
        )
    }

    pub(super) fn second_person_needed(detail: String) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "SECOND_PERSON_NEEDED",
            detail,
            "跨公证处的认定须由提出人以外的人员复核。",
        )
    }

    pub(super) fn already_decided(detail: String) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "ALREADY_DECIDED",
            detail,
            "他人已作出认定。请刷新后查看；需改变的，请先撤回原认定。",
        )
    }

    pub(super) fn facts_changed(detail: String) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "FACTS_CHANGED",
            detail,
            "案件或规则已有变化。请刷新后重新认定。",
        )
    }

    pub(super) fn decision_over(detail: String) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "DECISION_OVER",
            detail,
            "该认定已处理完毕或已被后续认定取代。请刷新后查看。",
        )
    }

    /// `open_zh` names them.
    pub(super) fn findings_open(detail: String, open_zh: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "FINDINGS_OPEN",
            detail,
            format!("纳入检查的监督问题尚未全部核实或排除：{open_zh}。请先逐项处理，再办结检查。"),
        )
    }

    pub(super) fn period_not_over() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "PERIOD_NOT_OVER",
            "a report is frozen when its period is over",
            "该期间尚未结束，期满后方可封账。",
        )
    }

    pub(super) fn not_the_newest() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "NOT_THE_NEWEST",
            "another issue of this report is the newest; read the report again",
            "该报表已有更新的一期。请刷新后再办理。",
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
        Self::new(
            status,
            "BODY_INVALID",
            "the body is not the JSON that is expected here",
            "请求内容格式不正确。",
        )
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
