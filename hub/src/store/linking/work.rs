//! `link_work`: cases and nodes that wait for linkage.

use std::time::Duration;

use linkage::node::NodeId;
use linkage::office::OfficeId;
use sqlx::{PgConnection, PgPool, query, query_scalar};
use uuid::Uuid;

use super::{node_id, uuids};
use crate::background::Cause;
use crate::case::CaseKey;
use crate::store::columns;
use crate::store::decode::{decode_error, parse};

/// Most cases in one row.
pub(super) const MOST_CASES: usize = 500;

/// What a worker takes at once, all of one office or of none.
#[derive(Debug, Clone, Default)]
pub struct Work {
    pub rows: Vec<Uuid>,
    /// None where nodes alone are to be compared again.
    pub office_id: Option<OfficeId>,
    pub cases: Vec<String>,
    /// Nodes to be compared again; of an earlier attempt, those it touched.
    pub nodes: Vec<NodeId>,
    /// How many times it was taken up, this one included.
    pub attempt: i32,
    /// Why the attempt before came to nothing.
    pub cause: Option<Cause>,
}

/// How much waits, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    pub cases: u64,
    pub nodes: u64,
    /// Age of the oldest.
    pub lag: Duration,
    /// Rows that failed again and again; they do not count as waiting.
    pub set_aside: u64,
}

