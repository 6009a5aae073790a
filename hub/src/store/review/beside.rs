//! By whom two cases are beside each other: what a finding by persons rests on.

use linkage::office::OfficeId;
use sqlx::{PgConnection, query};
use uuid::Uuid;

/// Pairs told of one finding.
const MOST_PAIRS: i64 = 8;

/// Mentions of two cases that linkage holds for one person although they are of different nodes, those with the heaviest
/// link first: the first case's beside the second's.
pub async fn pairs(
    connection: &mut PgConnection,
    left: (OfficeId, &str),
    right: (OfficeId, &str),
) -> Result<Vec<[Uuid; 2]>, sqlx::Error> {
    let rows = query!(
        r#"SELECT a.mention_id AS one, b.mention_id AS other
             FROM mention a
             JOIN link_node an ON an.node_id = a.node_id
             JOIN mention b ON b.office_id = $3 AND b.source_case_id = $4 AND b.node_id <> a.node_id
             JOIN link_node bn ON bn.node_id = b.node_id AND bn.person_id = an.person_id
             JOIN link l ON l.low = least(a.node_id, b.node_id) AND l.high = greatest(a.node_id, b.node_id)
            WHERE a.office_id = $1 AND a.source_case_id = $2
            ORDER BY l.weight DESC, a.ordinal, b.ordinal
            LIMIT $5"#,
        left.0.as_str(),
        left.1,
        right.0.as_str(),
        right.1,
        MOST_PAIRS,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| [row.one, row.other]).collect())
}
