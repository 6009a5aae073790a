//! Accounts of people, and signing in.

pub mod directory;
pub mod new_password;
pub mod oidc;
pub mod own_account;
pub mod own_password;
pub mod own_second_factor;
pub mod password;
pub mod pepper;
pub mod second_factor;

use std::net::IpAddr;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use metrics::counter;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::identity::revocation::Revocations;
use crate::identity::session::{Session, SessionKeys, TokenError, Verified};
use crate::identity::{Person, Role};
use crate::store;
use crate::store::account::own::{self, Begun};
use crate::store::account::{Candidate, Owner};
use crate::telemetry::metrics::SIGN_INS;
use new_password::{Names, NewPassword, PasswordError};
use own_account::Door;
use password::{Busy, Checker};
use pepper::{Fit, Pepper};
use second_factor::{SecondFactor, SecondFactorError};

/// Failures in a row that lock an account.
pub const FAILURES_TO_LOCK: i32 = 5;
/// How long a locked account stays locked.
pub const LOCKED_FOR: Duration = Duration::from_secs(15 * 60);

/// Why somebody is not signed in. Whether login, password or account is at fault is not said.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("login or password is wrong, or the account is locked or disabled")]
    Refused,
    #[error("the account needs a code of its second factor")]
    CodeRequired,
    #[error("the role needs a second factor and the account has none; the operator gives it one")]
    SecondFactorUnset,
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("look the account up: {0}")]
    Database(#[from] sqlx::Error),
}

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
pub enum AddAccountError {
    #[error("a login has 1 to 64 lower-case letters, digits, dots, hyphens or underscores")]
    LoginForm,
    #[error("a display name has 1 to 64 characters")]
    DisplayName,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error("there is an account with this login already; choose another")]
    LoginTaken,
    #[error("there is no such office; see: notary-hub office list")]
    NoSuchOffice,
    #[error("store the account: {0}")]
    Database(sqlx::Error),
}

/// A new account.
#[derive(Debug)]
pub struct NewAccount<'a> {
    pub login: &'a str,
    pub display_name: &'a str,
    pub role: Role,
}

/// Makes an account.
pub async fn add(
    pool: &PgPool,
    pepper: &Pepper,
    account: NewAccount<'_>,
    password: &str,
) -> Result<Uuid, AddAccountError> {
    let login_fits = (1..=64).contains(&account.login.len())
        && account
            .login
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_'));
    if !login_fits {
        return Err(AddAccountError::LoginForm);
    }
    if !(1..=64).contains(&account.display_name.chars().count()) {
        return Err(AddAccountError::DisplayName);
    }
    let office_id = account.role.office_id();
    let office_name = match office_id {
        Some(office_id) => store::office::name(pool, office_id)
            .await
            .map_err(AddAccountError::Database)?,
        None => None,
    };
    let names = Names {
        login: account.login.to_owned(),
        display_name: account.display_name.to_owned(),
        office_id,
        office_name,
    };
    let password_hash = NewPassword::new(password, &names)?.hash(pepper);
    let account_id = Uuid::now_v7();
    store::account::insert(pool, account_id, &account, &password_hash)
        .await
        .map_err(|error| match error.as_database_error() {
            Some(problem) if problem.is_unique_violation() => AddAccountError::LoginTaken,
            Some(problem) if problem.is_foreign_key_violation() => AddAccountError::NoSuchOffice,
            _ => AddAccountError::Database(error),
        })?;
    Ok(account_id)
}

/// Signs people in and reads their sessions.
#[derive(Debug)]
pub struct Sessions {
    pool: PgPool,
    keys: RwLock<Arc<SessionKeys>>,
    life: Duration,
    checker: Checker,
    revocations: Revocations,
    second_factor: SecondFactor,
}

/// Whether somebody comes from where the account signed in of late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A lock that was raised from elsewhere does not keep them out.
    Known,
    Unknown,
}

/// What somebody signs in with.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    pub login: &'a str,
    pub password: &'a str,
    /// Code of an authenticator, or a recovery code; empty without one.
    pub code: &'a str,
}

impl Sessions {
    pub fn new(
        pool: PgPool,
        keys: SessionKeys,
        life: Duration,
        revocations: Revocations,
        second_factor: SecondFactor,
        pepper: Pepper,
    ) -> Self {
        Self {
            pool,
            keys: RwLock::new(Arc::new(keys)),
            life,
            checker: Checker::new(pepper),
            revocations,
            second_factor,
        }
    }

    /// Signs with other keys from now on.
    pub fn replace_keys(&self, keys: SessionKeys) {
        *self.keys.write().expect("no holder of the lock panics") = Arc::new(keys);
    }

    /// Login and password in, session out; for accounts without a second factor.
    pub async fn sign_in(&self, login: &str, password: &str) -> Result<Session, SignInError> {
        let code = "";
        let credentials = Credentials {
            login,
            password,
            code,
        };
        self.sign_in_with(credentials, None).await
    }

    /// [`Self::sign_in_from`] by whoever is not known to come from there.
    pub async fn sign_in_with(
        &self,
        credentials: Credentials<'_>,
        from: Option<IpAddr>,
    ) -> Result<Session, SignInError> {
        self.sign_in_from(Caller::Unknown, credentials, from).await
    }

