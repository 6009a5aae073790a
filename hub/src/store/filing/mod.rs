//! `filing`: what offices handed in that is not a case, as it is read. [`record`] writes it.
//!
//! | module | holds |
//! |---|---|
//! | [`assessment`] | self-assessments of windows |
//! | [`missing`] | periodic filings that never came |
//! | [`record`] | what recording a filing writes |
//! | [`revision`] | what a filing said before it was corrected, and correcting it |

pub mod assessment;
pub mod missing;
pub mod record;
pub mod revision;

use linkage::office::OfficeId;
use serde::Serialize;
use sqlx::{PgConnection, PgPool, query, query_scalar};
use time::{Date, OffsetDateTime};
use utoipa::ToSchema;
use uuid::Uuid;

use super::decode::{decode_error, parse};
use crate::filing::body::Body;
use crate::filing::{Filing, FilingKind, Known};
use crate::local_time::local_day;

/// What the hub knows of what a filing is about. Its own knowledge: whoever files is told a day at most.
pub async fn known(pool: &PgPool, filing: &Filing) -> Result<Known, sqlx::Error> {
    let office_id = filing.office_id.as_str();
    if let Some(about) = filing.body.closes() {
        let closed = query!(
            r#"SELECT kind, happened_on AS "happened_on!" FROM filing
                WHERE office_id = $1 AND filing_id = $2 AND happened_on IS NOT NULL"#,
            office_id,
            about,
        )
        .fetch_optional(pool)
        .await?;
        return Ok(match closed {
            Some(row) => Known::Grievance(parse(&row.kind)?, row.happened_on),
            None => Known::Nothing,
        });
    }
    let day = query_scalar!(
        r#"SELECT CASE $3 WHEN 'major_case_report' THEN accepted_on
                          WHEN 'refusal' THEN CASE WHEN state = 'refused' THEN closed_on END
                          WHEN 'accountability' THEN CASE WHEN state IN ('corrected', 'revoked') THEN closed_on END
                   END
             FROM case_record WHERE office_id = $1 AND source_case_id = $2"#,
        office_id,
        filing.source_case_id.as_deref(),
        filing.body.kind().code(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(day.flatten().map_or(Known::Nothing, Known::Case))
}

/// A filing as it is listed.
#[derive(Clone, Debug)]
pub struct Filed {
    pub office_id: OfficeId,
    pub filing_id: Uuid,
    pub body: Body,
    pub source_case_id: Option<String>,
    pub text: String,
    pub recorded_at: OffsetDateTime,
    pub due_on: Option<Date>,
    pub late: bool,
    pub filed_by: Option<Uuid>,
    /// The day on which the hub received the outcome of a complaint or a review.
    pub closed_on: Option<Date>,
    /// 1 until it is corrected.
    pub revision: i32,
    pub corrected_at: Option<OffsetDateTime>,
}

/// Filings, the newest first, behind a time.
pub async fn list(
    connection: &mut PgConnection,
    office_id: Option<OfficeId>,
    kind: Option<FilingKind>,
    behind: Option<(OffsetDateTime, Uuid)>,
    most: i64,
) -> Result<Vec<Filed>, sqlx::Error> {
    let (at, id) = behind.unzip();
    let rows = query!(
        r#"SELECT f.office_id, f.filing_id, f.kind, f.detail, f.source_case_id, f.text, f.recorded_at, f.due_on, f.filed_by,
                  f.revision, f.corrected_at,
                  (SELECT min(o.recorded_at) FROM filing o
                    WHERE o.office_id = f.office_id AND o.about = f.filing_id) AS closed_at
             FROM filing f
            WHERE ($1::text IS NULL OR f.office_id = $1) AND ($2::text IS NULL OR f.kind = $2)
              AND ($3::timestamptz IS NULL OR (f.recorded_at, f.filing_id) < ($3, $4::uuid))
            ORDER BY f.recorded_at DESC, f.filing_id DESC LIMIT $5"#,
        office_id.as_ref().map(OfficeId::as_str),
        kind.map(FilingKind::code),
        at,
        id,
        most,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Filed {
                office_id: parse(&row.office_id)?,
                filing_id: row.filing_id,
                body: body(&row.kind, row.detail)?,
                source_case_id: row.source_case_id,
                text: row.text,
                recorded_at: row.recorded_at,
                due_on: row.due_on,
                late: row
                    .due_on
                    .is_some_and(|due| local_day(row.recorded_at) > due),
                filed_by: row.filed_by,
                closed_on: row.closed_at.map(local_day),
                revision: row.revision,
                corrected_at: row.corrected_at,
            })
        })
        .collect()
}

/// How many filings of a kind came, and how many of them late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FilingCount {
    #[schema(value_type = String)]
    pub office_id: OfficeId,
    pub kind: FilingKind,
    pub filed: i64,
    pub late: i64,
}

/// Counts by office and kind, of what was recorded between two days.
pub async fn counts(
    connection: &mut PgConnection,
    office_id: Option<OfficeId>,
    from: Option<Date>,
    to: Option<Date>,
) -> Result<Vec<FilingCount>, sqlx::Error> {
    let rows = query!(
        r#"SELECT office_id, kind, count(*) AS "filed!", count(*) FILTER (WHERE recorded_on > due_on) AS "late!"
             FROM (SELECT office_id, kind, due_on, (recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS recorded_on
                     FROM filing) AS f
            WHERE ($1::text IS NULL OR office_id = $1) AND ($2::date IS NULL OR recorded_on >= $2)
              AND ($3::date IS NULL OR recorded_on <= $3)
            GROUP BY office_id, kind ORDER BY office_id, kind"#,
        office_id.as_ref().map(OfficeId::as_str),
        from,
        to,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(FilingCount {
                office_id: parse(&row.office_id)?,
                kind: parse(&row.kind)?,
                filed: row.filed,
                late: row.late,
            })
        })
        .collect()
}

/// A filing of before details were kept has its kind alone.
fn body(kind: &str, detail: serde_json::Value) -> Result<Body, sqlx::Error> {
    match detail.get("kind") {
        Some(_) => serde_json::from_value(detail).map_err(decode_error),
        None => Body::parse(parse(kind)?, "").map_err(decode_error),
    }
}
