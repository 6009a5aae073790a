//! `office_period`: what offices were from one day to the next.

use linkage::office::OfficeId;
use sqlx::{PgConnection, PgExecutor, query};
use time::Date;

use crate::statistics::structure::{Part, Unit};
use crate::store::decode::parse;

/// Since when an office is part of which structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficePeriod {
    pub office_id: OfficeId,
    pub valid_from: Date,
    pub part: Part,
}

/// Before every day that figures are of.
pub const BEGINNING: Date = time::macros::date!(1900 - 01 - 01);

/// Every period, each office's from the first to the last. An office that never changed has one.
pub async fn periods(executor: impl PgExecutor<'_>) -> Result<Vec<OfficePeriod>, sqlx::Error> {
    let rows = query!(
        r#"SELECT o.office_id, coalesce(p.valid_from, $1) AS "valid_from!", coalesce(p.name, o.name) AS "name!",
                  coalesce(p.level, o.level) AS "level!", coalesce(p.district_code, o.district_code) AS "district_code!",
                  coalesce(p.counts_under, o.office_id) AS "counts_under!"
             FROM office o LEFT JOIN office_period p ON p.office_id = o.office_id
            ORDER BY 1, 2"#,
        BEGINNING,
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter()
        .map(|row| {
            let unit = Unit {
                name: row.name,
                level: parse(&row.level)?,
                district: parse(&row.district_code)?,
            };
            Ok(OfficePeriod {
                office_id: parse(&row.office_id)?,
                valid_from: row.valid_from,
                part: Part {
                    counts_under: parse(&row.counts_under)?,
                    unit,
                },
            })
        })
        .collect()
}

/// Writes a period; one of the same office and day is replaced.
pub async fn put(connection: &mut PgConnection, period: &OfficePeriod) -> Result<(), sqlx::Error> {
    let Part { counts_under, unit } = &period.part;
    query!(
        r#"INSERT INTO office_period (office_id, valid_from, name, level, district_code, counts_under)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (office_id, valid_from) DO UPDATE SET
               name = excluded.name, level = excluded.level, district_code = excluded.district_code,
               counts_under = excluded.counts_under"#,
        period.office_id.as_str(),
        period.valid_from,
        unit.name,
        unit.level.code(),
        unit.district.as_str(),
        counts_under.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes offices what a change that was dated ahead says of them from this day or an earlier one on. Returns how many.
pub async fn rename_due(executor: impl PgExecutor<'_>, today: Date) -> Result<u64, sqlx::Error> {
    let renamed = query!(
        r#"UPDATE office o SET name = p.name, level = p.level, district_code = p.district_code
             FROM (SELECT DISTINCT ON (office_id) office_id, name, level, district_code FROM office_period
                    WHERE valid_from <= $1 ORDER BY office_id, valid_from DESC) AS p
            WHERE p.office_id = o.office_id
              AND (o.name, o.level, o.district_code) IS DISTINCT FROM (p.name, p.level, p.district_code)"#,
        today,
    )
    .execute(executor)
    .await?;
    Ok(renamed.rows_affected())
}

/// What an office is called, is and sits in today, for everything but figures of another day.
pub async fn rename(
    connection: &mut PgConnection,
    office_id: OfficeId,
    unit: &Unit,
) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE office SET name = $2, level = $3, district_code = $4 WHERE office_id = $1",
        office_id.as_str(),
        unit.name,
        unit.level.code(),
        unit.district.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(())
}
