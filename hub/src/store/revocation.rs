//! Who may no longer speak: offices, certificates, people's sessions.

use std::collections::{HashMap, HashSet};

use linkage::office::OfficeId;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::identity::Serial;

/// Everything that is revoked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    pub offices: HashSet<OfficeId>,
    /// Certificates that have not ended by themselves.
    pub serials: HashSet<Serial>,
    /// Sessions ended by signing out.
    pub sessions: HashSet<Uuid>,
    /// Accounts whose earlier sessions are over, with the first generation that is not.
    pub generations: HashMap<Uuid, i32>,
}

/// Reads what is revoked now. A day covers the longest session a configuration can allow.
pub async fn read(pool: &PgPool) -> Result<Revoked, sqlx::Error> {
    let offices = sqlx::query_scalar!("SELECT office_id FROM office WHERE status = 'revoked'")
        .fetch_all(pool)
        .await?;
    let serials = sqlx::query_scalar!(
        "SELECT serial FROM certificate WHERE revoked_at IS NOT NULL AND not_after > now()"
    )
    .fetch_all(pool)
    .await?;
    let sessions = sqlx::query_scalar!(
        "SELECT session_id FROM ended_session WHERE ends_at > now() - interval '1 minute'"
    )
    .fetch_all(pool)
    .await?;
    let generations = sqlx::query!(
        "SELECT account_id, generation FROM account WHERE generation_at > now() - interval '25 hours'"
    )
    .fetch_all(pool)
    .await?;
    Ok(Revoked {
        offices: offices
            .iter()
            .map(|id| id.parse().map_err(|error| decode(Box::new(error))))
            .collect::<Result<_, _>>()?,
        serials: serials
            .iter()
            .map(|serial| {
                Serial::try_from(serial.as_slice()).map_err(|error| decode(Box::new(error)))
            })
            .collect::<Result<_, _>>()?,
        sessions: sessions.into_iter().collect(),
        generations: generations
            .into_iter()
            .map(|row| (row.account_id, row.generation))
            .collect(),
    })
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
