//! `office_absence`, and since when an office takes part.

use std::collections::HashMap;

use linkage::office::OfficeId;
use sqlx::{PgConnection, query};

use crate::local_time::local_day;
use crate::store::decode::parse;
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

/// When each office takes part that does today.
pub async fn of_active(
    connection: &mut PgConnection,
) -> Result<HashMap<OfficeId, Participation>, sqlx::Error> {
    let rows = query!(
        r#"SELECT o.office_id, o.created_at, a.revoked_at AS "revoked_at?", a.reinstated_at AS "reinstated_at?"
             FROM office o LEFT JOIN office_absence a USING (office_id)
            WHERE o.status = 'active' ORDER BY o.office_id, a.revoked_at"#,
    )
    .fetch_all(connection)
    .await?;
    let mut all: HashMap<OfficeId, Participation> = HashMap::new();
    for row in rows {
        let participation = all.entry(parse(&row.office_id)?).or_default();
        participation.since = Some(local_day(row.created_at));
        participation
            .absences
            .extend(row.revoked_at.map(|at| Absence {
                from: local_day(at),
                until: row.reinstated_at.map(local_day),
            }));
    }
    Ok(all)
}
