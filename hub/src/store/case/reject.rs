//! `reject`: records in quarantine, until a later good record of the same case, or at the same place, clears them.

use std::ops::RangeInclusive;

use linkage::office::OfficeId;
use linkage::vocabulary::FoundBy;
use sqlx::{PgConnection, PgExecutor, PgPool, query};
use uuid::Uuid;

use crate::case::CaseKey;
use crate::ingest::batch::HubReject;
use crate::ingest::plan::{Quarantined, Reason};
use crate::store::columns;

/// Clears whatever stands against cases that are in order now.
pub async fn resolve(
    connection: &mut PgConnection,
    settled: &[CaseKey<'_>],
) -> Result<(), sqlx::Error> {
    if settled.is_empty() {
        return Ok(());
    }
    let (offices, cases) = columns(settled);
    query!(
        r#"UPDATE reject r SET resolved_at = now()
             FROM unnest($1::text[], $2::text[]) AS k (office_id, record_key)
            WHERE r.office_id = k.office_id AND r.record_key = k.record_key AND r.resolved_at IS NULL"#,
        &offices as &[&str],
        &cases as &[&str],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What the hub refused of these sequences of an epoch and what no good record has settled yet: the newest `most`, in
/// their order.
pub async fn open_of(
    executor: impl PgExecutor<'_>,
    office_id: OfficeId,
    epoch: Uuid,
    sequences: RangeInclusive<u64>,
    most: usize,
) -> Result<Vec<HubReject>, sqlx::Error> {
    let rows = query!(
        r#"SELECT sequence AS "sequence!", record_key, rule_id, field,
                  record_key = concat('sequence:', epoch, ':', sequence) AS "is_place!"
             FROM reject
            WHERE office_id = $1 AND resolved_at IS NULL AND found_by = 'hub' AND epoch = $2
              AND sequence BETWEEN $3 AND $4
            ORDER BY sequence DESC LIMIT $5"#,
        office_id.as_str(),
        epoch,
        bigint(*sequences.start()),
        bigint(*sequences.end()),
        i64::try_from(most).unwrap_or(i64::MAX),
    )
    .fetch_all(executor)
    .await?;
    let rejects = rows.into_iter().rev().filter_map(|row| {
        Some(HubReject {
            sequence: row.sequence.unsigned_abs(),
            source_case_id: (!row.is_place).then_some(row.record_key),
            // A later version's rule says nothing to this one.
            rule: row.rule_id.parse().ok()?,
            field: row.field,
        })
    });
    Ok(rejects.collect())
}

/// Clears what earlier epochs of an office's outbox brought without a key: a new epoch offers everything that is kept
/// again, under other sequences, and a good record can never be known to be that one.
pub async fn forget_places(
    pool: &PgPool,
    office_id: OfficeId,
    epoch: Uuid,
) -> Result<(), sqlx::Error> {
    query!(
        r#"UPDATE reject SET resolved_at = now()
            WHERE office_id = $1 AND resolved_at IS NULL AND epoch < $2
              AND record_key = concat('sequence:', epoch, ':', sequence)"#,
        office_id.as_str(),
        epoch,
    )
    .execute(pool)
    .await?;
    Ok(())
}

#[derive(Default)]
struct Columns<'a> {
    office_id: Vec<&'a str>,
    record_key: Vec<&'a str>,
    rule_id: Vec<&'a str>,
    field: Vec<&'a str>,
    source_location: Vec<Option<&'a str>>,
    value_shape: Vec<Option<&'a str>>,
    found_by: Vec<&'static str>,
    epoch: Vec<Option<Uuid>>,
    sequence: Vec<Option<i64>>,
    revision: Vec<Option<i64>>,
    resolved: Vec<bool>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, reject: &'a Quarantined<'_>) {
        let (found_by, location, shape) = match reject.reason {
            Reason::Agent(agent) => (
                FoundBy::Agent,
                agent.source_location.as_deref(),
                agent.value_shape.as_deref(),
            ),
            Reason::Hub { .. } => (FoundBy::Hub, None, None),
        };
        // Only of what the hub refused the agent must hear.
        let at = matches!(reject.reason, Reason::Hub { .. })
            .then(|| (reject.epoch, i64::try_from(reject.sequence).ok()));
        self.office_id.push(reject.office_id.as_str());
        self.record_key.push(&reject.record_key);
        self.rule_id.push(reject.reason.rule_id());
        self.field.push(reject.reason.field());
        self.source_location.push(location);
        self.value_shape.push(shape);
        self.found_by.push(found_by.code());
        self.epoch.push(at.map(|(epoch, _)| epoch));
        self.sequence.push(at.and_then(|(_, sequence)| sequence));
        self.revision.push(reject.revision);
        self.resolved.push(reject.resolved);
    }
}

/// Puts records into quarantine; one seen before only moves its last sight.
pub async fn record(
    connection: &mut PgConnection,
    quarantined: &[Quarantined<'_>],
) -> Result<(), sqlx::Error> {
    if quarantined.is_empty() {
        return Ok(());
    }
    let mut c = Columns::default();
    for reject in quarantined {
        c.push(reject);
    }
    query!(
        r#"INSERT INTO reject (office_id, record_key, rule_id, field, source_location, value_shape, found_by, epoch,
                               sequence, revision, first_seen_at, last_seen_at, resolved_at)
           SELECT DISTINCT ON (office_id, record_key, rule_id, field)
                  office_id, record_key, rule_id, field, source_location, value_shape, found_by, epoch, sequence,
                  revision, now(), now(), CASE WHEN resolved THEN now() END
             FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::uuid[], $9::bigint[], $10::bigint[], $11::boolean[]) WITH ORDINALITY
                  AS q (office_id, record_key, rule_id, field, source_location, value_shape, found_by, epoch, sequence,
                        revision, resolved, at)
            ORDER BY office_id, record_key, rule_id, field, at DESC
           ON CONFLICT (office_id, record_key, rule_id, field) DO UPDATE SET
               source_location = excluded.source_location, value_shape = excluded.value_shape,
               found_by = excluded.found_by, epoch = excluded.epoch, sequence = excluded.sequence,
               revision = excluded.revision, last_seen_at = excluded.last_seen_at, resolved_at = excluded.resolved_at"#,
        &c.office_id as &[&str],
        &c.record_key as &[&str],
        &c.rule_id as &[&str],
        &c.field as &[&str],
        &c.source_location as &[Option<&str>],
        &c.value_shape as &[Option<&str>],
        &c.found_by as &[&str],
        &c.epoch as &[Option<Uuid>],
        &c.sequence as &[Option<i64>],
        &c.revision as &[Option<i64>],
        &c.resolved,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Sequences beyond `bigint` are refused at the edge.
fn bigint(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}
