//! Somebody who is signed in gives the own account a second factor, or another one: the password is shown again, and the
//! code of the present factor where there is one; then a code shows that the new one arrived.

use std::net::IpAddr;

use zeroize::Zeroizing;

use super::Sessions;
use super::own_account::Door;
use super::own_password::OwnerError;
use super::second_factor::{SecondFactorError, TotpSecret};
use crate::identity::Person;
use crate::identity::session::Session;
use crate::store;

/// Why there is no new second factor.
#[derive(Debug, thiserror::Error)]
pub enum OwnSecondFactorError {
    #[error(transparent)]
    Owner(#[from] OwnerError),
    #[error("the account has a second factor, and its code is missing, wrong or used")]
    PresentCode,
    #[error("no second factor was shown in the last minutes, or too many codes were tried")]
    NotOffered,
    #[error("the code is not the new second factor's")]
    NewCode,
}

impl From<sqlx::Error> for OwnSecondFactorError {
    fn from(error: sqlx::Error) -> Self {
        Self::Owner(error.into())
    }
}

/// A new second factor in force: the session that goes on, and the codes for the day the authenticator is lost.
pub struct Confirmed {
    pub session: Session,
    pub recovery_codes: Vec<Zeroizing<String>>,
}

impl Sessions {
    /// Makes a secret for the account, which comes to nothing unless it is confirmed within minutes. It counts as an attempt
    /// to sign in.
    pub async fn offer_second_factor(
        &self,
        login: &str,
        password: &str,
        code: &str,
    ) -> Result<TotpSecret, OwnSecondFactorError> {
        let account = self.shown_again(login, password).await?;
        if account.totp_secret.is_some() {
            let checked = self.second_factor.check(&self.pool, &account, code).await;
            checked.map_err(|error| match error {
                SecondFactorError::Missing
                | SecondFactorError::Unset
                | SecondFactorError::Wrong => OwnSecondFactorError::PresentCode,
                SecondFactorError::Database(error) => error.into(),
            })?;
        }
        let account_id = account.person.account_id;
        store::account::clear_attempts(&self.pool, account_id).await?;
        Ok(self.second_factor.offer(&self.pool, account_id).await?)
    }

    /// Puts the factor that was offered in force. All sessions of the account end, and one begins.
    pub async fn confirm_second_factor(
        &self,
        person: &Person,
        code: &str,
        from: Option<IpAddr>,
    ) -> Result<Confirmed, OwnSecondFactorError> {
        let taken = self
            .second_factor
            .confirm(&self.pool, person.account_id, code)
            .await?;
        self.revocations.refresh().await?;
        Ok(Confirmed {
            session: self.begin(taken.owner, Door::Change, from).await?,
            recovery_codes: taken.recovery_codes,
        })
    }
}

impl std::fmt::Debug for Confirmed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Confirmed")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}
