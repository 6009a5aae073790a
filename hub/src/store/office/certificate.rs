//! Join tokens and the certificates given for them.

use linkage::office::OfficeId;
use serde::Serialize;
use sqlx::postgres::types::PgInterval;
use sqlx::{PgConnection, PgExecutor, PgPool, PgTransaction};
use time::OffsetDateTime;

use crate::identity::pki::authority::OfficeCertificate;

/// A join token that has not ended, of an office that takes part.
#[derive(Debug)]
pub struct JoinToken {
    pub office_id: OfficeId,
    /// Chinese name.
    pub office_name: String,
    /// SHA-256 of the SubjectPublicKeyInfo that used it first.
    pub used_by_key: Option<Vec<u8>>,
    /// `None`: nobody has said anything.
    pub decision: Option<Decision>,
}

/// What the bureau said of a key that asked to be enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Approved,
    Refused,
}

impl Decision {
    const fn code(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Refused => "refused",
        }
    }

    fn from_code(code: &str) -> Result<Self, sqlx::Error> {
        [Self::Approved, Self::Refused]
            .into_iter()
            .find(|decision| decision.code() == code)
            .ok_or_else(|| sqlx::Error::Decode("an unknown decision".into()))
    }
}

/// A key that asked to be enrolled and waits for the bureau.
#[derive(Clone, Debug, Serialize)]
pub struct PendingEnrolment {
    pub office_id: OfficeId,
    /// SHA-256 of the SubjectPublicKeyInfo, hexadecimal.
    pub key: String,
    #[serde(with = "time::serde::rfc3339")]
    pub asked_at: OffsetDateTime,
}

/// An office that could still speak with a certificate of a CA that is to be retired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StillChained {
    pub office_id: OfficeId,
    #[serde(with = "time::serde::rfc3339")]
    pub until: OffsetDateTime,
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
        "SELECT office.office_id, office.name, join_token.used_by_key, join_token.decision
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
            decision: row
                .decision
                .as_deref()
                .map(Decision::from_code)
                .transpose()?,
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

/// Keys that wait for the bureau, the longest waiting first.
pub async fn pending_enrolments(pool: &PgPool) -> Result<Vec<PendingEnrolment>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT office_id, used_by_key AS "key!", used_at AS "asked_at!"
           FROM join_token JOIN office USING (office_id)
           WHERE used_by_key IS NOT NULL AND decision IS NULL AND expires_at > now()
             AND office.status = 'active'
             AND NOT EXISTS (SELECT FROM certificate WHERE certificate.office_id = join_token.office_id
                             AND certificate.key_hash = join_token.used_by_key)
           ORDER BY used_at"#
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(PendingEnrolment {
                office_id: office_id(&row.office_id)?,
                key: data_encoding::HEXLOWER.encode(&row.key),
                asked_at: row.asked_at,
            })
        })
        .collect()
}

/// Decides about a key that waits for an office: who vouched for it vouched for that office alone. An approved one has at
/// least a day to come back. Returns false when the key does not wait for this office.
pub async fn decide(
    pool: &PgPool,
    office_id: OfficeId,
    key_hash: &[u8],
    decision: Decision,
) -> Result<bool, sqlx::Error> {
    let decided = sqlx::query!(
        "UPDATE join_token SET decision = $3, decided_at = now(),
                expires_at = CASE WHEN $3 = 'approved'
                                  THEN greatest(expires_at, now() + interval '1 day') ELSE expires_at END
         WHERE office_id = $1 AND used_by_key = $2 AND decision IS NULL AND expires_at > now()",
        office_id.as_str(),
        key_hash,
        decision.code(),
    )
    .execute(pool)
    .await?;
    Ok(decided.rows_affected() > 0)
}

/// Whether a key asked for another office, or was certified for one.
pub async fn is_key_of_another(
    tx: &mut PgTransaction<'_>,
    office_id: OfficeId,
    key_hash: &[u8; 32],
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM join_token WHERE used_by_key = $2 AND office_id <> $1)
               OR EXISTS (SELECT FROM certificate WHERE key_hash = $2 AND office_id <> $1) AS "another!""#,
        office_id.as_str(),
        key_hash.as_slice(),
    )
    .fetch_one(&mut **tx)
    .await
}

/// Records a certificate, which happens before it is handed out. `late`: its predecessor had ended.
pub async fn insert(
    database: impl PgExecutor<'_>,
    office_id: OfficeId,
    certificate: &OfficeCertificate,
    late: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO certificate (serial, office_id, key_hash, not_before, not_after, issuer, late)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        certificate.serial.as_bytes().as_slice(),
        office_id.as_str(),
        certificate.key_hash.as_slice(),
        certificate.not_before,
        certificate.not_after,
        certificate.issuer.as_slice(),
        late,
    )
    .execute(database)
    .await?;
    Ok(())
}

/// Offices that could still speak, or renew within `grace`, with a certificate of another CA than `issuer`. An
/// ended certificate whose office has a newer one is of the past.
pub async fn still_chained_elsewhere(
    pool: &PgPool,
    issuer: &[u8; 32],
    grace: PgInterval,
) -> Result<Vec<StillChained>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT office_id,
                  max(CASE WHEN newest THEN not_after + $2::interval ELSE not_after END) AS "until!"
           FROM (SELECT office_id, not_after, issuer, revoked_at,
                        issued_at = max(issued_at) OVER (PARTITION BY office_id) AS newest
                 FROM certificate) AS certificate
                JOIN office USING (office_id)
           WHERE office.status = 'active' AND certificate.revoked_at IS NULL
             AND issuer IS DISTINCT FROM $1
             AND (not_after > now() OR (newest AND not_after + $2::interval > now()))
           GROUP BY office_id ORDER BY office_id"#,
        issuer.as_slice(),
        grace,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(StillChained {
                office_id: office_id(&row.office_id)?,
                until: row.until,
            })
        })
        .collect()
}

/// Whether the bureau has said that an ended certificate of this office is not to be renewed.
pub async fn late_renewal_refused(
    connection: &mut PgConnection,
    office_id: OfficeId,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT late_renewal_refused_at IS NOT NULL AS "refused!" FROM office WHERE office_id = $1"#,
        office_id.as_str(),
    )
    .fetch_one(connection)
    .await
}

fn office_id(text: &str) -> Result<OfficeId, sqlx::Error> {
    text.parse()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
