//! Accounts of people.

use sqlx::PgPool;
use uuid::Uuid;

use crate::identity::account::{FAILURES_TO_LOCK, LOCKED_FOR, NewAccount};
use crate::identity::{Person, Role};

/// An account that may try to sign in now.
#[derive(Debug)]
pub struct Candidate {
    pub person: Person,
    pub display_name: String,
    /// PHC string.
    pub password_hash: String,
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
/// locked, or of a revoked office. The attempt that reaches the limit locks the account; if it succeeds,
/// [`clear_attempts`] unlocks it.
pub async fn begin_attempt(pool: &PgPool, login: &str) -> Result<Option<Candidate>, sqlx::Error> {
    // PostgreSQL fails on a text with NUL, which is nobody's login.
    if login.contains('\0') {
        return Ok(None);
    }
    let lock = sqlx::postgres::types::PgInterval::try_from(LOCKED_FOR)
        .expect("a quarter of an hour has no nanoseconds");
    let row = sqlx::query!(
        "UPDATE account SET
             failed_attempts = CASE WHEN locked_until IS NULL THEN failed_attempts + 1 ELSE 1 END,
             locked_until = CASE WHEN locked_until IS NULL AND failed_attempts + 1 >= $2
                                 THEN now() + $3::interval END
         WHERE login = $1 AND disabled_at IS NULL AND (locked_until IS NULL OR locked_until <= now())
           AND (office_id IS NULL OR EXISTS (
               SELECT FROM office WHERE office.office_id = account.office_id AND status = 'active'))
         RETURNING account_id, role, office_id, display_name, password_hash",
        login,
        FAILURES_TO_LOCK,
        lock,
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        let role = role(&row.role, row.office_id.as_deref())?;
        Ok(Candidate {
            person: Person {
                account_id: row.account_id,
                role,
            },
            display_name: row.display_name,
            password_hash: row.password_hash,
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

fn role(code: &str, office_id: Option<&str>) -> Result<Role, sqlx::Error> {
    let office_id = office_id
        .map(str::parse)
        .transpose()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    code.parse()
        .and_then(|kind| Role::new(kind, office_id))
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
