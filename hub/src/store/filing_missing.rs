//! `filing_missing`: periodic filings that never came.

use linkage::office::OfficeId;
use sqlx::{PgConnection, query};
use time::Date;

use super::decode::parse;
use crate::filing::body::Period;
use crate::filing::missing::Missing;

/// One of an office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingOf {
    pub office_id: OfficeId,
    pub office_name: String,
    pub missing: Missing,
}

/// Puts what is missing of an office in the place of what was.
pub async fn replace(
    connection: &mut PgConnection,
    office_id: OfficeId,
    missing: &[Missing],
) -> Result<(), sqlx::Error> {
    let kinds: Vec<&str> = missing.iter().map(|one| one.kind.code()).collect();
    let column = |of: fn(&Missing) -> Date| missing.iter().map(of).collect::<Vec<_>>();
    let last_days = column(|one| one.period.last_day);
    query!(
        r#"DELETE FROM filing_missing m
            WHERE office_id = $1 AND NOT EXISTS (SELECT FROM unnest($2::text[], $3::date[]) AS n (kind, last_day)
                                                  WHERE n.kind = m.kind AND n.last_day = m.last_day)"#,
        office_id.as_str(),
        &kinds as &[&str],
        &last_days,
    )
    .execute(&mut *connection)
    .await?;
    query!(
        r#"INSERT INTO filing_missing (office_id, kind, first_day, last_day, due_on)
           SELECT $1, n.* FROM unnest($2::text[], $3::date[], $4::date[], $5::date[]) AS n
           ON CONFLICT (office_id, kind, last_day) DO UPDATE SET first_day = excluded.first_day, due_on = excluded.due_on
            WHERE (filing_missing.first_day, filing_missing.due_on) <> (excluded.first_day, excluded.due_on)"#,
        office_id.as_str(),
        &kinds as &[&str],
        &column(|one| one.period.first_day),
        &last_days,
        &column(|one| one.due_on),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What is missing, what was due last first; of what was due between two days, both included.
pub async fn list(
    connection: &mut PgConnection,
    office_id: Option<OfficeId>,
    from: Option<Date>,
    to: Option<Date>,
    most: i64,
) -> Result<Vec<MissingOf>, sqlx::Error> {
    let rows = query!(
        r#"SELECT office_id, name, kind, first_day, last_day, due_on
             FROM filing_missing JOIN office USING (office_id)
            WHERE ($1::text IS NULL OR office_id = $1) AND ($2::date IS NULL OR due_on >= $2)
              AND ($3::date IS NULL OR due_on <= $3)
            ORDER BY due_on DESC, office_id, kind LIMIT $4"#,
        office_id.as_ref().map(OfficeId::as_str),
        from,
        to,
        most,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(MissingOf {
                office_id: parse(&row.office_id)?,
                office_name: row.name,
                missing: Missing {
                    kind: parse(&row.kind)?,
                    period: Period {
                        first_day: row.first_day,
                        last_day: row.last_day,
                    },
                    due_on: row.due_on,
                },
            })
        })
        .collect()
}
