//! What is set aside of `supervision_work` and `link_work`.

use sqlx::{PgConnection, query, query_scalar};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::background::set_aside::SetAside;
use crate::store::decode::parse;

/// Which work is put back.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    All,
    These(&'a [Uuid]),
}

/// Work that is set aside, the newest first, behind the one of that time and id.
pub async fn list(
    connection: &mut PgConnection,
    behind: Option<(OffsetDateTime, Uuid)>,
    most: i64,
) -> Result<Vec<SetAside>, sqlx::Error> {
    let rows = query!(
        r#"SELECT kind AS "kind!", work_id AS "work_id!", office_id, source_case_id, set_aside_at AS "since!", cause
             FROM (SELECT 'supervision' AS kind, work_id, office_id, source_case_ids[1] AS source_case_id, set_aside_at, cause
                     FROM supervision_work WHERE set_aside_at IS NOT NULL
                    UNION ALL
                   SELECT 'linking', work_id, office_id, source_case_ids[1], set_aside_at, cause
                     FROM link_work WHERE set_aside_at IS NOT NULL) AS work
            WHERE $1::timestamptz IS NULL OR (set_aside_at, work_id) < ($1, $2::uuid)
            ORDER BY set_aside_at DESC, work_id DESC LIMIT $3"#,
        behind.map(|(since, _)| since),
        behind.map(|(_, work_id)| work_id),
        most,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(SetAside {
                work_id: row.work_id,
                kind: parse(&row.kind)?,
                office_id: row.office_id.as_deref().map(parse).transpose()?,
                source_case_id: row.source_case_id,
                since: row.since,
                cause: row.cause.as_deref().map(parse).transpose()?,
            })
        })
        .collect()
}

/// Whether work with that id is set aside.
pub async fn is_there(connection: &mut PgConnection, work_id: Uuid) -> Result<bool, sqlx::Error> {
    query_scalar!(
        r#"SELECT EXISTS (SELECT FROM supervision_work WHERE work_id = $1 AND set_aside_at IS NOT NULL)
               OR EXISTS (SELECT FROM link_work WHERE work_id = $1 AND set_aside_at IS NOT NULL) AS "there!""#,
        work_id,
    )
    .fetch_one(connection)
    .await
}

/// Puts it back as if it came just now. Returns what was put back.
pub async fn put_back(
    connection: &mut PgConnection,
    which: Which<'_>,
) -> Result<Vec<Uuid>, sqlx::Error> {
    let these = match which {
        Which::All => None,
        Which::These(ids) => Some(ids),
    };
    query_scalar!(
        r#"WITH supervision AS (
               UPDATE supervision_work
                  SET set_aside_at = NULL, set_aside_under = NULL, leased_until = NULL, attempts = 0, cause = NULL
                WHERE set_aside_at IS NOT NULL AND ($1::uuid[] IS NULL OR work_id = ANY($1))
               RETURNING work_id),
           linking AS (
               UPDATE link_work SET set_aside_at = NULL, leased_until = NULL, attempts = 0, cause = NULL
                WHERE set_aside_at IS NOT NULL AND ($1::uuid[] IS NULL OR work_id = ANY($1))
               RETURNING work_id)
           SELECT work_id AS "work_id!" FROM supervision UNION ALL SELECT work_id FROM linking ORDER BY 1"#,
        these as Option<&[Uuid]>,
    )
    .fetch_all(connection)
    .await
}
