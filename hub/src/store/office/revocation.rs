//! Who may no longer speak: offices, certificates, people's sessions.

use std::collections::{HashMap, HashSet};

use linkage::office::OfficeId;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::identity::Serial;
use crate::identity::account::own_account::{Change, ChangedBy};
use crate::store::tx::tx;

/// Everything that is revoked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    pub offices: HashSet<OfficeId>,
    /// Certificates, also those that have ended: an ended one can still be renewed.
    pub serials: HashSet<Serial>,
    /// Sessions ended by signing out.
    pub sessions: HashSet<Uuid>,
    /// Accounts whose earlier sessions are over, with the first generation that is not.
    pub generations: HashMap<Uuid, i32>,
}

/// Reads what is revoked now, by one statement. A day covers the longest session a configuration can allow, a year the
/// longest time in which an ended certificate can be renewed.
pub async fn read(pool: &PgPool) -> Result<Revoked, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT ARRAY(SELECT office_id FROM office WHERE status = 'revoked') AS "offices!",
                  ARRAY(SELECT serial FROM certificate
                         WHERE revoked_at IS NOT NULL AND not_after > now() - interval '367 days') AS "serials!",
                  ARRAY(SELECT session_id FROM ended_session
                         WHERE ends_at > now() - interval '1 minute') AS "sessions!",
                  accounts AS "accounts!", generations AS "generations!"
             FROM (SELECT coalesce(array_agg(account_id), '{}') AS accounts,
                          coalesce(array_agg(generation), '{}') AS generations
                     FROM account WHERE generation_at > now() - interval '25 hours') AS changed"#
    )
    .fetch_one(pool)
    .await?;
    Ok(Revoked {
        offices: row
            .offices
            .iter()
            .map(|id| id.parse().map_err(|error| decode(Box::new(error))))
            .collect::<Result<_, _>>()?,
        serials: row
            .serials
            .iter()
            .map(|serial| {
                Serial::try_from(serial.as_slice()).map_err(|error| decode(Box::new(error)))
            })
            .collect::<Result<_, _>>()?,
        sessions: row.sessions.into_iter().collect(),
        generations: row.accounts.into_iter().zip(row.generations).collect(),
    })
}

/// Takes certificates of an office back: that of `since` and all that were issued after it, or all there are. What was
/// renewed with one of them is among those issued after it. Join tokens that their keys have used end as well. Returns
/// how many were taken back now, or nothing when the office has no such certificate.
pub async fn take_back(
    pool: &PgPool,
    office_id: OfficeId,
    since: Option<Serial>,
) -> Result<Option<u64>, sqlx::Error> {
    let since = since.as_ref().map(|serial| serial.as_bytes().as_slice());
    tx(pool, "identity.take_back", async move |tx| {
        // A renewal that is under way is either seen here, or sees this: see `Enrolment::renew`.
        sqlx::query!("LOCK TABLE certificate IN SHARE ROW EXCLUSIVE MODE")
            .execute(&mut **tx)
            .await?;
        let first = sqlx::query_scalar!(
            "SELECT min(issued_at) FROM certificate WHERE office_id = $1 AND serial = coalesce($2, serial)",
            office_id.as_str(),
            since,
        )
        .fetch_one(&mut **tx)
        .await?;
        let Some(first) = first else {
            return Ok(None);
        };
        let taken = sqlx::query!(
            "UPDATE certificate SET revoked_at = now()
             WHERE office_id = $1 AND issued_at >= $2 AND revoked_at IS NULL",
            office_id.as_str(),
            first,
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "UPDATE join_token SET expires_at = now()
             WHERE office_id = $1 AND expires_at > now() AND used_by_key IN (
                 SELECT key_hash FROM certificate WHERE office_id = $1 AND revoked_at IS NOT NULL)",
            office_id.as_str(),
        )
        .execute(&mut **tx)
        .await?;
        Ok(Some(taken.rows_affected()))
    })
    .await
}

/// What came of lifting an office's revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reinstatement {
    /// It takes part again; so many certificates that would be good with it were taken back.
    Done {
        certificates: u64,
    },
    NotRevoked,
    NoOffice,
}

/// Lets a revoked office take part again, with nothing of before: whoever has one of its certificates, join tokens or
/// sessions has it since before the revocation, and nobody knows any more who that is.
pub async fn reinstate(pool: &PgPool, office_id: OfficeId) -> Result<Reinstatement, sqlx::Error> {
    tx(pool, "identity.reinstate", async move |tx| {
        let revoked = sqlx::query_scalar!(
            r#"SELECT status = 'revoked' AS "revoked!" FROM office WHERE office_id = $1 FOR NO KEY UPDATE"#,
            office_id.as_str(),
        )
        .fetch_optional(&mut **tx)
        .await?;
        match revoked {
            None => return Ok(Reinstatement::NoOffice),
            Some(false) => return Ok(Reinstatement::NotRevoked),
            Some(true) => {}
        }
        // Tokens before certificates, as `Enrolment::enrol` takes them.
        sqlx::query!(
            "UPDATE join_token SET expires_at = now() WHERE office_id = $1 AND expires_at > now()",
            office_id.as_str(),
        )
        .execute(&mut **tx)
        .await?;
        // As in `take_back`.
        sqlx::query!("LOCK TABLE certificate IN SHARE ROW EXCLUSIVE MODE")
            .execute(&mut **tx)
            .await?;
        let taken = sqlx::query!(
            "UPDATE certificate SET revoked_at = now() WHERE office_id = $1 AND revoked_at IS NULL",
            office_id.as_str(),
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "WITH ended AS (
                 UPDATE account SET generation = generation + 1, generation_at = now()
                  WHERE office_id = $1 RETURNING account_id)
             INSERT INTO account_change (account_id, change, changed_by) SELECT account_id, $2, $3 FROM ended",
            office_id.as_str(),
            Change::SessionsEnded.code(),
            ChangedBy::Operator.code(),
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "INSERT INTO office_absence (office_id, revoked_at, reinstated_at)
             SELECT office_id, revoked_at, now() FROM office WHERE office_id = $1 AND revoked_at IS NOT NULL",
            office_id.as_str(),
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "UPDATE office SET status = 'active', revoked_at = NULL WHERE office_id = $1",
            office_id.as_str(),
        )
        .execute(&mut **tx)
        .await?;
        Ok(Reinstatement::Done {
            certificates: taken.rows_affected(),
        })
    })
    .await
}

/// Whether this certificate was taken back.
pub async fn is_taken_back(
    connection: &mut PgConnection,
    serial: Serial,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM certificate WHERE serial = $1 AND revoked_at IS NOT NULL) AS "revoked!""#,
        serial.as_bytes().as_slice(),
    )
    .fetch_one(connection)
    .await
}

/// Ends one session on every hub. Forgets those that have ended by themselves.
pub async fn end_session(
    pool: &PgPool,
    session_id: Uuid,
    ends_at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "WITH over AS (DELETE FROM ended_session WHERE ends_at < now() - interval '1 hour')
         INSERT INTO ended_session (session_id, ends_at) VALUES ($1, $2)
         ON CONFLICT (session_id) DO NOTHING",
        session_id,
        ends_at,
    )
    .execute(pool)
    .await?;
    Ok(())
}

fn decode(error: Box<dyn std::error::Error + Send + Sync>) -> sqlx::Error {
    sqlx::Error::Decode(error)
}
