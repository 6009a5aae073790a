//! `token_key_change`: changes of the city's token key, and which offices have come how far in one.

use linkage::office::OfficeId;
use serde::Serialize;
use sqlx::{PgPool, query, query_scalar};
use time::OffsetDateTime;

use super::decode::{decode_error, parse};

/// An office that takes part, in a change of the key.
#[derive(Clone, Debug, Serialize)]
pub struct OfficeStanding {
    pub office_id: OfficeId,
    /// Whether its agent had the next key when it last opened a stream.
    pub has_next: bool,
    /// When its agent was last there; `None` when it never was.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_seen_at: Option<OffsetDateTime>,
}

/// Begins a change: gives the next key an id that none ever had, above all that are known here and `known` elsewhere.
/// `None` when a change is under way.
pub async fn begin(pool: &PgPool, known: u32, algorithm: &str) -> Result<Option<u32>, sqlx::Error> {
    let id = query_scalar!(
        r#"INSERT INTO token_key_change (key_id, algorithm)
           SELECT greatest($1, coalesce(max(key_id), 0)) + 1, $2 FROM token_key_change
           ON CONFLICT DO NOTHING
           RETURNING key_id"#,
        stored_id(known)?,
        algorithm,
    )
    .fetch_optional(pool)
    .await?;
    id.map(key_id).transpose()
}

/// The id of the key that is to follow, while a change is under way.
pub async fn under_way(pool: &PgPool) -> Result<Option<u32>, sqlx::Error> {
    let id = query_scalar!("SELECT key_id FROM token_key_change WHERE withdrawn_at IS NULL")
        .fetch_optional(pool)
        .await?;
    id.map(key_id).transpose()
}

/// Takes the change that is under way back. Returns the id of its key; `None` when there is none.
pub async fn withdraw(pool: &PgPool) -> Result<Option<u32>, sqlx::Error> {
    let id = query_scalar!(
        "UPDATE token_key_change SET withdrawn_at = now() WHERE withdrawn_at IS NULL RETURNING key_id"
    )
    .fetch_optional(pool)
    .await?;
    id.map(key_id).transpose()
}

/// Every office that takes part, by its id.
pub async fn offices(pool: &PgPool, next: u32) -> Result<Vec<OfficeStanding>, sqlx::Error> {
    let rows = query!(
        r#"SELECT o.office_id, s.next_token_key = $1 AS has_next, s.last_seen_at AS "last_seen_at?"
             FROM office o LEFT JOIN sync_position s USING (office_id)
            WHERE o.status = 'active'
            ORDER BY o.office_id"#,
        stored_id(next)?,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(OfficeStanding {
                office_id: parse(&row.office_id)?,
                has_next: row.has_next.unwrap_or(false),
                last_seen_at: row.last_seen_at,
            })
        })
        .collect()
}

fn key_id(stored: i32) -> Result<u32, sqlx::Error> {
    u32::try_from(stored).map_err(decode_error)
}

fn stored_id(key_id: u32) -> Result<i32, sqlx::Error> {
    i32::try_from(key_id).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}
