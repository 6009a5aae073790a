//! Join tokens, the certificates given for them, and what was revoked.

use std::collections::HashSet;

use linkage::office::OfficeId;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use time::OffsetDateTime;

use crate::identity::Serial;
use crate::identity::authority::OfficeCertificate;

/// A join token that has not ended, of an office that takes part.
#[derive(Debug)]
pub struct JoinToken {
    pub office_id: OfficeId,
    /// Chinese name.
    pub office_name: String,
    /// SHA-256 of the SubjectPublicKeyInfo that used it first.
    pub used_by_key: Option<Vec<u8>>,
}

/// Everything that is revoked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    pub offices: HashSet<OfficeId>,
    /// Certificates that have not ended by themselves.
    pub serials: HashSet<Serial>,
}

/// Stores a token's hash. Returns false when there is no such office or it is revoked.
pub async fn insert_join_token(
    pool: &PgPool,
    token_hash: &[u8; 32],
    office_id: OfficeId,
    expires_at: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "INSERT INTO join_token (token_hash, office_id, expires_at)
         SELECT $1, office_id, $3 FROM office WHERE office_id = $2 AND status = 'active'",
        token_hash.as_slice(),
        office_id.as_str(),
        expires_at,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Reads a token that can still be used and keeps others from using it until the transaction ends.
pub async fn lock_join_token(
    tx: &mut PgTransaction<'_>,
    token_hash: &[u8; 32],
) -> Result<Option<JoinToken>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT office.office_id, office.name, join_token.used_by_key
         FROM join_token JOIN office USING (office_id)
         WHERE token_hash = $1 AND expires_at > now() AND office.status = 'active'
         FOR UPDATE OF join_token",
        token_hash.as_slice(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|row| {
        Ok(JoinToken {
            office_id: office_id(&row.office_id)?,
            office_name: row.name,
            used_by_key: row.used_by_key,
        })
    })
    .transpose()
}

/// Binds a token to the key that used it first.
pub async fn mark_join_token_used(
    tx: &mut PgTransaction<'_>,
    token_hash: &[u8; 32],
    key_hash: &[u8; 32],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE join_token SET used_by_key = $2, used_at = coalesce(used_at, now())
         WHERE token_hash = $1",
        token_hash.as_slice(),
        key_hash.as_slice(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Records a certificate, which happens before it is handed out.
pub async fn insert(
    database: impl PgExecutor<'_>,
    office_id: OfficeId,
    certificate: &OfficeCertificate,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO certificate (serial, office_id, key_hash, not_before, not_after)
         VALUES ($1, $2, $3, $4, $5)",
        certificate.serial.as_bytes().as_slice(),
        office_id.as_str(),
        certificate.key_hash.as_slice(),
        certificate.not_before,
        certificate.not_after,
    )
    .execute(database)
    .await?;
    Ok(())
}

/// Reads what is revoked now.
pub async fn revoked(pool: &PgPool) -> Result<Revoked, sqlx::Error> {
    let offices = sqlx::query_scalar!("SELECT office_id FROM office WHERE status = 'revoked'")
        .fetch_all(pool)
        .await?;
    let serials = sqlx::query_scalar!(
        "SELECT serial FROM certificate WHERE revoked_at IS NOT NULL AND not_after > now()"
    )
    .fetch_all(pool)
    .await?;
    Ok(Revoked {
        offices: offices
            .iter()
            .map(|id| office_id(id))
            .collect::<Result<_, _>>()?,
        serials: serials
            .iter()
            .map(|serial| {
                Serial::try_from(serial.as_slice())
                    .map_err(|error| sqlx::Error::Decode(Box::new(error)))
            })
            .collect::<Result<_, _>>()?,
    })
}

fn office_id(text: &str) -> Result<OfficeId, sqlx::Error> {
    text.parse()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
