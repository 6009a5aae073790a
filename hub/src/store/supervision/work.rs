//! `supervision_work` and `supervision_look`: what waits for the rules.

use std::time::Duration;

use linkage::office::OfficeId;
use serde::Serialize;
use sqlx::{PgConnection, PgPool, query, query_scalar};
use time::Date;
use uuid::Uuid;

use crate::background::Cause;
use crate::case::CaseKey;
use crate::store::decode::parse;
use crate::store::{columns, tx};

/// Class of the advisory locks on offices that are judged, apart from every other lock of the hub.
const OFFICE_LOCKS: i32 = 0x7375; // "su"

/// Most cases in one row.
const MOST_CASES: i64 = 500;

/// What a worker takes at once.
#[derive(Clone, Debug)]
pub struct Work {
    pub row: Uuid,
    pub office_id: OfficeId,
    /// Empty: what the office filed.
    pub cases: Vec<String>,
    /// How many times it was taken up, this one included.
    pub attempt: i32,
    /// Why the attempt before came to nothing.
    pub cause: Option<Cause>,
}

/// What waits, and what is set aside.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Waiting {
    pub cases: i64,
    /// Age of the oldest.
    pub lag_seconds: f64,
    /// Rows that failed again and again; they do not count as waiting.
    pub set_aside: i64,
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

/// Puts everything down that there is: all cases, and what every office filed. Returns how many cases there are.
pub async fn put_all(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let put = query!(
        r#"WITH put AS (INSERT INTO supervision_work (work_id, office_id, source_case_ids)
                        SELECT gen_random_uuid(), office_id, array_agg(source_case_id)
                          FROM (SELECT office_id, source_case_id,
                                       (row_number() OVER (PARTITION BY office_id ORDER BY source_case_id) - 1) / $1 AS part
                                  FROM case_record) AS parts
                         GROUP BY office_id, part
                        RETURNING source_case_ids),
                filed AS (INSERT INTO supervision_work (work_id, office_id, source_case_ids)
                          SELECT gen_random_uuid(), office_id, '{}' FROM office)
           SELECT coalesce(sum(cardinality(source_case_ids)), 0)::bigint AS "cases!" FROM put"#,
        MOST_CASES,
    )
    .fetch_one(connection)
    .await?;
    Ok(put.cases.unsigned_abs())
}

/// Puts everything down when it was judged by another calendar: once. Returns how many cases there are, if so.
pub async fn put_all_if_due(pool: &PgPool, calendar: &str) -> Result<Option<u64>, sqlx::Error> {
    let mut transaction = tx::begin(pool).await?;
    let due = query_scalar!(
        r#"UPDATE hub_state SET judged_by = $1 WHERE judged_by IS DISTINCT FROM $1 RETURNING true AS "due!""#,
        calendar,
    )
    .fetch_optional(&mut *transaction)
    .await?;
    if due.is_none() {
        return Ok(None);
    }
    let cases = put_all(&mut transaction).await?;
    transaction.commit().await?;
    Ok(Some(cases))
}

/// Puts all cases of an office down.
pub async fn add_all(
    connection: &mut PgConnection,
    office_id: OfficeId,
) -> Result<(), sqlx::Error> {
    query!(
        r#"INSERT INTO supervision_work (work_id, office_id, source_case_ids)
           SELECT gen_random_uuid(), $1, array_agg(source_case_id)
             FROM (SELECT source_case_id, (row_number() OVER (ORDER BY source_case_id) - 1) / $2 AS part
                     FROM case_record WHERE office_id = $1) AS parts
            GROUP BY part"#,
        office_id.as_str(),
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

/// Takes the row that is due the longest. Nobody else gets it until the lease ends. It is looked for once: inside of a nested
/// loop each turn would skip the row that the turn before has locked, and take the next.
pub async fn take(pool: &PgPool, lease: Duration) -> Result<Option<Work>, sqlx::Error> {
    let row = query!(
        r#"WITH due AS MATERIALIZED (
               SELECT work_id, cause FROM supervision_work
                WHERE set_aside_at IS NULL AND coalesce(leased_until, enqueued_at) <= now()
                ORDER BY coalesce(leased_until, enqueued_at), work_id LIMIT 1 FOR UPDATE SKIP LOCKED)
           UPDATE supervision_work w SET leased_until = now() + make_interval(secs => $1), attempts = attempts + 1,
                                         cause = $2
             FROM due
            WHERE w.work_id = due.work_id
           RETURNING w.work_id, w.office_id, w.source_case_ids, w.attempts, due.cause"#,
        lease.as_secs_f64(),
        Cause::WorkerEnded.code(),
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        Ok(Work {
            row: row.work_id,
            office_id: parse(&row.office_id)?,
            cases: row.source_case_ids,
            attempt: row.attempts,
            cause: row.cause.as_deref().map(parse).transpose()?,
        })
    })
    .transpose()
}

