//! Why a filing is not taken.

use crate::audit::AuditError;
use crate::refusal::{Reason, Refusal};
use crate::store;
use crate::store::token_key::NotEntered;

/// A field that cannot be used: its name, and what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` must be {expected}")]
pub struct FilingError {
    pub reason: Reason,
    pub field: String,
    pub expected: &'static str,
    /// 处理办法, for people.
    pub detail_zh: &'static str,
}

impl FilingError {
    pub(crate) fn new(
        field: impl Into<String>,
        expected: &'static str,
        detail_zh: &'static str,
    ) -> Self {
        Self {
            reason: Reason::FieldInvalid,
            field: field.into(),
            expected,
            detail_zh,
        }
    }

    /// Somebody's number in a text, which is not repeated.
    pub(crate) fn number(field: impl Into<String>) -> Self {
        let reason = Reason::NumberInText;
        Self {
            reason,
            ..Self::new(
                field,
                "a text without phone or document numbers",
                reason.message_zh(),
            )
        }
    }
}

/// Why a filing was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    #[error(transparent)]
    Field(#[from] FilingError),
    #[error("the filing that this one closes is not there")]
    NothingToClose,
    #[error("another filing of the office has this id")]
    IdTaken,
    #[error(transparent)]
    Key(#[from] NotEntered),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl store::tx::Retryable for SubmitError {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_retryable())
    }
}

/// Why a filing was not corrected.
#[derive(Debug, thiserror::Error)]
pub enum CorrectError {
    #[error(transparent)]
    Field(#[from] FilingError),
    #[error("the office has no such filing")]
    NotFound,
    #[error("somebody has corrected it meanwhile; read it again")]
    NotTheNewest,
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl store::tx::Retryable for CorrectError {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_retryable())
    }
}

/// What either door answers to an id that another filing has.
pub(crate) fn id_taken() -> Refusal {
    Reason::FilingIdTaken
        .because("another filing of the office has this id")
        .field("filing_id", "an id that no other filing has")
}
