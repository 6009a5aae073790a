//! A refusal as a status: its reason in `google.rpc.ErrorInfo` under the domain [`DOMAIN`], with `BadRequest` for the
//! fields at fault, `RetryInfo`, and what to do about it in Chinese.

use std::collections::HashMap;

use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use crate::audit::AuditError;
use crate::refusal::{Reason, Refusal, fault};

/// Domain of every reason.
pub const DOMAIN: &str = "notary-hub";

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let reason = refusal.reason();
        let mut details = ErrorDetails::with_error_info(reason.code(), DOMAIN, HashMap::new());
        details.set_localized_message("zh-CN", reason.message_zh());
        if refusal.delay().is_some() {
            details.set_retry_info(refusal.delay());
        }
        for (path, expected) in refusal.fields() {
            details.add_bad_request_violation(path, expected);
        }
        Status::with_error_details(reason.status_code(), refusal.message(), details)
    }
}

/// One malformed field, the commonest refusal of all.
pub fn invalid_field(path: impl Into<String>, expected: impl Into<String>) -> Status {
    let path = path.into();
    Reason::FieldInvalid
        .because(format!("field `{path}` cannot be used"))
        .field(path, expected)
        .into()
}

/// A fault of the hub's: the caller learns that it happened, the log learns what.
pub fn internal(error: &(dyn std::error::Error + 'static)) -> Status {
    fault(error).into()
}

/// A request that could not be recorded.
pub fn audit(error: &AuditError) -> Status {
    Refusal::from(error).into()
}

/// A request that met a database error.
pub fn database(error: &sqlx::Error) -> Status {
    Refusal::from(error).into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic::Code;

    use super::*;

    #[test]
    fn a_status_carries_reason_remedy_field_and_delay() {
        let status: Status = Reason::FieldInvalid
            .because("field `csr_der` cannot be used")
            .field("csr_der", "PKCS #10 DER")
            .retry_after(Duration::from_secs(3))
            .into();
        let details = status.get_error_details();
        let info = details.error_info().expect("an ErrorInfo");
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("FIELD_INVALID", DOMAIN)
        );
        assert_eq!(
            details
                .bad_request()
                .expect("a BadRequest")
                .field_violations[0]
                .field,
            "csr_der"
        );
        assert_eq!(
            details.retry_info().expect("a RetryInfo").retry_delay,
            Some(Duration::from_secs(3))
        );
        assert_eq!(details.localized_message().expect("a text").locale, "zh-CN");
    }
}
