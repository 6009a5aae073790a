//! `feed_day` and `lookup_day`: offices' feeds and look-ups, day by day.

use linkage::office::OfficeId;
use sqlx::{PgExecutor, PgPool, query};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::store::decode::parse;
use crate::store::feed::Heard;
use crate::store::tx;

/// Where a feed stands.
#[derive(Clone, Debug)]
pub struct Standing {
    pub office_id: OfficeId,
    pub connected: bool,
    pub epoch: Option<Uuid>,
    pub committed_sequence: i64,
    /// Records that the agent says still wait at it.
    pub waiting: i64,
    pub last_commit_at: Option<OffsetDateTime>,
    /// When everything that the agent had was here; `None` when it never was.
    pub up_to_date_at: Option<OffsetDateTime>,
    pub open_rejects: i64,
    /// Cases that the office should look at.
    pub flawed_cases: i64,
    /// Cases that count.
    pub cases: i64,
}

/// What a sample found.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    pub standing: &'a Standing,
    pub late: bool,
    pub lag_seconds: i64,
}

/// How a feed was in a period.
#[derive(Clone, Debug)]
pub struct Past {
    pub office_id: OfficeId,
    pub samples: i64,
    pub late_samples: i64,
    pub longest_lag_seconds: i64,
    pub most_waiting: i64,
    pub records: i64,
}

/// The feeds of all active offices, or of one office.
pub async fn standings(
    executor: impl PgExecutor<'_>,
    office: Option<OfficeId>,
) -> Result<Vec<Standing>, sqlx::Error> {
    let rows = query!(
        r#"SELECT o.office_id, s.epoch AS "epoch?", s.committed_sequence AS "committed_sequence?",
                  s.backlog AS "backlog?", s.committed_at, s.caught_up_at, s.last_seen_at,
                  coalesce(s.last_seen_at > now() - interval '15 seconds', false) AS "connected!",
                  coalesce(r.rejects, 0) AS "rejects!", coalesce(q.cases, 0) AS "flawed!",
                  coalesce(c.cases, 0) AS "cases!"
             FROM office o
             LEFT JOIN sync_position s ON s.office_id = o.office_id
             LEFT JOIN (SELECT office_id, count(*) AS rejects FROM reject WHERE resolved_at IS NULL GROUP BY 1) r
               ON r.office_id = o.office_id
             LEFT JOIN (SELECT office_id, count(DISTINCT source_case_id) AS cases FROM quality_finding GROUP BY 1) q
               ON q.office_id = o.office_id
             LEFT JOIN (SELECT office_id, sum(applied)::bigint AS cases FROM rollup WHERE cut = 'day' GROUP BY 1) c
               ON c.office_id = o.office_id
            WHERE o.status = 'active' AND ($1::text IS NULL OR o.office_id = $1)
            ORDER BY o.office_id"#,
        office.as_ref().map(OfficeId::as_str),
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Standing {
                office_id: parse(&row.office_id)?,
                connected: row.connected,
                epoch: row.epoch,
                committed_sequence: row.committed_sequence.unwrap_or_default(),
                waiting: row.backlog.unwrap_or_default(),
                last_commit_at: row.committed_at,
                up_to_date_at: Heard {
                    committed_sequence: row.committed_sequence,
                    backlog: row.backlog,
                    caught_up_at: row.caught_up_at,
                    last_seen_at: row.last_seen_at,
                }
                .up_to_date_at(),
                open_rejects: row.rejects,
                flawed_cases: row.flawed,
                cases: row.cases,
            })
        })
        .collect()
}

