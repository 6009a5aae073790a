//! Accounts of people.
//!
//! | module | holds |
//! |---|---|
//! | [`own`] | sessions, and what was changed: what people see of their own accounts |
//! | [`second_factor`] | second factors, recovery codes |

pub mod own;
pub mod second_factor;

use linkage::office::OfficeId;
use serde::Serialize;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use super::decode::parse;
use crate::identity::account::new_password::Names;
use crate::identity::account::own_account::{self, ChangedBy};
use crate::identity::account::{Caller, FAILURES_TO_LOCK, LOCKED_FOR, NewAccount};
use crate::identity::{Person, Role, RoleKind};

/// An account that may try to sign in now.
#[derive(Debug)]
pub struct Candidate {
    pub person: Person,
    pub display_name: String,
    /// PHC string.
    pub password_hash: String,
    /// Sessions of earlier generations are refused.
    pub generation: i32,
    /// Sealed secret of the second factor.
    pub totp_secret: Option<Vec<u8>>,
}

/// An account as listed.
#[derive(Debug, Serialize)]
pub struct Account {
    pub account_id: Uuid,
    pub login: String,
    pub display_name: String,
    pub role: RoleKind,
    pub office_id: Option<OfficeId>,
    pub disabled: bool,
    pub locked: bool,
    pub second_factor: bool,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// What is to become different about an account. Each change ends the account's sessions; one that changes
/// nothing does that alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change<'a> {
    /// PHC string; a new password ends a lock.
    pub password_hash: Option<&'a str>,
    pub disabled: Option<bool>,
    pub role: Option<Role>,
}

impl Change<'_> {
    /// What its owner is told of it.
    const fn told_as(&self) -> own_account::Change {
        match (self.password_hash, self.disabled, self.role) {
            (Some(_), _, _) => own_account::Change::Password,
            (None, Some(true), _) => own_account::Change::Disabled,
            (None, Some(false), _) => own_account::Change::Enabled,
            (None, None, Some(_)) => own_account::Change::Role,
            (None, None, None) => own_account::Change::SessionsEnded,
        }
    }
}

