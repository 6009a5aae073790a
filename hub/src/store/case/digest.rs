//! Digests over `case_record`, for reconciliation with what an office has sent.

use linkage::office::OfficeId;
use sqlx::{PgConnection, query};
use time::Date;

use crate::case::ContentHash;
use crate::store::decode::decode_error;

/// The cases of one month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthDigest {
    pub month: Date,
    pub cases: u64,
    /// Exclusive-or of their content hashes.
    pub digest: [u8; 16],
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseDigest {
    pub source_case_id: String,
    pub revision: i64,
    pub content_hash: ContentHash,
}

/// Differences that an office's agent found by comparing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Cases that the hub should hold and does not.
    pub missing: i64,
    /// Cases of which it holds other content.
    pub differing: i64,
    /// Cases that it holds and the agent does not know.
    pub only_at_hub: i64,
}

/// Keeps what an office's agent found just now.
pub async fn keep_drift(
    connection: &mut PgConnection,
    office_id: OfficeId,
    drift: Drift,
) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE sync_position SET compared_at = now(), drift_missing = $2, drift_differing = $3, drift_only_at_hub = $4
          WHERE office_id = $1",
        office_id.as_str(),
        drift.missing,
        drift.differing,
        drift.only_at_hub,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Digests of an office's cases by the month of acceptance, or else of application, or else `no_month`.
pub async fn by_month(
    connection: &mut PgConnection,
    office_id: OfficeId,
    no_month: Date,
) -> Result<Vec<MonthDigest>, sqlx::Error> {
    // PostgreSQL has an exclusive-or of integers, not of bytea: the halves are taken as such.
    let rows = query!(
        r#"SELECT coalesce(date_trunc('month', coalesce(accepted_on, applied_on)::timestamp)::date, $2) AS "month!",
                  count(*) AS "cases!",
                  bit_xor(('x' || encode(substr(content_hash, 1, 8), 'hex'))::bit(64)::bigint) AS "upper!",
                  bit_xor(('x' || encode(substr(content_hash, 9, 8), 'hex'))::bit(64)::bigint) AS "lower!"
             FROM case_record WHERE office_id = $1 GROUP BY 1 ORDER BY 1"#,
        office_id.as_str(),
        no_month,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let mut digest = [0; 16];
            digest[..8].copy_from_slice(&row.upper.to_be_bytes());
            digest[8..].copy_from_slice(&row.lower.to_be_bytes());
            Ok(MonthDigest {
                month: row.month,
                cases: u64::try_from(row.cases).map_err(decode_error)?,
                digest,
            })
        })
        .collect()
}

/// Every case of the given months, by key.
pub async fn by_case(
    connection: &mut PgConnection,
    office_id: OfficeId,
    months: &[Date],
    no_month: Date,
) -> Result<Vec<CaseDigest>, sqlx::Error> {
    let rows = query!(
        r#"SELECT source_case_id, revision, content_hash FROM case_record
            WHERE office_id = $1
              AND coalesce(date_trunc('month', coalesce(accepted_on, applied_on)::timestamp)::date, $3) = ANY($2)
            ORDER BY source_case_id"#,
        office_id.as_str(),
        months,
        no_month,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(CaseDigest {
                source_case_id: row.source_case_id,
                revision: row.revision,
                content_hash: ContentHash::try_from(row.content_hash.as_slice())
                    .map_err(decode_error)?,
            })
        })
        .collect()
}