    /// Credentials in, session out; `from` is where they came from, if it is known.
    ///
    /// An attempt is counted before its password is checked, so that guessing in parallel gains nothing; a
    /// success clears the count, a wrong code does not, and a right password that no code came with counts for nothing. An
    /// unknown login costs the same work.
    pub async fn sign_in_from(
        &self,
        caller: Caller,
        credentials: Credentials<'_>,
        from: Option<IpAddr>,
    ) -> Result<Session, SignInError> {
        let result = self.try_sign_in(caller, credentials, from).await;
        let outcome = match &result {
            Ok(_) => "granted",
            Err(SignInError::Refused) => "refused",
            Err(SignInError::CodeRequired | SignInError::SecondFactorUnset) => "code_required",
            Err(SignInError::Busy(_)) => "busy",
            Err(SignInError::Database(_)) => "failed",
        };
        counter!(SIGN_INS, "outcome" => outcome).increment(1);
        result
    }

    async fn try_sign_in(
        &self,
        caller: Caller,
        credentials: Credentials<'_>,
        from: Option<IpAddr>,
    ) -> Result<Session, SignInError> {
        let turn = self.checker.turn().await?;
        let account = store::account::begin_attempt(&self.pool, credentials.login, caller).await?;
        let stored = account
            .as_ref()
            .map(|account| account.password_hash.clone());
        let fit = self.checker.fits(turn, credentials.password, stored).await;
        let Some(account) = account.filter(|_| fit != Fit::No) else {
            return Err(SignInError::Refused);
        };
        let shown = self
            .second_factor
            .check(&self.pool, &account, credentials.code);
        if let Err(error) = shown.await {
            let guessed_nothing =
                matches!(error, SecondFactorError::Missing | SecondFactorError::Unset);
            if guessed_nothing && caller == Caller::Unknown {
                let account_id = account.person.account_id;
                store::account::take_attempt_back(&self.pool, account_id).await?;
            }
            return Err(error.into());
        }
        store::account::clear_attempts(&self.pool, account.person.account_id).await?;
        if fit == Fit::Outdated {
            self.hash_anew(&account, credentials.password).await?;
        }
        Ok(self.begin(account.into(), Door::Password, from).await?)
    }

    /// Puts a hash with the hub's key in the place of one without. With no turn left it waits for the next time.
    async fn hash_anew(&self, account: &Candidate, password: &str) -> Result<(), sqlx::Error> {
        let Ok(turn) = self.checker.turn().await else {
            return Ok(());
        };
        let Ok(hash) = self.checker.hash_anew(turn, password).await else {
            return Ok(());
        };
        let account_id = account.person.account_id;
        store::account::renew_hash(&self.pool, account_id, &account.password_hash, &hash).await
    }

    /// A session of full length for somebody who has shown who they are; its owner sees it from now on.
    async fn begin(
        &self,
        owner: Owner,
        door: Door,
        from: Option<IpAddr>,
    ) -> Result<Session, sqlx::Error> {
        let end = OffsetDateTime::now_utc() + self.life;
        self.begin_until(end, owner, door, from).await
    }

    async fn begin_until(
        &self,
        end: OffsetDateTime,
        owner: Owner,
        door: Door,
        from: Option<IpAddr>,
    ) -> Result<Session, sqlx::Error> {
        let Owner {
            person,
            display_name,
            generation,
        } = owner;
        let (session_id, now) = (Uuid::now_v7(), OffsetDateTime::now_utc());
        let (access_token, expires_at) =
            self.keys().issue(session_id, &person, generation, now, end);
        let begun = Begun {
            session_id,
            account_id: person.account_id,
            generation,
            door,
            from,
            ends_at: expires_at,
        };
        own::begin_session(&self.pool, &begun).await?;
        Ok(Session {
            access_token,
            expires_at,
            person,
            display_name,
        })
    }

    /// Who a bearer token speaks for.
    pub fn verify(&self, token: &str) -> Result<Person, TokenError> {
        self.verified(token).map(|session| session.person)
    }

    /// Ends the session of a bearer token: here at once, on every other hub within seconds.
    pub async fn sign_out(&self, token: &str) -> Result<Person, SignOutError> {
        let session = self.verified(token)?;
        store::office::revocation::end_session(&self.pool, session.session_id, session.expires_at)
            .await?;
        self.revocations.refresh().await?;
        Ok(session.person)
    }

    /// The session of a bearer token.
    pub fn verified(&self, token: &str) -> Result<Verified, TokenError> {
        let session = self.keys().verify(token)?;
        match self.revocations.has_ended(&session) {
            true => Err(TokenError::Ended),
            false => Ok(session),
        }
    }

    fn keys(&self) -> Arc<SessionKeys> {
        let keys = self.keys.read().expect("no holder of the lock panics");
        Arc::clone(&keys)
    }
}

/// Why a session was not ended.
#[derive(Debug, thiserror::Error)]
pub enum SignOutError {
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("end the session: {0}")]
    Database(#[from] sqlx::Error),
}

impl From<SecondFactorError> for SignInError {
    fn from(error: SecondFactorError) -> Self {
        match error {
            SecondFactorError::Missing => Self::CodeRequired,
            SecondFactorError::Unset => Self::SecondFactorUnset,
            SecondFactorError::Wrong => Self::Refused,
            SecondFactorError::Database(error) => Self::Database(error),
        }
    }
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}