pub async fn insert(
    pool: &PgPool,
    account_id: Uuid,
    account: &NewAccount<'_>,
    password_hash: &str,
) -> Result<(), sqlx::Error> {
    let office_id = account.role.office_id();
    sqlx::query!(
        "INSERT INTO account (account_id, login, display_name, role, office_id, password_hash)
         VALUES ($1, $2, $3, $4, $5, $6)",
        account_id,
        account.login,
        account.display_name,
        account.role.kind().code(),
        office_id.as_ref().map(|id| id.as_str()),
        password_hash,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Counts an attempt and returns the account, or nothing when there is none that may try: unknown, disabled,
/// locked, or of a revoked office. An attempt that follows the one before within [`LOCKED_FOR`] goes on with its row;
/// the one that reaches the limit locks the account; if it succeeds, [`clear_attempts`] unlocks it. A lock does not keep a
/// known caller out, whose attempts leave it as it is. It does not wait for the disk, or how long it takes would tell
/// whether there is such a login.
pub async fn begin_attempt(
    pool: &PgPool,
    login: &str,
    caller: Caller,
) -> Result<Option<Candidate>, sqlx::Error> {
    // PostgreSQL fails on a text with NUL, which is nobody's login.
    if login.contains('\0') {
        return Ok(None);
    }
    let lock = sqlx::postgres::types::PgInterval::try_from(LOCKED_FOR)
        .expect("a quarter of an hour has no nanoseconds");
    let row = sqlx::query!(
        "UPDATE account SET
             failed_attempts = CASE WHEN locked_until > now() THEN failed_attempts
                                    WHEN locked_until IS NULL AND attempted_at > now() - $3::interval
                                    THEN failed_attempts + 1 ELSE 1 END,
             locked_until = CASE WHEN locked_until > now() THEN locked_until
                                 WHEN locked_until IS NULL AND attempted_at > now() - $3::interval
                                      AND failed_attempts + 1 >= $2
                                 THEN now() + $3::interval END,
             attempted_at = now()
         WHERE login = $1 AND set_config('synchronous_commit', 'off', true) = 'off'
           AND disabled_at IS NULL AND ($4 OR locked_until IS NULL OR locked_until <= now())
           AND (office_id IS NULL OR EXISTS (
               SELECT FROM office WHERE office.office_id = account.office_id AND status = 'active'))
         RETURNING account_id, role, office_id, display_name, password_hash, generation, totp_secret",
        login,
        FAILURES_TO_LOCK,
        lock,
        caller == Caller::Known,
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        let role = role(&row.role, row.office_id.as_deref())?;
        Ok(Candidate {
            person: Person::new(row.account_id, role),
            display_name: row.display_name,
            password_hash: row.password_hash,
            generation: row.generation,
            totp_secret: row.totp_secret,
        })
    })
    .transpose()
}

/// After a success.
pub async fn clear_attempts(pool: &PgPool, account_id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE account SET failed_attempts = 0, locked_until = NULL WHERE account_id = $1",
        account_id,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Takes back the last attempt of a caller who is not known: it guessed nothing. If it was the one that locked the account,
/// the account is open again.
pub async fn take_attempt_back(pool: &PgPool, account_id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE account SET failed_attempts = greatest(failed_attempts - 1, 0), locked_until = NULL WHERE account_id = $1",
        account_id,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Whose account it is, as whom a session may begin.
#[derive(Debug)]
pub struct Owner {
    pub person: Person,
    pub display_name: String,
    /// Sessions of earlier generations are refused.
    pub generation: i32,
}

impl Owner {
    pub(super) fn read(
        account_id: Uuid,
        role_code: &str,
        office_id: Option<&str>,
        display_name: String,
        generation: i32,
    ) -> Result<Self, sqlx::Error> {
        Ok(Self {
            person: Person::new(account_id, role(role_code, office_id)?),
            display_name,
            generation,
        })
    }
}

impl From<Candidate> for Owner {
    fn from(candidate: Candidate) -> Self {
        Self {
            person: candidate.person,
            display_name: candidate.display_name,
            generation: candidate.generation,
        }
    }
}

/// The account of a provider's subject, or nothing when there is none that may sign in: unknown, disabled, or of a
/// revoked office. A lock is for guessed passwords and does not count here.
pub async fn by_provider_subject(
    pool: &PgPool,
    subject: &str,
) -> Result<Option<Owner>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT account_id, role, office_id, display_name, generation FROM account
         WHERE provider_subject = $1 AND disabled_at IS NULL
           AND (office_id IS NULL OR EXISTS (
               SELECT FROM office WHERE office.office_id = account.office_id AND status = 'active'))",
        subject,
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        Owner::read(
            row.account_id,
            &row.role,
            row.office_id.as_deref(),
            row.display_name,
            row.generation,
        )
    })
    .transpose()
}

/// Uses an ID token up; false when it was used before. Forgets those that have ended by themselves.
pub async fn use_id_token(
    pool: &PgPool,
    hash: &[u8; 32],
    ends_at: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let used = sqlx::query!(
        "WITH over AS (DELETE FROM used_id_token WHERE ends_at < now() - interval '1 hour')
         INSERT INTO used_id_token (token_hash, ends_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        hash,
        ends_at,
    )
    .execute(pool)
    .await?;
    Ok(used.rows_affected() == 1)
}

/// Ties an account to a provider's subject, or unties it. Its sessions end. Returns its id, or nothing when there is no
/// such login.
pub async fn set_provider_subject(
    pool: &PgPool,
    login: &str,
    subject: Option<&str>,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"WITH changed AS (
               UPDATE account SET provider_subject = $2, generation = generation + 1, generation_at = now()
                WHERE login = $1 RETURNING account_id)
           INSERT INTO account_change (account_id, change, changed_by) SELECT account_id, $3, $4 FROM changed
           RETURNING account_id"#,
        login,
        subject,
        match subject {
            Some(_) => own_account::Change::ProviderLinked,
            None => own_account::Change::ProviderUnlinked,
        }
        .code(),
        ChangedBy::Operator.code(),
    )
    .fetch_optional(pool)
    .await
}

