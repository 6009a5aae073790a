//! Somebody who is signed in gives the own account another password.

use std::net::IpAddr;

use super::new_password::{Names, NewPassword};
use super::own_account::Door;
use super::password::Busy;
use super::pepper::Fit;
use super::{Caller, Sessions};
use crate::identity::session::Session;
use crate::store;
use crate::store::account::Candidate;

/// Why whoever is signed in may not change the account.
#[derive(Debug, thiserror::Error)]
pub enum OwnerError {
    #[error("the present password is wrong, or the account is locked or disabled")]
    Refused,
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("change the account: {0}")]
    Database(#[from] sqlx::Error),
}

impl Sessions {
    /// The account of a login, once its owner has shown the password again.
    ///
    /// It counts as an attempt to sign in: a session that was left open is no place to guess from.
    pub(super) async fn shown_again(
        &self,
        login: &str,
        password: &str,
    ) -> Result<Candidate, OwnerError> {
        let turn = self.checker.turn().await?;
        let account = store::account::begin_attempt(&self.pool, login, Caller::Unknown).await?;
        let stored = account
            .as_ref()
            .map(|account| account.password_hash.clone());
        let fit = self.checker.fits(turn, password, stored).await;
        account
            .filter(|_| fit != Fit::No)
            .ok_or(OwnerError::Refused)
    }

    /// Puts another password in the place of `present`. All sessions of the account end, and one begins.
    pub async fn change_password(
        &self,
        names: &Names,
        present: &str,
        new: NewPassword,
        from: Option<IpAddr>,
    ) -> Result<Session, OwnerError> {
        let account = self.shown_again(&names.login, present).await?;
        let hash = self.checker.hash(self.checker.turn().await?, new).await?;
        let account_id = account.person.account_id;
        let changed =
            store::account::replace_password(&self.pool, account_id, &account.password_hash, &hash);
        let owner = changed.await?.ok_or(OwnerError::Refused)?;
        self.revocations.refresh().await?;
        Ok(self.begin(owner, Door::Change, from).await?)
    }
}
