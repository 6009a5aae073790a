//! Offices (公证处).
//!
//! | module | holds |
//! |---|---|
//! | [`certificate`] | join tokens, and the certificates given for them |
//! | [`revocation`] | who may no longer speak |
//! | [`structure`] | what offices were from one day to the next |

pub mod certificate;
pub mod revocation;
pub mod structure;

use std::str::FromStr;

use linkage::office::OfficeId;
use linkage::place::DistrictCode;
use serde::Serialize;
use sqlx::{PgExecutor, PgPool};
use time::OffsetDateTime;

use super::decode::parse;

/// Municipal (市属) or county (县(市)区).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Municipal,
    County,
}

impl Level {
    pub const ALL: [Self; 2] = [Self::Municipal, Self::County];

    pub const fn code(self) -> &'static str {
        match self {
            Self::Municipal => "municipal",
            Self::County => "county",
        }
    }

    /// Chinese name.
    pub const fn label_zh(self) -> &'static str {
        match self {
            Self::Municipal => "市属",
            Self::County => "县（市、区）属",
        }
    }
}

/// A text that is no level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such level; there are municipal and county")]
pub struct UnknownLevel;

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(code: &str) -> Result<Self, UnknownLevel> {
        let known = Self::ALL.into_iter().find(|level| level.code() == code);
        known.ok_or(UnknownLevel)
    }
}

/// An office to be added.
#[derive(Clone, Debug)]
pub struct NewOffice {
    pub office_id: OfficeId,
    /// Chinese name.
    pub name: String,
    pub level: Level,
    pub district: DistrictCode,
}

/// An office as listed.
#[derive(Clone, Debug, Serialize)]
pub struct Office {
    pub office_id: OfficeId,
    pub name: String,
    pub level: Level,
    /// GB/T 2260.
    pub district_code: DistrictCode,
    pub revoked: bool,
    /// End of its newest certificate.
    #[serde(with = "time::serde::rfc3339::option")]
    pub certified_until: Option<OffsetDateTime>,
    /// When it last renewed a certificate that had ended.
    #[serde(with = "time::serde::rfc3339::option")]
    pub renewed_late_at: Option<OffsetDateTime>,
    /// Whether it can do so again.
    pub late_renewal_refused: bool,
}

/// Adds an office. Returns false when there is one of this id already.
pub async fn insert(pool: &PgPool, office: &NewOffice) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "INSERT INTO office (office_id, name, level, district_code) VALUES ($1, $2, $3, $4)
         ON CONFLICT (office_id) DO NOTHING",
        office.office_id.as_str(),
        office.name,
        office.level.code(),
        office.district.as_str(),
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What an office is called.
pub async fn name(pool: &PgPool, office_id: OfficeId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT name FROM office WHERE office_id = $1",
        office_id.as_str()
    )
    .fetch_optional(pool)
    .await
}

/// All offices by id.
pub async fn list(executor: impl PgExecutor<'_>) -> Result<Vec<Office>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT office_id, name, level, district_code, status = 'revoked' AS "revoked!",
                  (SELECT not_after FROM certificate WHERE certificate.office_id = office.office_id
                   ORDER BY issued_at DESC LIMIT 1) AS certified_until,
                  (SELECT max(issued_at) FROM certificate
                   WHERE certificate.office_id = office.office_id AND late) AS renewed_late_at,
                  late_renewal_refused_at IS NOT NULL AS "late_renewal_refused!"
           FROM office ORDER BY office_id"#
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Office {
                office_id: parse(&row.office_id)?,
                level: parse(&row.level)?,
                name: row.name,
                district_code: parse(&row.district_code)?,
                revoked: row.revoked,
                certified_until: row.certified_until,
                renewed_late_at: row.renewed_late_at,
                late_renewal_refused: row.late_renewal_refused,
            })
        })
        .collect()
}

/// Takes an office's right to take part. Returns false when there is no such office.
pub async fn revoke(pool: &PgPool, office_id: OfficeId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE office SET status = 'revoked', revoked_at = coalesce(revoked_at, now())
         WHERE office_id = $1",
        office_id.as_str(),
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Says whether an office may renew a certificate that has ended. Returns false when there is no such office.
pub async fn refuse_late_renewal(
    pool: &PgPool,
    office_id: OfficeId,
    refuse: bool,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE office SET late_renewal_refused_at =
                CASE WHEN $2 THEN coalesce(late_renewal_refused_at, now()) END
         WHERE office_id = $1",
        office_id.as_str(),
        refuse,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}
