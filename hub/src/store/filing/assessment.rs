//! Self-assessments of offices' windows among the filings (`filing` of the kind `self_assessment`).

use linkage::office::OfficeId;
use sqlx::{PgConnection, query, query_scalar};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::body;
use crate::filing::FilingKind;
use crate::filing::body::Body;
use crate::filing::window::{Answer, Score};
use crate::local_time::local_day;
use crate::store::decode::{decode_error, parse};

/// What an office said of its window on a day.
#[derive(Clone, Debug)]
pub struct Assessment {
    pub office_id: OfficeId,
    pub filing_id: Uuid,
    pub assessed_on: Date,
    pub recorded_at: OffsetDateTime,
    /// Whether the first of that day came late: a later one mends it.
    pub late: bool,
    pub answers: Vec<Answer>,
}

/// A self-assessment as it was filed.
#[derive(Clone, Debug)]
pub struct Filed {
    pub office_id: OfficeId,
    pub filing_id: Uuid,
    pub body: Body,
}

/// Says by what self-assessments are scored. Returns whether they were scored by something else.
pub async fn claim(connection: &mut PgConnection, basis: &str) -> Result<bool, sqlx::Error> {
    let due = query_scalar!(
        r#"UPDATE hub_state SET assessments_scored_by = $1
            WHERE assessments_scored_by IS DISTINCT FROM $1 RETURNING true AS "due!""#,
        basis,
    )
    .fetch_optional(connection)
    .await?;
    Ok(due.is_some())
}

/// The self-assessments of an office, or all, locked until the transaction ends.
pub async fn filed(
    connection: &mut PgConnection,
    office_id: Option<OfficeId>,
) -> Result<Vec<Filed>, sqlx::Error> {
    let rows = query!(
        r#"SELECT office_id, filing_id, kind, detail FROM filing
            WHERE kind = $1 AND ($2::text IS NULL OR office_id = $2) FOR UPDATE"#,
        FilingKind::SelfAssessment.code(),
        office_id.as_ref().map(OfficeId::as_str),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Filed {
                office_id: parse(&row.office_id)?,
                filing_id: row.filing_id,
                body: body(&row.kind, row.detail)?,
            })
        })
        .collect()
}

/// Keeps what self-assessments come to.
pub async fn put_scores(
    connection: &mut PgConnection,
    scores: &[(Filed, Score)],
) -> Result<(), sqlx::Error> {
    let offices: Vec<&str> = scores.iter().map(|(of, _)| of.office_id.as_str()).collect();
    let ids: Vec<Uuid> = scores.iter().map(|(of, _)| of.filing_id).collect();
    let met: Vec<i16> = scores.iter().map(|(_, score)| score.met as i16).collect();
    let of: Vec<i16> = scores.iter().map(|(_, score)| score.of as i16).collect();
    query!(
        r#"UPDATE filing f SET items_met = s.met, items = s.items
             FROM unnest($1::text[], $2::uuid[], $3::smallint[], $4::smallint[]) AS s (office_id, filing_id, met, items)
            WHERE f.office_id = s.office_id AND f.filing_id = s.filing_id"#,
        &offices as &[&str],
        &ids,
        &met,
        &of,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Assessments, the newest first; of several of one office and day the one that was recorded last.
pub async fn list(
    connection: &mut PgConnection,
    office_id: Option<OfficeId>,
) -> Result<Vec<Assessment>, sqlx::Error> {
    let rows = query!(
        r#"SELECT * FROM (
               SELECT DISTINCT ON (office_id, happened_on)
                      office_id, filing_id, happened_on AS "assessed_on!", recorded_at, due_on, detail,
                      min(recorded_at) OVER (PARTITION BY office_id, happened_on) AS "came_at!"
                 FROM filing
                WHERE kind = 'self_assessment' AND happened_on IS NOT NULL AND ($1::text IS NULL OR office_id = $1)
                ORDER BY office_id, happened_on, recorded_at DESC, filing_id DESC) AS newest
            ORDER BY "assessed_on!" DESC, office_id"#,
        office_id.as_ref().map(OfficeId::as_str),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let answers = match serde_json::from_value(row.detail).map_err(decode_error)? {
                Body::SelfAssessment { items, .. } => items,
                _ => Vec::new(),
            };
            Ok(Assessment {
                office_id: parse(&row.office_id)?,
                filing_id: row.filing_id,
                assessed_on: row.assessed_on,
                recorded_at: row.recorded_at,
                late: row.due_on.is_some_and(|due| local_day(row.came_at) > due),
                answers,
            })
        })
        .collect()
}
