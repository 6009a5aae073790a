//! Self-assessments of offices' windows among the filings (`filing` of the kind `self_assessment`).

use std::collections::HashMap;

use linkage::office::OfficeId;
use sqlx::{PgConnection, query};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::filing::body::Body;
use crate::filing::window::Answer;
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

/// The offices that take part, each with the day since when it does.
pub async fn taking_part(
    connection: &mut PgConnection,
) -> Result<HashMap<OfficeId, Date>, sqlx::Error> {
    let rows = query!("SELECT office_id, created_at FROM office WHERE status = 'active'")
        .fetch_all(connection)
        .await?;
    rows.into_iter()
        .map(|row| Ok((parse(&row.office_id)?, local_day(row.created_at))))
        .collect()
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
