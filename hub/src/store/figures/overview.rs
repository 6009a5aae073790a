//! What waits for somebody, counted.

use linkage::office::OfficeId;
use sqlx::{PgConnection, query};

/// How much is open, in the city or at an office.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    pub duplicate: i64,
    pub conflict: i64,
    pub related: i64,
    pub rejects: i64,
    pub flawed_cases: i64,
    /// Pairs that may be one person; the city's alone, and as far as the reader sees them.
    pub possible_persons: i64,
}

/// Counts what is open; at one office when it is named.
pub async fn open(
    connection: &mut PgConnection,
    office: Option<OfficeId>,
) -> Result<Open, sqlx::Error> {
    let row = query!(
        r#"SELECT f.duplicate AS "duplicate!", f.conflict AS "conflict!", f.related AS "related!",
                  (SELECT count(*) FROM reject WHERE resolved_at IS NULL AND ($1::text IS NULL OR office_id = $1))
                      AS "rejects!",
                  (SELECT count(DISTINCT (office_id, source_case_id)) FROM quality_finding
                    WHERE $1::text IS NULL OR office_id = $1) AS "flawed_cases!",
                  CASE WHEN $1::text IS NULL THEN (SELECT count(*) FROM link WHERE decision = 'possible') ELSE 0 END
                      AS "possible_persons!"
             FROM (SELECT count(*) FILTER (WHERE severity = 'duplicate') AS duplicate,
                          count(*) FILTER (WHERE severity = 'conflict') AS conflict,
                          count(*) FILTER (WHERE severity = 'related') AS related
                     FROM duplicate_finding
                    WHERE closed_at IS NULL AND ($1::text IS NULL OR left_office = $1 OR right_office = $1)) f"#,
        office.as_ref().map(OfficeId::as_str),
    )
    .fetch_one(connection)
    .await?;
    Ok(Open {
        duplicate: row.duplicate,
        conflict: row.conflict,
        related: row.related,
        rejects: row.rejects,
        flawed_cases: row.flawed_cases,
        possible_persons: row.possible_persons,
    })
}
