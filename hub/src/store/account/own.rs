//! `person_session`, `account_change`: what people see of their own accounts.

use std::collections::HashMap;
use std::net::IpAddr;

use sqlx::{PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::identity::account::own_account::{Change, ChangedBy, Door};
use crate::store::account::Owner;
use crate::store::decode::{decode_error, parse};

/// A session that begins.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    pub session_id: Uuid,
    pub account_id: Uuid,
    pub generation: i32,
    pub door: Door,
    pub from: Option<IpAddr>,
    pub ends_at: OffsetDateTime,
}

/// Notes a session, and forgets those of long ago. A sign-in takes the attempts that were refused since the one before; a
/// session that goes on after a change leaves them to it, or whoever holds a stolen one could wear them away.
pub async fn begin_session(pool: &PgPool, begun: &Begun) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "WITH long_over AS (DELETE FROM person_session WHERE ends_at < now() - interval '90 days'),
              before AS (
                  UPDATE account a SET refused = 0
                    FROM (SELECT account_id, refused FROM account WHERE account_id = $2 FOR UPDATE) AS b
                   WHERE a.account_id = b.account_id AND $7 RETURNING b.refused)
         INSERT INTO person_session (session_id, account_id, generation, door, address, ends_at, refused)
         SELECT $1, $2, $3, $4, $5, $6, coalesce((SELECT refused FROM before), 0)",
        begun.session_id,
        begun.account_id,
        begun.generation,
        begun.door.code(),
        begun.from.map(|address| address.to_string()),
        begun.ends_at,
        begun.door != Door::Change,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Counts an attempt that was refused. Returns the account, or nothing when the login is nobody's. It does not wait for the
/// disk: how long it takes would tell whether there is such a login.
pub async fn count_refusal(pool: &PgPool, login: &str) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "UPDATE account SET refused = refused + 1
          WHERE login = $1 AND set_config('synchronous_commit', 'off', true) = 'off' RETURNING account_id",
        login
    )
    .fetch_optional(pool)
    .await
}

/// Counts so many by login. Returns the accounts with how many it was for each; of a login that is nobody's there is none.
pub async fn count_refusals(
    pool: &PgPool,
    by_login: &HashMap<String, u64>,
) -> Result<Vec<(Uuid, u64)>, sqlx::Error> {
    if by_login.is_empty() {
        return Ok(Vec::new());
    }
    // In one order at every hub: two that count the same logins wait for each other and no more.
    let mut by_login: Vec<_> = by_login.iter().collect();
    by_login.sort_unstable();
    let (logins, counts): (Vec<&str>, Vec<i64>) = by_login
        .into_iter()
        .map(|(login, count)| (login.as_str(), i64::try_from(*count).unwrap_or(i64::MAX)))
        .unzip();
    let rows = sqlx::query!(
        r#"UPDATE account a SET refused = least(a.refused + least(k.attempts, 1000000000), 2000000000)
             FROM unnest($1::text[], $2::bigint[]) AS k(login, attempts)
            WHERE a.login = k.login RETURNING a.account_id, k.attempts AS "attempts!""#,
        &logins as &[&str],
        &counts,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.account_id, row.attempts.unsigned_abs()))
        .collect())
}

/// The same at something that is for the account's owner alone.
pub async fn count_refusal_of(pool: &PgPool, account_id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE account SET refused = refused + 1 WHERE account_id = $1",
        account_id
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// A session as its owner sees it.
#[derive(Clone, Debug)]
pub struct OwnSession {
    pub session_id: Uuid,
    pub door: Door,
    pub address: Option<String>,
    pub begun_at: OffsetDateTime,
    pub ends_at: OffsetDateTime,
    /// Attempts that were refused since the sign-in before.
    pub refused: u32,
    pub is_open: bool,
}

/// The latest sessions of an account.
pub async fn sessions(
    pool: &PgPool,
    account_id: Uuid,
    most: i64,
) -> Result<Vec<OwnSession>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT s.session_id, s.door, s.address, s.begun_at, s.ends_at, s.refused,
                  s.ends_at > now() AND s.generation >= a.generation
                      AND NOT EXISTS (SELECT FROM ended_session e WHERE e.session_id = s.session_id) AS "is_open!"
             FROM person_session s JOIN account a USING (account_id)
            WHERE s.account_id = $1 ORDER BY s.begun_at DESC, s.session_id DESC LIMIT $2"#,
        account_id,
        most,
    )
    .fetch_all(pool)
    .await?;
    let sessions = rows.into_iter().map(|row| {
        Ok(OwnSession {
            session_id: row.session_id,
            door: parse(&row.door)?,
            address: row.address,
            begun_at: row.begun_at,
            ends_at: row.ends_at,
            refused: u32::try_from(row.refused).map_err(decode_error)?,
            is_open: row.is_open,
        })
    });
    sessions.collect()
}