/// Changes an account. Returns its id, or nothing when there is no such login.
pub async fn change(
    pool: &PgPool,
    login: &str,
    change: Change<'_>,
) -> Result<Option<Uuid>, sqlx::Error> {
    let office_id = change.role.and_then(|role| role.office_id());
    sqlx::query_scalar!(
        "WITH changed AS (
             UPDATE account SET
                 password_hash = coalesce($2, password_hash),
                 failed_attempts = CASE WHEN $2 IS NULL THEN failed_attempts ELSE 0 END,
                 locked_until = CASE WHEN $2 IS NULL THEN locked_until END,
                 disabled_at = CASE $3::boolean WHEN true THEN coalesce(disabled_at, now()) WHEN false THEN NULL
                                                ELSE disabled_at END,
                 role = coalesce($4, role),
                 office_id = CASE WHEN $4 IS NULL THEN office_id ELSE $5 END,
                 generation = generation + 1,
                 generation_at = now()
             WHERE login = $1
             RETURNING account_id)
         INSERT INTO account_change (account_id, change, changed_by) SELECT account_id, $6, $7 FROM changed
         RETURNING account_id",
        login,
        change.password_hash,
        change.disabled,
        change.role.map(|role| role.kind().code()),
        office_id.as_ref().map(|id| id.as_str()),
        change.told_as().code(),
        ChangedBy::Operator.code(),
    )
    .fetch_optional(pool)
    .await
}

/// Puts a password in the place of one that it still has, and ends the account's sessions. Returns the owner, with the
/// generation of those that follow, or nothing when the password was changed meanwhile.
pub async fn replace_password(
    pool: &PgPool,
    account_id: Uuid,
    present_hash: &str,
    new_hash: &str,
) -> Result<Option<Owner>, sqlx::Error> {
    let row = sqlx::query!(
        "WITH changed AS (
             UPDATE account SET password_hash = $3, failed_attempts = 0, locked_until = NULL,
                    generation = generation + 1, generation_at = now()
              WHERE account_id = $1 AND password_hash = $2 AND disabled_at IS NULL
              RETURNING account_id, role, office_id, display_name, generation),
             noted AS (
                 INSERT INTO account_change (account_id, change, changed_by) SELECT account_id, $4, $5 FROM changed)
         SELECT role, office_id, display_name, generation FROM changed",
        account_id,
        present_hash,
        new_hash,
        own_account::Change::Password.code(),
        ChangedBy::Owner.code(),
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        Owner::read(
            account_id,
            &row.role,
            row.office_id.as_deref(),
            row.display_name,
            row.generation,
        )
    })
    .transpose()
}

/// Puts another hash of the same password in the place of one that the account still has.
pub async fn renew_hash(
    pool: &PgPool,
    account_id: Uuid,
    present_hash: &str,
    new_hash: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE account SET password_hash = $3 WHERE account_id = $1 AND password_hash = $2",
        account_id,
        present_hash,
        new_hash,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// What everybody knows of a login's owner.
pub async fn names(pool: &PgPool, login: &str) -> Result<Option<Names>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT a.display_name, a.office_id, o.name AS "office_name?"
             FROM account a LEFT JOIN office o ON o.office_id = a.office_id WHERE a.login = $1"#,
        login,
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        Ok(Names {
            login: login.to_owned(),
            display_name: row.display_name,
            office_id: row.office_id.as_deref().map(parse).transpose()?,
            office_name: row.office_name,
        })
    })
    .transpose()
}

/// The login of an account.
pub async fn login(pool: &PgPool, account_id: Uuid) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT login FROM account WHERE account_id = $1",
        account_id
    )
    .fetch_optional(pool)
    .await
}

/// All accounts by login.
pub async fn list(pool: &PgPool) -> Result<Vec<Account>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT account_id, login, display_name, role, office_id, disabled_at IS NOT NULL AS "disabled!",
                  locked_until IS NOT NULL AND locked_until > now() AS "locked!",
                  totp_secret IS NOT NULL AS "second_factor!", created_at
           FROM account ORDER BY login"#
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Account {
                account_id: row.account_id,
                login: row.login,
                display_name: row.display_name,
                role: parse(&row.role)?,
                office_id: row.office_id.as_deref().map(parse).transpose()?,
                disabled: row.disabled,
                locked: row.locked,
                second_factor: row.second_factor,
                created_at: row.created_at,
            })
        })
        .collect()
}

/// The account of a login.
pub async fn find(pool: &PgPool, login: &str) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("SELECT account_id FROM account WHERE login = $1", login)
        .fetch_optional(pool)
        .await
}

fn role(code: &str, office_id: Option<&str>) -> Result<Role, sqlx::Error> {
    let office_id = office_id
        .map(str::parse)
        .transpose()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    code.parse()
        .and_then(|kind| Role::new(kind, office_id))
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
