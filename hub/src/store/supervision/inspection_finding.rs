//! `inspection_finding`: findings of the rules that an inspection takes in.

use linkage::office::OfficeId;
use sqlx::{PgConnection, query, query_scalar};
use uuid::Uuid;

/// Puts findings of the office that people are not done with in the place of those taken in before. Returns how many.
pub async fn replace(
    connection: &mut PgConnection,
    inspection_id: Uuid,
    office_id: OfficeId,
    finding_ids: &[Uuid],
) -> Result<u64, sqlx::Error> {
    query!(
        "DELETE FROM inspection_finding WHERE inspection_id = $1",
        inspection_id
    )
    .execute(&mut *connection)
    .await?;
    let taken = query!(
        r#"INSERT INTO inspection_finding (inspection_id, finding_id)
           SELECT $1, finding_id FROM supervision_finding
            WHERE finding_id = ANY($2) AND office_id = $3 AND state IN ('open', 'notified', 'rectified')
              AND (state <> 'open' OR cleared_at IS NULL)"#,
        inspection_id,
        finding_ids,
        office_id.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(taken.rows_affected())
}

/// Those of an inspection that whoever reads may see, in the order in which they were found: before its notice without what
/// no rule finds any more.
pub async fn of(
    connection: &mut PgConnection,
    inspection_id: Uuid,
) -> Result<Vec<Uuid>, sqlx::Error> {
    query_scalar!(
        r#"SELECT f.finding_id FROM inspection_finding JOIN supervision_finding f USING (finding_id)
             JOIN inspection i USING (inspection_id)
            WHERE inspection_id = $1 AND (i.notified_at IS NOT NULL OR f.state <> 'open' OR f.cleared_at IS NULL)
            ORDER BY f.found_at, f.finding_id"#,
        inspection_id
    )
    .fetch_all(connection)
    .await
}

/// All of them, locked until the transaction ends, in the order in which whoever judges locks them.
pub async fn lock(
    connection: &mut PgConnection,
    inspection_id: Uuid,
) -> Result<Vec<Uuid>, sqlx::Error> {
    query_scalar!(
        r#"SELECT f.finding_id FROM inspection_finding JOIN supervision_finding f USING (finding_id)
            WHERE inspection_id = $1 ORDER BY f.finding_id FOR UPDATE OF f"#,
        inspection_id
    )
    .fetch_all(connection)
    .await
}

/// Leaves some of them out again.
pub async fn leave_out(
    connection: &mut PgConnection,
    inspection_id: Uuid,
    finding_ids: &[Uuid],
) -> Result<(), sqlx::Error> {
    query!(
        "DELETE FROM inspection_finding WHERE inspection_id = $1 AND finding_id = ANY($2)",
        inspection_id,
        finding_ids,
    )
    .execute(connection)
    .await?;
    Ok(())
}
