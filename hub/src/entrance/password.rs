//! Changing the own password: as guarded as signing in, because it tells as much.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{Address, Entrance};
use crate::audit::{Action, AuditError, Entry, Outcome};
use crate::identity::Person;
use crate::identity::account::new_password::{NewPassword, PasswordError};
use crate::identity::account::own_password::OwnerError;
use crate::identity::session::Session;
use crate::store;

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("too many attempts from this address")]
    TooOften { retry_after: Duration },
    #[error(transparent)]
    New(#[from] PasswordError),
    #[error(transparent)]
    Change(#[from] OwnerError),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl Entrance {
    /// Puts `new` in the place of the password `present`. All sessions of the person end, and one begins. What came of it
    /// is recorded before the answer.
    pub async fn change_password(
        &self,
        person: &Person,
        present: &str,
        new: &str,
        from: IpAddr,
    ) -> Result<Session, ChangeError> {
        let changed = self.change(person, present, new, from).await;
        let outcome = match &changed {
            Ok(_) => Outcome::Done,
            Err(ChangeError::Change(OwnerError::Refused)) => {
                let counted = store::account::own::count_refusal_of(&self.pool, person.account_id);
                counted.await.map_err(OwnerError::from)?;
                Outcome::Denied
            }
            Err(_) => return changed,
        };
        let detail = json!({ "account": person.account_id });
        let entry = Entry::by(person, Action::ChangePassword, outcome, detail);
        self.audit.append(entry).await?;
        changed
    }

    async fn change(
        &self,
        person: &Person,
        present: &str,
        new: &str,
        from: IpAddr,
    ) -> Result<Session, ChangeError> {
        let address = Address::from(from);
        let login = store::account::login(&self.pool, person.account_id).await;
        let login = login.map_err(OwnerError::from)?;
        let login = login.ok_or(OwnerError::Refused)?;
        let names = store::account::names(&self.pool, &login).await;
        let names = names.map_err(OwnerError::from)?;
        let names = names.ok_or(OwnerError::Refused)?;
        let new = NewPassword::new(new, &names)?;
        self.limits
            .attempt(address, &login, Instant::now())
            .map_err(|retry_after| ChangeError::TooOften { retry_after })?;
        let session = self
            .sessions
            .change_password(&names, present, new, Some(from))
            .await?;
        self.limits.succeeded(address, &login);
        Ok(session)
    }
}
