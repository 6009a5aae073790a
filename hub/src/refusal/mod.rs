//! Why a caller is refused, the same through every door: a stable reason with its remedy, a message for developers,
//! when to come back, and the fields at fault. `grpc` makes a status of it and `http` a problem.

mod reason;

pub use reason::Reason;

use std::time::Duration;

use crate::audit::AuditError;
use crate::entrance::EntranceError;
use crate::identity::account::SignInError;
use crate::identity::account::oidc::ProviderSignInError;
use crate::store::token_key::NotEntered;

/// A refusal on its way to its caller.
#[derive(Clone, Debug)]
pub struct Refusal {
    reason: Reason,
    message: String,
    retry_after: Option<Duration>,
    fields: Vec<(String, String)>,
}

impl Refusal {
    fn new(reason: Reason, message: String) -> Self {
        Self {
            reason,
            message,
            retry_after: None,
            fields: Vec::new(),
        }
    }

    pub const fn reason(&self) -> Reason {
        self.reason
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    /// When to come back.
    pub const fn delay(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Fields at fault, each with what is expected of it.
    pub fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    /// Says when to come back.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// Names a field at fault and what is expected of it. Never carries the value.
    #[must_use]
    pub fn field(mut self, path: impl Into<String>, expected: impl Into<String>) -> Self {
        self.fields.push((path.into(), expected.into()));
        self
    }
}

/// A fault of the hub's: the caller learns that it happened, the log learns what.
pub fn fault(error: &(dyn std::error::Error + 'static)) -> Refusal {
    tracing::error!(error, "call failed");
    Reason::Internal.because("internal error; the hub's log has the details")
}

/// The answer to a caller whose request could not be recorded, and is therefore not answered.
impl From<&AuditError> for Refusal {
    fn from(error: &AuditError) -> Self {
        match error {
            AuditError::Database(problem) => Self::from(&**problem),
            AuditError::Defect => fault(error),
            AuditError::DeniedTooOften => Reason::RateLimited
                .because(error.to_string())
                .retry_after(Duration::from_secs(60)),
            AuditError::Stopping => Reason::Draining
                .because(error.to_string())
                .retry_after(Duration::from_secs(2)),
        }
    }
}

/// The answer to a caller whose request met a database error. The log learns what it was.
impl From<&sqlx::Error> for Refusal {
    fn from(error: &sqlx::Error) -> Self {
        match Reason::from(error) {
            Reason::Internal => fault(error),
            reason => {
                tracing::warn!(
                    error = error as &dyn std::error::Error,
                    reason = reason.code(),
                    "the database did not serve a call"
                );
                reason
                    .because("the hub's database does not answer; try again")
                    .retry_after(Duration::from_secs(2))
            }
        }
    }
}

/// Why nothing with a caller's tokens is stored.
impl From<&NotEntered> for Refusal {
    fn from(error: &NotEntered) -> Self {
        match error {
            NotEntered::Changing => Reason::Overloaded
                .because(error.to_string())
                .retry_after(Duration::from_secs(30)),
            NotEntered::OtherKey => {
                Reason::TokenKeyUnknown.because(format!("{error}; `Welcome` names it"))
            }
            NotEntered::Database(problem) => problem.into(),
        }
    }
}

/// Why nobody came in.
impl From<EntranceError> for Refusal {
    fn from(error: EntranceError) -> Self {
        match error {
            EntranceError::TooOften { retry_after } => Reason::RateLimited
                .because(error.to_string())
                .retry_after(retry_after),
            EntranceError::SignIn(problem) => Self::from(&problem),
            EntranceError::Provider(problem) => Self::from(&problem),
            EntranceError::Audit(problem) => Self::from(&problem),
        }
    }
}

/// Why nobody signed in through the identity provider.
impl From<&ProviderSignInError> for Refusal {
    fn from(error: &ProviderSignInError) -> Self {
        let reason = match error {
            ProviderSignInError::SecondFactorMissing => Reason::SecondFactorRequired,
            ProviderSignInError::Provider(problem) => {
                tracing::error!(%problem, "nobody can sign in through the identity provider");
                Reason::ProviderUnavailable
            }
            ProviderSignInError::Database(problem) => return problem.into(),
            ProviderSignInError::Token(_)
            | ProviderSignInError::Used
            | ProviderSignInError::NoAccount => Reason::SignInRefused,
        };
        reason.because(error.to_string())
    }
}

/// Why nobody signed in.
impl From<&SignInError> for Refusal {
    fn from(error: &SignInError) -> Self {
        match error {
            SignInError::Refused => Reason::SignInRefused.because(error.to_string()),
            SignInError::CodeRequired => Reason::SecondFactorRequired
                .because(error.to_string())
                .field("otp", "six digits of the authenticator, or a recovery code"),
            SignInError::SecondFactorUnset => Reason::SecondFactorUnset.because(error.to_string()),
            SignInError::Busy(_) => Reason::Overloaded
                .because(error.to_string())
                .retry_after(Duration::from_secs(3)),
            SignInError::Database(problem) => problem.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_database_asks_to_come_back_and_a_fault_of_ours_does_not() {
        let busy = Refusal::from(&sqlx::Error::PoolTimedOut);
        assert_eq!(busy.reason(), Reason::Overloaded);
        assert!(busy.delay().is_some());
        let fault = Refusal::from(&sqlx::Error::RowNotFound);
        assert_eq!((fault.reason(), fault.delay()), (Reason::Internal, None));
        assert!(!fault.message().contains("row"));
    }

    #[test]
    fn a_log_that_is_stopping_asks_to_come_back() {
        let stopping = Refusal::from(&AuditError::Stopping);
        assert_eq!(stopping.reason(), Reason::Draining);
        assert!(stopping.delay().is_some());
    }

    #[test]
    fn who_is_asked_for_a_code_is_told_in_which_field() {
        let refusal = Refusal::from(&SignInError::CodeRequired);
        assert_eq!(refusal.fields()[0].0, "otp");
    }
}
