//! Somebody who is signed in gives the own account another password.

use super::account::Sessions;
use super::new_password::{Names, NewPassword};
use super::password::Busy;
use super::session::Session;
use crate::store;

/// Why the password stays.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    #[error("the present password is wrong, or the account is locked or disabled")]
    Refused,
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("change the password: {0}")]
    Database(#[from] sqlx::Error),
}

impl Sessions {
    /// Puts another password in the place of `present`. All sessions of the account end, and one begins.
    ///
    /// It counts as an attempt to sign in: a session that was left open is no place to guess from.
    pub async fn change_password(
        &self,
        names: &Names,
        present: &str,
        new: NewPassword,
    ) -> Result<Session, ChangePasswordError> {
        let turn = self.checker.turn().await?;
        let account = store::account::begin_attempt(&self.pool, &names.login).await?;
        let stored = account
            .as_ref()
            .map(|account| account.password_hash.clone());
        let fits = self.checker.fits(turn, present, stored).await;
        let account = account
            .filter(|_| fits)
            .ok_or(ChangePasswordError::Refused)?;
        let hash = self.checker.hash(self.checker.turn().await?, new).await?;
        let account_id = account.person.account_id;
        let changed =
            store::account::replace_password(&self.pool, account_id, &account.password_hash, &hash);
        let generation = changed.await?.ok_or(ChangePasswordError::Refused)?;
        self.revocations.refresh().await?;
        Ok(self.begin(account.person, generation, account.display_name))
    }
}
