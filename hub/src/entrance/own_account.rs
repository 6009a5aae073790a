//! What people change about their own accounts beside the password, as guarded and recorded as that.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Address, Entrance};
use crate::audit::{Action, AuditError, Entry, Outcome};
use crate::identity::Person;
use crate::identity::account::own_account::EndError;
use crate::identity::account::own_password::OwnerError;
use crate::identity::account::own_second_factor::{Confirmed, OwnSecondFactorError};
use crate::identity::account::second_factor::Offer;
use crate::identity::session::{Session, Verified};
use crate::store;

/// Why sessions go on.
#[derive(Debug, thiserror::Error)]
pub enum EndSessionsError {
    #[error(transparent)]
    End(#[from] EndError),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// Why a second factor is not shown or not in force.
#[derive(Debug, thiserror::Error)]
pub enum SecondFactorChangeError {
    #[error("too many attempts from this address")]
    TooOften { retry_after: Duration },
    #[error(transparent)]
    Change(#[from] OwnSecondFactorError),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl Entrance {
    /// Ends one of the person's sessions.
    pub async fn end_session(
        &self,
        person: &Person,
        session_id: Uuid,
    ) -> Result<(), EndSessionsError> {
        self.sessions.end(person.account_id, session_id).await?;
        let detail = json!({ "account": person.account_id, "session": session_id });
        self.note(person, Action::EndSessions, Outcome::Done, detail)
            .await?;
        Ok(())
    }

    /// Ends all sessions of the person who asks. One begins, for as long as theirs had left.
    pub async fn end_all_sessions(
        &self,
        asking: &Verified,
        from: IpAddr,
    ) -> Result<Session, EndSessionsError> {
        let session = self.sessions.end_all(asking, Some(from)).await?;
        let detail = json!({ "account": asking.person.account_id });
        self.note(&asking.person, Action::EndSessions, Outcome::Done, detail)
            .await?;
        Ok(session)
    }

    /// Shows a second factor that the person may confirm. A refusal is recorded; what is shown and not confirmed has
    /// changed nothing.
    pub async fn offer_second_factor(
        &self,
        person: &Person,
        password: &str,
        code: &str,
        from: IpAddr,
    ) -> Result<Offer, SecondFactorChangeError> {
        let offered = self.offer(person, password, code, from.into()).await;
        let is_refused = matches!(
            offered,
            Err(SecondFactorChangeError::Change(
                OwnSecondFactorError::Owner(OwnerError::Refused)
                    | OwnSecondFactorError::PresentCode
            ))
        );
        if is_refused {
            store::account::own::count_refusal_of(&self.pool, person.account_id)
                .await
                .map_err(OwnSecondFactorError::from)?;
            self.note_second_factor(person, Outcome::Denied).await?;
        }
        offered
    }

    async fn offer(
        &self,
        person: &Person,
        password: &str,
        code: &str,
        from: Address,
    ) -> Result<Offer, SecondFactorChangeError> {
        let login = store::account::login(&self.pool, person.account_id).await;
        let login = login.map_err(OwnSecondFactorError::from)?;
        let login = login.ok_or(OwnSecondFactorError::Owner(OwnerError::Refused))?;
        self.limits
            .attempt(from, &login, Instant::now())
            .map_err(|retry_after| SecondFactorChangeError::TooOften { retry_after })?;
        let offered = self.sessions.offer_second_factor(&login, password, code);
        let secret = offered.await?;
        self.limits.succeeded(from, &login);
        Ok(Offer { secret, login })
    }

    /// Puts the second factor in force that was shown. All sessions of the person end, and one begins.
    pub async fn confirm_second_factor(
        &self,
        person: &Person,
        code: &str,
        from: IpAddr,
    ) -> Result<Confirmed, SecondFactorChangeError> {
        let confirmed = self
            .sessions
            .confirm_second_factor(person, code, Some(from))
            .await;
        let outcome = match &confirmed {
            Ok(_) => Outcome::Done,
            Err(OwnSecondFactorError::NewCode | OwnSecondFactorError::NotOffered) => {
                Outcome::Denied
            }
            Err(_) => return Ok(confirmed?),
        };
        self.note_second_factor(person, outcome).await?;
        Ok(confirmed?)
    }

    async fn note_second_factor(
        &self,
        person: &Person,
        outcome: Outcome,
    ) -> Result<(), AuditError> {
        let detail = json!({ "account": person.account_id });
        self.note(person, Action::EnrolSecondFactor, outcome, detail)
            .await
    }

    async fn note(
        &self,
        person: &Person,
        action: Action,
        outcome: Outcome,
        detail: serde_json::Value,
    ) -> Result<(), AuditError> {
        let entry = Entry::by(person, action, outcome, detail);
        self.audit.append(entry).await?;
        Ok(())
    }
}
