//! `sync_position`: how far each office's feed has come, and who speaks for it now.

use std::collections::HashMap;

use linkage::office::OfficeId;
use sqlx::{PgConnection, PgExecutor, PgPool, query, query_scalar};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::store::decode::{decode_error, parse};

/// More than any office has. What an agent says beyond that is no number to reckon with: added to others it would overflow,
/// and no feed of any office would be shown.
const MOST_BACKLOG: i64 = 1 << 40;

/// Where an office's feed stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub epoch: Uuid,
    pub committed_sequence: u64,
}

/// Where a feed has come to in a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub office_id: OfficeId,
    pub committed_sequence: u64,
    /// Records that still wait at the agent; 0 means caught up.
    pub backlog: u64,
}

/// What an agent says of itself when it opens a stream.
#[derive(Clone, Copy, Debug)]
pub struct Greeting<'a> {
    pub office_id: OfficeId,
    pub epoch: Uuid,
    /// Highest sequence its outbox has given out.
    pub last_sequence: u64,
    pub agent_version: &'a str,
    /// Agent's clock minus the hub's.
    pub clock_skew_ms: Option<i64>,
    /// Id of the token key that it has beside the present one.
    pub next_token_key: Option<i32>,
}

/// An open stream as the database knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    pub committed_sequence: u64,
    /// Tells this stream from every other one of the office, at whichever hub.
    pub connected_at: OffsetDateTime,
}

/// Holds the offices' feeds for the rest of the transaction and says where they stand: one writer for an
/// office at a time, at whichever hub. Rows are taken in the order of their keys, so that two hubs never
/// wait for each other crosswise.
pub async fn lock(
    connection: &mut PgConnection,
    offices: &[OfficeId],
) -> Result<HashMap<OfficeId, Position>, sqlx::Error> {
    let offices: Vec<&str> = offices.iter().map(OfficeId::as_str).collect();
    let rows = query!(
        r#"SELECT office_id, epoch, committed_sequence FROM sync_position
            WHERE office_id = ANY($1) ORDER BY office_id FOR UPDATE"#,
        &offices as &[&str],
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let position = Position {
                epoch: row.epoch,
                committed_sequence: u64::try_from(row.committed_sequence).map_err(decode_error)?,
            };
            Ok((parse(&row.office_id)?, position))
        })
        .collect()
}

/// Moves the positions of feeds that this transaction holds.
pub async fn advance(
    connection: &mut PgConnection,
    progress: &[Progress],
) -> Result<(), sqlx::Error> {
    if progress.is_empty() {
        return Ok(());
    }
    let offices: Vec<&str> = progress.iter().map(|p| p.office_id.as_str()).collect();
    let sequences: Vec<i64> = progress
        .iter()
        .map(|p| bigint(p.committed_sequence))
        .collect();
    let backlogs = progress.iter().map(|p| bigint(p.backlog).min(MOST_BACKLOG));
    let backlogs: Vec<i64> = backlogs.collect();
    query!(
        r#"UPDATE sync_position s
              SET committed_sequence = k.sequence, committed_at = now(), backlog = k.backlog,
                  caught_up_at = CASE WHEN k.backlog = 0 THEN now() ELSE s.caught_up_at END
             FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS k (office_id, sequence, backlog)
            WHERE s.office_id = k.office_id"#,
        &offices as &[&str],
        &sequences,
        &backlogs,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Opens a stream: the same epoch goes on where it was, a newer one (UUIDv7 order) starts at 0. `None` when
/// the hub knows a newer epoch than the agent's. Waits for a transaction that holds the feed.
///
/// A greeting says that the office has caught up only when its outbox has given something out and all of it is here:
/// an outbox that has given out nothing may not have read its sources yet.
pub async fn open(
    executor: impl PgExecutor<'_>,
    greeting: &Greeting<'_>,
) -> Result<Option<Opened>, sqlx::Error> {
    let row = query!(
        r#"INSERT INTO sync_position AS s (office_id, epoch, committed_sequence, backlog, agent_version, clock_skew_ms,
                                           connected_at, last_seen_at, next_token_key)
           VALUES ($1, $2, 0, least($7::bigint, $3), $4, $5, clock_timestamp(), now(), $6)
           ON CONFLICT (office_id) DO UPDATE SET
               committed_sequence = CASE WHEN s.epoch = $2 THEN s.committed_sequence ELSE 0 END,
               backlog = least($7::bigint,
                               greatest(0, $3 - CASE WHEN s.epoch = $2 THEN s.committed_sequence ELSE 0 END)),
               caught_up_at = CASE WHEN $3 > 0 AND s.epoch = $2 AND s.committed_sequence = $3
                                   THEN now() ELSE s.caught_up_at END,
               epoch = $2, agent_version = $4, clock_skew_ms = $5,
               connected_at = excluded.connected_at, last_seen_at = now(), next_token_key = $6
            WHERE s.epoch <= $2
           RETURNING committed_sequence, connected_at AS "connected_at!""#,
        greeting.office_id.as_str(),
        greeting.epoch,
        bigint(greeting.last_sequence),
        greeting.agent_version,
        greeting.clock_skew_ms,
        greeting.next_token_key,
        MOST_BACKLOG,
    )
    .fetch_optional(executor)
    .await?;
    row.map(|row| {
        Ok(Opened {
            committed_sequence: u64::try_from(row.committed_sequence).map_err(decode_error)?,
            connected_at: row.connected_at,
        })
    })
    .transpose()
}

/// Says that the stream is open at this moment. False when a newer stream of the office has taken over.
pub async fn seen(
    pool: &PgPool,
    office_id: OfficeId,
    connected_at: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = query!(
        "UPDATE sync_position SET last_seen_at = now() WHERE office_id = $1 AND connected_at = $2",
        office_id.as_str(),
        connected_at,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The hub's data epoch: another one means that the hub was restored from a backup.
pub async fn hub_epoch(pool: &PgPool) -> Result<Uuid, sqlx::Error> {
    query_scalar!("SELECT hub_epoch FROM hub_state")
        .fetch_one(pool)
        .await
}

/// Begins another data epoch.
pub async fn renew_hub_epoch(pool: &PgPool) -> Result<Uuid, sqlx::Error> {
    query_scalar!("UPDATE hub_state SET hub_epoch = gen_random_uuid() RETURNING hub_epoch")
        .fetch_one(pool)
        .await
}

/// Sequences beyond `bigint` are refused at the edge.
fn bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
