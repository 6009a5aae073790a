//! `supervision_work` and `supervision_look`: what waits for the rules.

use std::time::Duration;

use linkage::office::OfficeId;
use sqlx::{PgConnection, PgPool, query};
use time::Date;
use uuid::Uuid;

use crate::case::CaseKey;
use crate::store::columns;
use crate::store::decode::parse;

/// Most cases in one row.
const MOST_CASES: i64 = 500;

/// What a worker takes at once.
#[derive(Clone, Debug)]
pub struct Work {
    pub row: Uuid,
    pub office_id: OfficeId,
    /// Empty: what the office filed.
    pub cases: Vec<String>,
}

/// Puts cases down: one row for each office, however many it sent.
pub async fn add_cases(
    connection: &mut PgConnection,
    cases: &[CaseKey<'_>],
) -> Result<(), sqlx::Error> {
    if cases.is_empty() {
        return Ok(());
    }
    let (offices, cases) = columns(cases);
    query!(
        r#"INSERT INTO supervision_work (work_id, office_id, source_case_ids)
           SELECT gen_random_uuid(), office_id, array_agg(source_case_id)
             FROM (SELECT office_id, source_case_id,
                          (row_number() OVER (PARTITION BY office_id) - 1) / $3 AS part
                     FROM unnest($1::text[], $2::text[]) AS k (office_id, source_case_id)) AS parts
            GROUP BY office_id, part"#,
        &offices as &[&str],
        &cases as &[&str],
        MOST_CASES,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts what an office filed down.
pub async fn add_office(
    connection: &mut PgConnection,
    office_id: OfficeId,
) -> Result<(), sqlx::Error> {
    query!(
        "INSERT INTO supervision_work (work_id, office_id, source_case_ids) VALUES (gen_random_uuid(), $1, '{}')",
        office_id.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes the oldest row that nobody holds.
pub async fn take(pool: &PgPool, lease: Duration) -> Result<Option<Work>, sqlx::Error> {
    let row = query!(
        r#"UPDATE supervision_work w SET leased_until = now() + make_interval(secs => $1)
             FROM (SELECT work_id FROM supervision_work
                    WHERE leased_until IS NULL OR leased_until < now()
                    ORDER BY enqueued_at, work_id LIMIT 1 FOR UPDATE SKIP LOCKED) AS due
            WHERE w.work_id = due.work_id
           RETURNING w.work_id, w.office_id, w.source_case_ids"#,
        lease.as_secs_f64(),
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        Ok(Work {
            row: row.work_id,
            office_id: parse(&row.office_id)?,
            cases: row.source_case_ids,
        })
    })
    .transpose()
}

/// Takes work off that is done.
pub async fn finish(connection: &mut PgConnection, row: Uuid) -> Result<(), sqlx::Error> {
    query!("DELETE FROM supervision_work WHERE work_id = $1", row)
        .execute(connection)
        .await?;
    Ok(())
}

/// How many rows wait, and the age of the oldest.
pub async fn waiting(pool: &PgPool) -> Result<(i64, Duration), sqlx::Error> {
    let row = query!(
        r#"SELECT coalesce(sum(cardinality(source_case_ids)), 0)::bigint AS "cases!",
                  coalesce(extract(epoch FROM now() - min(enqueued_at)), 0)::float8 AS "lag!"
             FROM supervision_work"#
    )
    .fetch_one(pool)
    .await?;
    Ok((row.cases, Duration::from_secs_f64(row.lag.max(0.0))))
}

/// Sets when cases come before the rules again; those that are not named do not.
pub async fn look_again(
    connection: &mut PgConnection,
    office_id: OfficeId,
    judged: &[String],
    looks: &[(&str, Date)],
) -> Result<(), sqlx::Error> {
    query!(
        "DELETE FROM supervision_look WHERE office_id = $1 AND source_case_id = ANY($2)",
        office_id.as_str(),
        judged,
    )
    .execute(&mut *connection)
    .await?;
    let (cases, days): (Vec<&str>, Vec<Date>) = looks.iter().copied().unzip();
    query!(
        r#"INSERT INTO supervision_look (office_id, source_case_id, look_on)
           SELECT $1, l.source_case_id, l.look_on FROM unnest($2::text[], $3::date[]) AS l (source_case_id, look_on)
           ON CONFLICT (office_id, source_case_id) DO UPDATE SET look_on = excluded.look_on"#,
        office_id.as_str(),
        &cases as &[&str],
        &days,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts cases down whose day has come, and what every office filed or has to file. Returns how many cases there were.
pub async fn put_due(pool: &PgPool, today: Date) -> Result<u64, sqlx::Error> {
    let put = query!(
        r#"WITH due AS (DELETE FROM supervision_look WHERE look_on <= $1 RETURNING office_id, source_case_id),
                parts AS (SELECT office_id, source_case_id,
                                 (row_number() OVER (PARTITION BY office_id) - 1) / $2 AS part FROM due),
                put AS (INSERT INTO supervision_work (work_id, office_id, source_case_ids)
                        SELECT gen_random_uuid(), office_id, array_agg(source_case_id) FROM parts
                         GROUP BY office_id, part),
                filed AS (INSERT INTO supervision_work (work_id, office_id, source_case_ids)
                          SELECT gen_random_uuid(), office_id, '{}' FROM office WHERE status = 'active')
           SELECT count(*) AS "count!" FROM due"#,
        today,
        MOST_CASES,
    )
    .fetch_one(pool)
    .await?;
    Ok(put.count.unsigned_abs())
}
