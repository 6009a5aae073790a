//! `office_absence`, and since when an office takes part.

use linkage::office::OfficeId;
use sqlx::{PgConnection, query};

use crate::local_time::local_day;
use crate::supervision::participation::{Absence, Participation};

/// When an office takes part. `None` when there is no such office.
pub async fn of(
    connection: &mut PgConnection,
    office_id: OfficeId,
) -> Result<Option<Participation>, sqlx::Error> {
    let rows = query!(
        r#"SELECT o.created_at, a.revoked_at AS "revoked_at?", a.reinstated_at AS "reinstated_at?"
             FROM office o
             LEFT JOIN (SELECT office_id, revoked_at, reinstated_at FROM office_absence
                         UNION ALL
                        SELECT office_id, revoked_at, NULL FROM office WHERE status = 'revoked') a USING (office_id)
            WHERE o.office_id = $1 ORDER BY a.revoked_at"#,
        office_id.as_str(),
    )
    .fetch_all(connection)
    .await?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let absences = rows.iter().filter_map(|row| {
        Some(Absence {
            from: local_day(row.revoked_at?),
            until: row.reinstated_at.map(local_day),
        })
    });
    Ok(Some(Participation {
        since: Some(local_day(first.created_at)),
        absences: absences.collect(),
    }))
}