/// Takes work off that is done, and what was set aside of it before.
pub async fn finish(connection: &mut PgConnection, work: &Work) -> Result<(), sqlx::Error> {
    query!(
        r#"DELETE FROM supervision_work
            WHERE work_id = $1
               OR (set_aside_at IS NOT NULL AND office_id = $2
                   AND (source_case_ids = $3 OR (source_case_ids <> '{}' AND source_case_ids <@ $3)))"#,
        work.row,
        work.office_id.as_str(),
        &work.cases,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// An office is judged by one transaction at a time: of two, the last to commit would put what it read first in the place
/// of what holds.
pub async fn lock_office(
    connection: &mut PgConnection,
    office_id: OfficeId,
) -> Result<(), sqlx::Error> {
    query!(
        "SELECT pg_advisory_xact_lock($1, hashtext($2))",
        OFFICE_LOCKS,
        office_id.as_str(),
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

/// Gives work back for a later attempt.
pub async fn give_back(
    pool: &PgPool,
    work: &Work,
    cause: Cause,
    after: Duration,
) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE supervision_work SET leased_until = now() + make_interval(secs => $2), cause = $3 WHERE work_id = $1",
        work.row,
        after.as_secs_f64(),
        cause.code(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Puts the halves of a row in its place.
pub async fn split(pool: &PgPool, work: &Work) -> Result<(), sqlx::Error> {
    let (front, back) = work.cases.split_at(work.cases.len() / 2);
    query!(
        r#"WITH whole AS (DELETE FROM supervision_work WHERE work_id = $1 RETURNING office_id, enqueued_at)
           INSERT INTO supervision_work (work_id, office_id, source_case_ids, enqueued_at)
           SELECT gen_random_uuid(), office_id, $2::text[], enqueued_at FROM whole
            UNION ALL SELECT gen_random_uuid(), office_id, $3::text[], enqueued_at FROM whole"#,
        work.row,
        front,
        back,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Sets work aside that these rules fail on, instead of the same of before.
pub async fn set_aside(pool: &PgPool, work: &Work, rules_version: &str) -> Result<(), sqlx::Error> {
    query!(
        r#"WITH former AS (DELETE FROM supervision_work
                            WHERE set_aside_at IS NOT NULL AND office_id = $2 AND source_case_ids = $3)
           UPDATE supervision_work SET set_aside_at = now(), set_aside_under = $4, cause = $5 WHERE work_id = $1"#,
        work.row,
        work.office_id.as_str(),
        &work.cases,
        rules_version,
        work.cause.map(Cause::code),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Takes work up again that other rules failed on, and what was set aside a day ago.
pub async fn retry_set_aside(pool: &PgPool, rules_version: &str) -> Result<(), sqlx::Error> {
    query!(
        r#"UPDATE supervision_work SET set_aside_at = NULL, set_aside_under = NULL, leased_until = NULL, attempts = 0, cause = NULL
            WHERE set_aside_under <> $1 OR set_aside_at < now() - interval '1 day'"#,
        rules_version,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// How much waits, and what is set aside.
pub async fn waiting(pool: &PgPool) -> Result<Waiting, sqlx::Error> {
    let row = query!(
        r#"SELECT coalesce(sum(cardinality(source_case_ids)) FILTER (WHERE set_aside_at IS NULL), 0)::bigint AS "cases!",
                  coalesce(extract(epoch FROM now() - min(enqueued_at) FILTER (WHERE set_aside_at IS NULL)), 0)::float8
                      AS "lag!",
                  count(*) FILTER (WHERE set_aside_at IS NOT NULL) AS "set_aside!"
             FROM supervision_work"#
    )
    .fetch_one(pool)
    .await?;
    Ok(Waiting {
        cases: row.cases,
        lag_seconds: row.lag.max(0.0),
        set_aside: row.set_aside,
    })
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

/// Puts cases down whose day has come, and, where it does not wait already, what every office filed or has to file; of a
/// revoked one while anything is missing of it. Returns how many cases there were.
pub async fn put_due(pool: &PgPool, today: Date) -> Result<u64, sqlx::Error> {
    let put = query!(
        r#"WITH due AS (DELETE FROM supervision_look WHERE look_on <= $1 RETURNING office_id, source_case_id),
                parts AS (SELECT office_id, source_case_id,
                                 (row_number() OVER (PARTITION BY office_id) - 1) / $2 AS part FROM due),
                put AS (INSERT INTO supervision_work (work_id, office_id, source_case_ids)
                        SELECT gen_random_uuid(), office_id, array_agg(source_case_id) FROM parts
                         GROUP BY office_id, part),
                filed AS (INSERT INTO supervision_work (work_id, office_id, source_case_ids)
                          SELECT gen_random_uuid(), o.office_id, '{}' FROM office o
                           WHERE (o.status = 'active'
                                  OR EXISTS (SELECT FROM filing_missing m WHERE m.office_id = o.office_id))
                             AND NOT EXISTS (SELECT FROM supervision_work w
                                              WHERE w.office_id = o.office_id AND w.source_case_ids = '{}'))
           SELECT count(*) AS "count!" FROM due"#,
        today,
        MOST_CASES,
    )
    .fetch_one(pool)
    .await?;
    Ok(put.count.unsigned_abs())
}
