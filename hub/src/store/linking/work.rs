//! `link_work`: cases and nodes that wait for linkage.

use std::time::Duration;

use linkage::node::NodeId;
use linkage::office::OfficeId;
use sqlx::{PgConnection, PgPool, query, query_scalar};
use uuid::Uuid;

use super::{node_id, uuids};
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
}

/// How much waits, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    pub cases: u64,
    pub nodes: u64,
    /// Age of the oldest.
    pub lag: Duration,
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

/// Takes the oldest work that nobody holds, of an office that nobody works for if there is one, and more of the same
/// office up to `most` cases. Nobody else gets it until the lease ends.
pub async fn take(pool: &PgPool, most: usize, lease: Duration) -> Result<Work, sqlx::Error> {
    let rows = query!(
        r#"WITH waiting AS (
               SELECT office_id, enqueued_at, work_id FROM link_work
                WHERE leased_until IS NULL OR leased_until < now()
                ORDER BY enqueued_at, work_id LIMIT 64),
           first AS (
               SELECT w.office_id FROM waiting w
                ORDER BY EXISTS (SELECT FROM link_work l WHERE l.office_id = w.office_id AND l.leased_until > now()),
                         w.enqueued_at, w.work_id
                LIMIT 1),
           summed AS (
               SELECT work_id, sum(size) OVER (ORDER BY enqueued_at, work_id) AS total,
                      row_number() OVER (ORDER BY enqueued_at, work_id) AS place
                 FROM (SELECT w.work_id, w.enqueued_at, cardinality(w.source_case_ids) + cardinality(w.nodes) AS size
                         FROM link_work w JOIN first f ON w.office_id IS NOT DISTINCT FROM f.office_id
                        WHERE w.leased_until IS NULL OR w.leased_until < now()
                        ORDER BY w.enqueued_at, w.work_id LIMIT 256) AS same),
           due AS (
               SELECT w.work_id FROM link_work w JOIN summed s ON s.work_id = w.work_id
                WHERE (s.total <= $1 OR s.place = 1) AND (w.leased_until IS NULL OR w.leased_until < now())
                ORDER BY w.enqueued_at, w.work_id
                  FOR UPDATE OF w SKIP LOCKED)
           UPDATE link_work w SET leased_until = now() + make_interval(secs => $2), attempts = attempts + 1
             FROM due WHERE w.work_id = due.work_id
           RETURNING w.work_id, w.office_id, w.source_case_ids, w.nodes"#,
        most as i64,
        lease.as_secs_f64(),
    )
    .fetch_all(pool)
    .await?;
    let mut work = Work::default();
    for row in rows {
        work.office_id = row.office_id.as_deref().map(parse).transpose()?;
        work.rows.push(row.work_id);
        work.cases.extend(row.source_case_ids);
        work.nodes.extend(row.nodes.into_iter().map(node_id));
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
pub async fn give_back(pool: &PgPool, rows: &[Uuid], after: Duration) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE link_work SET leased_until = now() + make_interval(secs => $2) WHERE work_id = ANY($1)",
        rows,
        after.as_secs_f64(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// How much waits, what is being done included.
pub async fn waiting(pool: &PgPool) -> Result<Waiting, sqlx::Error> {
    let row = query!(
        r#"SELECT coalesce(sum(cardinality(source_case_ids)), 0)::bigint AS "cases!",
                  coalesce(sum(cardinality(nodes)) FILTER (WHERE office_id IS NULL), 0)::bigint AS "nodes!",
                  coalesce(extract(epoch FROM now() - min(enqueued_at)), 0)::float8 AS "lag!"
             FROM link_work"#
    )
    .fetch_one(pool)
    .await?;
    Ok(Waiting {
        cases: u64::try_from(row.cases).map_err(decode_error)?,
        nodes: u64::try_from(row.nodes).map_err(decode_error)?,
        lag: Duration::from_secs_f64(row.lag.max(0.0)),
    })
}

/// Whether nothing waits.
pub async fn is_drained(pool: &PgPool) -> Result<bool, sqlx::Error> {
    query_scalar!(r#"SELECT NOT EXISTS (SELECT FROM link_work) AS "drained!""#)
        .fetch_one(pool)
        .await
}