/// Adds samples to their day, unless another hub has just done so.
pub async fn add_samples(
    pool: &PgPool,
    day: Date,
    samples: &[Sample<'_>],
) -> Result<(), sqlx::Error> {
    let offices: Vec<&str> = samples
        .iter()
        .map(|s| s.standing.office_id.as_str())
        .collect();
    let late: Vec<bool> = samples.iter().map(|sample| sample.late).collect();
    let lags: Vec<i64> = samples.iter().map(|sample| sample.lag_seconds).collect();
    let waiting: Vec<i64> = samples.iter().map(|s| s.standing.waiting).collect();
    let epochs: Vec<Option<Uuid>> = samples.iter().map(|s| s.standing.epoch).collect();
    let sequences: Vec<i64> = samples
        .iter()
        .map(|s| s.standing.committed_sequence)
        .collect();
    query!(
        r#"INSERT INTO feed_day AS d (office_id, day, samples, late_samples, longest_lag_seconds, most_waiting, records,
                                      epoch, sequence, sampled_at)
           SELECT k.office_id, $1, 1, k.late::integer, k.lag, k.waiting,
                  greatest(0, k.sequence - coalesce(before.sequence, 0)), k.epoch, k.sequence, now()
             FROM unnest($2::text[], $3::boolean[], $4::bigint[], $5::bigint[], $6::uuid[], $7::bigint[])
                  AS k (office_id, late, lag, waiting, epoch, sequence)
             LEFT JOIN LATERAL (SELECT d.epoch, d.sequence FROM feed_day d WHERE d.office_id = k.office_id AND d.day < $1
                                 ORDER BY d.day DESC LIMIT 1) AS before ON before.epoch IS NOT DISTINCT FROM k.epoch
           ON CONFLICT (office_id, day) DO UPDATE SET
               samples = d.samples + 1, late_samples = d.late_samples + excluded.late_samples,
               longest_lag_seconds = greatest(d.longest_lag_seconds, excluded.longest_lag_seconds),
               most_waiting = greatest(d.most_waiting, excluded.most_waiting),
               records = d.records + greatest(0, excluded.sequence -
                   CASE WHEN d.epoch IS NOT DISTINCT FROM excluded.epoch THEN d.sequence ELSE 0 END),
               epoch = excluded.epoch, sequence = excluded.sequence, sampled_at = excluded.sampled_at
            WHERE d.sampled_at < excluded.sampled_at - interval '5 minutes'"#,
        day,
        &offices as &[&str],
        &late,
        &lags,
        &waiting,
        &epochs as &[Option<Uuid>],
        &sequences,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// How feeds were from one day to another, by office.
pub async fn past(
    executor: impl PgExecutor<'_>,
    first: Date,
    last: Date,
) -> Result<Vec<Past>, sqlx::Error> {
    let rows = query!(
        r#"SELECT office_id, sum(samples)::bigint AS "samples!", sum(late_samples)::bigint AS "late_samples!",
                  max(longest_lag_seconds) AS "longest_lag_seconds!", max(most_waiting) AS "most_waiting!",
                  sum(records)::bigint AS "records!"
             FROM feed_day WHERE day BETWEEN $1 AND $2 GROUP BY office_id"#,
        first,
        last,
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Past {
                office_id: parse(&row.office_id)?,
                samples: row.samples,
                late_samples: row.late_samples,
                longest_lag_seconds: row.longest_lag_seconds,
                most_waiting: row.most_waiting,
                records: row.records,
            })
        })
        .collect()
}

/// Counts look-ups of the audit log that are not counted yet, some of them; false when none is left. Entries are
/// durable in the order of their numbers, so that none is ever overtaken.
pub async fn count_lookups(pool: &PgPool) -> Result<bool, sqlx::Error> {
    const AT_ONCE: i64 = 50_000;
    let mut transaction = tx::begin(pool).await?;
    let counted = query!("SELECT entry_no FROM lookup_counted FOR UPDATE")
        .fetch_one(&mut *transaction)
        .await?
        .entry_no;
    query!(
        r#"INSERT INTO lookup_day AS d (office_id, day, hit, no_hit, denied)
           SELECT office_id, (recorded_at AT TIME ZONE 'Asia/Shanghai')::date, count(*) FILTER (WHERE outcome = 'hit'),
                  count(*) FILTER (WHERE outcome = 'no_hit'), count(*) FILTER (WHERE outcome = 'denied')
             FROM audit_entry
            WHERE entry_no > $1 AND entry_no <= $1 + $2 AND action = 'lookup.check_application'
              AND office_id IS NOT NULL
            GROUP BY 1, 2
           ON CONFLICT (office_id, day) DO UPDATE SET
               hit = d.hit + excluded.hit, no_hit = d.no_hit + excluded.no_hit, denied = d.denied + excluded.denied"#,
        counted,
        AT_ONCE,
    )
    .execute(&mut *transaction)
    .await?;
    let moved = query!(
        r#"UPDATE lookup_counted SET entry_no = k.last
             FROM (SELECT max(entry_no) AS last FROM audit_entry WHERE entry_no > $1 AND entry_no <= $1 + $2) k
            WHERE k.last IS NOT NULL"#,
        counted,
        AT_ONCE,
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(moved.rows_affected() == 1)
}