/// Puts cases down whose parties may have changed: one row for each office, however many cases it sent.
pub async fn add_cases(
    connection: &mut PgConnection,
    cases: &[CaseKey<'_>],
) -> Result<(), sqlx::Error> {
    if cases.is_empty() {
        return Ok(());
    }
    let (offices, cases) = columns(cases);
    query!(
        r#"INSERT INTO link_work (work_id, office_id, source_case_ids)
           SELECT gen_random_uuid(), office_id, array_agg(source_case_id)
             FROM (SELECT office_id, source_case_id,
                          (row_number() OVER (PARTITION BY office_id) - 1) / $3 AS part
                     FROM unnest($1::text[], $2::text[]) AS k (office_id, source_case_id)) AS parts
            GROUP BY office_id, part"#,
        &offices as &[&str],
        &cases as &[&str],
        MOST_CASES as i64,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts nodes down to be compared again.
pub async fn add_nodes(connection: &mut PgConnection, nodes: &[NodeId]) -> Result<(), sqlx::Error> {
    for part in nodes.chunks(MOST_CASES) {
        query!(
            "INSERT INTO link_work (work_id, nodes) VALUES (gen_random_uuid(), $1)",
            &uuids(part),
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Takes the work that is due the longest, of an office that nobody works for if there is one, and more of the same
/// office up to `most` cases; work that was tried before, alone. Nobody else gets it until the lease ends.
pub async fn take(pool: &PgPool, most: usize, lease: Duration) -> Result<Work, sqlx::Error> {
    let rows = query!(
        r#"WITH waiting AS (
               SELECT office_id, coalesce(leased_until, enqueued_at) AS due_at, work_id FROM link_work
                WHERE set_aside_at IS NULL AND coalesce(leased_until, enqueued_at) <= now()
                ORDER BY coalesce(leased_until, enqueued_at), work_id LIMIT 64),
           first AS (
               SELECT w.office_id FROM waiting w
                ORDER BY EXISTS (SELECT FROM link_work l WHERE l.office_id = w.office_id AND l.leased_until > now()
                                                           AND l.leased_until <= now() + make_interval(secs => $2)),
                         w.due_at, w.work_id
                LIMIT 1),
           summed AS (
               SELECT work_id, sum(size) OVER place AS total, row_number() OVER place AS place,
                      max(attempts) OVER place AS attempts
                 FROM (SELECT w.work_id, coalesce(w.leased_until, w.enqueued_at) AS due_at, w.attempts,
                              cardinality(w.source_case_ids) + cardinality(w.nodes) AS size
                         FROM link_work w JOIN first f ON w.office_id IS NOT DISTINCT FROM f.office_id
                        WHERE w.set_aside_at IS NULL AND coalesce(w.leased_until, w.enqueued_at) <= now()
                        ORDER BY coalesce(w.leased_until, w.enqueued_at), w.work_id LIMIT 256) AS same
               WINDOW place AS (ORDER BY due_at, work_id)),
           due AS (
               SELECT w.work_id, w.cause FROM link_work w JOIN summed s ON s.work_id = w.work_id
                WHERE (s.place = 1 OR (s.total <= $1 AND s.attempts = 0))
                  AND coalesce(w.leased_until, w.enqueued_at) <= now()
                ORDER BY coalesce(w.leased_until, w.enqueued_at), w.work_id
                  FOR UPDATE OF w SKIP LOCKED)
           UPDATE link_work w SET leased_until = now() + make_interval(secs => $2), attempts = attempts + 1, cause = $3
             FROM due WHERE w.work_id = due.work_id
           RETURNING w.work_id, w.office_id, w.source_case_ids, w.nodes, w.attempts, due.cause"#,
        most as i64,
        lease.as_secs_f64(),
        Cause::WorkerEnded.code(),
    )
    .fetch_all(pool)
    .await?;
    let mut work = Work::default();
    for row in rows {
        work.office_id = row.office_id.as_deref().map(parse).transpose()?;
        work.rows.push(row.work_id);
        work.cases.extend(row.source_case_ids);
        work.nodes.extend(row.nodes.into_iter().map(node_id));
        work.attempt = work.attempt.max(row.attempts);
        // Work that was tried before is taken alone.
        work.cause = row.cause.as_deref().map(parse).transpose()?;
    }
    work.cases.sort_unstable();
    work.cases.dedup();
    Ok(work)
}

/// Adds nodes to work that is under way: should its worker die, the next one knows what it touched.
pub async fn note_nodes(
    connection: &mut PgConnection,
    row: Uuid,
    nodes: &[NodeId],
) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE link_work SET nodes = nodes || $2::uuid[] WHERE work_id = $1",
        row,
        &uuids(nodes),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes work off that is done. Fewer rows than asked for: somebody else has done it meanwhile.
pub async fn finish(connection: &mut PgConnection, rows: &[Uuid]) -> Result<(), sqlx::Error> {
    query!("DELETE FROM link_work WHERE work_id = ANY($1)", rows)
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives work back for a later attempt.
pub async fn give_back(
    pool: &PgPool,
    rows: &[Uuid],
    cause: Cause,
    after: Duration,
) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE link_work SET leased_until = now() + make_interval(secs => $2), cause = $3 WHERE work_id = ANY($1)",
        rows,
        after.as_secs_f64(),
        cause.code(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Gives work back that was not tried: it had to wait.
pub async fn postpone(pool: &PgPool, rows: &[Uuid], after: Duration) -> Result<(), sqlx::Error> {
    query!(
        r#"UPDATE link_work SET leased_until = now() + make_interval(secs => $2), attempts = attempts - 1, cause = NULL
            WHERE work_id = ANY($1)"#,
        rows,
        after.as_secs_f64(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Puts the halves of a row's cases in its place; its nodes stay with the first.
pub async fn split(pool: &PgPool, row: Uuid, cases: &[String]) -> Result<(), sqlx::Error> {
    let (front, back) = cases.split_at(cases.len() / 2);
    query!(
        r#"WITH whole AS (DELETE FROM link_work WHERE work_id = $1 RETURNING office_id, nodes, enqueued_at)
           INSERT INTO link_work (work_id, office_id, source_case_ids, nodes, enqueued_at)
           SELECT gen_random_uuid(), office_id, $2::text[], nodes, enqueued_at FROM whole
            UNION ALL SELECT gen_random_uuid(), office_id, $3::text[], '{}', enqueued_at FROM whole"#,
        row,
        front,
        back,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Sets work aside that failed again and again.
pub async fn set_aside(pool: &PgPool, work: &Work) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE link_work SET set_aside_at = now(), cause = $2 WHERE work_id = ANY($1)",
        &work.rows,
        work.cause.map(Cause::code),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Takes work up again that was set aside a day ago.
pub async fn retry_set_aside(pool: &PgPool) -> Result<(), sqlx::Error> {
    query!(
        r#"UPDATE link_work SET set_aside_at = NULL, leased_until = NULL, attempts = 0, cause = NULL
            WHERE set_aside_at < now() - interval '1 day'"#
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// How much waits, what is being done included.
pub async fn waiting(pool: &PgPool) -> Result<Waiting, sqlx::Error> {
    let row = query!(
        r#"SELECT coalesce(sum(cardinality(source_case_ids)) FILTER (WHERE set_aside_at IS NULL), 0)::bigint AS "cases!",
                  coalesce(sum(cardinality(nodes)) FILTER (WHERE office_id IS NULL AND set_aside_at IS NULL), 0)::bigint
                      AS "nodes!",
                  coalesce(extract(epoch FROM now() - min(enqueued_at) FILTER (WHERE set_aside_at IS NULL)), 0)::float8
                      AS "lag!",
                  count(*) FILTER (WHERE set_aside_at IS NOT NULL) AS "set_aside!"
             FROM link_work"#
    )
    .fetch_one(pool)
    .await?;
    Ok(Waiting {
        cases: u64::try_from(row.cases).map_err(decode_error)?,
        nodes: u64::try_from(row.nodes).map_err(decode_error)?,
        lag: Duration::from_secs_f64(row.lag.max(0.0)),
        set_aside: u64::try_from(row.set_aside).map_err(decode_error)?,
    })
}

/// Whether nothing waits.
pub async fn is_drained(pool: &PgPool) -> Result<bool, sqlx::Error> {
    query_scalar!(
        r#"SELECT NOT EXISTS (SELECT FROM link_work WHERE set_aside_at IS NULL) AS "drained!""#
    )
    .fetch_one(pool)
    .await
}