/// Ends a session of the account on every hub, once or again; false when it has no such session.
pub async fn end_session(
    pool: &PgPool,
    account_id: Uuid,
    session_id: Uuid,
) -> Result<bool, sqlx::Error> {
    let ended = sqlx::query!(
        "INSERT INTO ended_session (session_id, ends_at)
         SELECT session_id, ends_at FROM person_session WHERE account_id = $1 AND session_id = $2
         ON CONFLICT (session_id) DO UPDATE SET ends_at = excluded.ends_at",
        account_id,
        session_id,
    )
    .execute(pool)
    .await?;
    Ok(ended.rows_affected() == 1)
}

/// Ends all sessions of the account. Returns the owner, with the generation of those that follow; nothing when the
/// account may have none.
pub async fn end_all(pool: &PgPool, account_id: Uuid) -> Result<Option<Owner>, sqlx::Error> {
    let row = sqlx::query!(
        "WITH ended AS (
             UPDATE account SET generation = generation + 1, generation_at = now()
              WHERE account_id = $1 AND disabled_at IS NULL
              RETURNING account_id, role, office_id, display_name, generation),
             noted AS (
                 INSERT INTO account_change (account_id, change, changed_by) SELECT account_id, $2, $3 FROM ended)
         SELECT role, office_id, display_name, generation FROM ended",
        account_id,
        Change::SessionsEnded.code(),
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

/// An account as its owner sees it.
#[derive(Clone, Debug)]
pub struct OwnAccount {
    pub login: String,
    pub second_factor: bool,
    /// Recovery codes that were not used yet.
    pub recovery_codes: i64,
}

/// Nothing when there is no such account.
pub async fn read(pool: &PgPool, account_id: Uuid) -> Result<Option<OwnAccount>, sqlx::Error> {
    sqlx::query_as!(
        OwnAccount,
        r#"SELECT login, totp_secret IS NOT NULL AS "second_factor!",
                  (SELECT count(*) FROM recovery_code r WHERE r.account_id = account.account_id) AS "recovery_codes!"
             FROM account WHERE account_id = $1"#,
        account_id,
    )
    .fetch_optional(pool)
    .await
}

/// What was changed about an account.
#[derive(Clone, Copy, Debug)]
pub struct Changed {
    pub change: Change,
    pub by: ChangedBy,
    pub at: OffsetDateTime,
}

/// Notes a change.
pub async fn note_change(
    executor: impl PgExecutor<'_>,
    account_id: Uuid,
    change: Change,
    by: ChangedBy,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO account_change (account_id, change, changed_by) VALUES ($1, $2, $3)",
        account_id,
        change.code(),
        by.code(),
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// The latest changes of an account.
pub async fn changes(
    pool: &PgPool,
    account_id: Uuid,
    most: i64,
) -> Result<Vec<Changed>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT change, changed_by, changed_at FROM account_change
          WHERE account_id = $1 ORDER BY change_id DESC LIMIT $2",
        account_id,
        most,
    )
    .fetch_all(pool)
    .await?;
    let changes = rows.into_iter().map(|row| {
        Ok(Changed {
            change: parse(&row.change)?,
            by: parse(&row.changed_by)?,
            at: row.changed_at,
        })
    });
    changes.collect()
}
