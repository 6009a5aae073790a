//! Taking entries in, with the cursor that was read up to them.

use notary_proto::hub::v1 as wire;
use prost::Message;
use rusqlite::{OptionalExtension, Transaction, params};
use time::{Duration, OffsetDateTime};

use super::entry::content_hash;
use super::{Cursor, Disposition, Entry, OutboxError, next_key, reject};
use crate::config::SourceName;

/// How often content that the hub refused may be offered again unchanged, seconds: what made the hub refuse
/// it may have gone meanwhile (another case gave up the number), but not with every poll.
const REFUSED_AGAIN_AFTER: i64 = 3600;

/// Stores entries and cursor; returns what became of each and the last sequence given out.
pub(super) fn append(
    tx: &Transaction<'_>,
    source: &SourceName,
    entries: Vec<Entry>,
    cursor: Option<&Cursor>,
    now: OffsetDateTime,
) -> Result<(Vec<Disposition>, u64), OutboxError> {
    let mut position: i64 =
        tx.query_row("SELECT last_position FROM state", [], |row| row.get(0))?;
    let first = position;
    let mut insert = tx.prepare_cached("INSERT INTO entry (position, record) VALUES (?1, ?2)")?;
    let mut dispositions = Vec::with_capacity(entries.len());
    for entry in entries {
        let record = match entry {
            Entry::Case(case) => {
                take_case(tx, *case, position + 1, now)?.map(wire::record::Payload::Case)
            }
            Entry::Rejected(rejected) => reject::take(tx, source, &rejected, now)?
                .then_some(wire::record::Payload::Rejected(rejected)),
        };
        dispositions.push(match record {
            None => Disposition::Unchanged,
            Some(payload) => {
                position += 1;
                let record = wire::Record {
                    payload: Some(payload),
                };
                insert.execute(params![position, record.encode_to_vec()])?;
                Disposition::Stored
            }
        });
    }
    drop(insert);
    tx.execute("UPDATE state SET last_position = ?1", params![position])?;
    tx.execute(
        "INSERT INTO source (name, cursor, written_at, stored) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name) DO UPDATE SET cursor = coalesce(excluded.cursor, cursor),
             written_at = excluded.written_at, stored = stored + excluded.stored",
        params![
            source.as_str(),
            cursor.map(|cursor| &cursor.0),
            now.unix_timestamp(),
            position - first
        ],
    )?;
    let base: i64 = tx.query_row("SELECT base FROM state", [], |row| row.get(0))?;
    Ok((
        dispositions,
        u64::try_from(position - base).unwrap_or_default(),
    ))
}

/// Puts one record behind the others, beside what the source reads. Returns the last sequence given out.
pub(super) fn put(
    tx: &Transaction<'_>,
    payload: wire::record::Payload,
) -> Result<u64, OutboxError> {
    let record = wire::Record {
        payload: Some(payload),
    };
    let (position, base): (i64, i64) = tx.query_row(
        "UPDATE state SET last_position = last_position + 1 RETURNING last_position, base",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    tx.prepare_cached("INSERT INTO entry (position, record) VALUES (?1, ?2)")?
        .execute(params![position, record.encode_to_vec()])?;
    Ok(u64::try_from(position - base).unwrap_or_default())
}

struct Known {
    content_hash: Vec<u8>,
    revision: u64,
    refused_at: Option<i64>,
    /// What is added to the revisions of the office's own system.
    raised: u64,
    /// The next key that the newest record has tokens under; 0 for none.
    next_key: u32,
}

impl Known {
    /// The hub lacks it and its record is not kept: whatever its content, it is news.
    fn is_wanted(&self) -> bool {
        self.content_hash.is_empty()
    }

    /// Whether a record with these tokens under the next key has nothing that the hub lacks of them.
    fn has(&self, next: Option<&wire::NextTokens>) -> bool {
        next.is_none_or(|next| next.key_id == self.next_key)
    }
}

/// The record as it goes out at `position`, or `None` when the hub need not hear of it.
fn take_case(
    tx: &Transaction<'_>,
    mut case: wire::CaseRecord,
    position: i64,
    now: OffsetDateTime,
) -> Result<Option<wire::CaseRecord>, OutboxError> {
    let hash = content_hash(&case);
    let known = known_case(tx, &case.source_case_id)?;
    if let Some(known) = known.as_ref().filter(|_| case.revision != 0) {
        case.revision = case.revision.saturating_add(known.raised);
    }
    if let Some(known) = known.as_ref().filter(|known| known.is_wanted()) {
        // The source's own revision may be one that the hub has under other content.
        if case.revision != 0 {
            case.revision = case.revision.max(known.revision);
        }
    } else if let Some(known) = &known {
        // What the hub would leave aside anyway: an older revision never changes anything.
        if case.revision != 0 && case.revision < known.revision {
            return Ok(None);
        }
        let offer_again = known
            .refused_at
            .is_some_and(|at| now.unix_timestamp() - at >= REFUSED_AGAIN_AFTER);
        // A case that was refused meanwhile goes out even with its old content: the hub's reject is open
        // until a good record comes.
        if known.content_hash == hash
            && known.has(case.next_tokens.as_ref())
            && !offer_again
            && !reject::has_own(tx, &case.source_case_id)?
        {
            return Ok(None);
        }
    }
    if case.revision == 0 {
        let after = known.as_ref().map_or(0, |known| known.revision + 1);
        case.revision = after.max(microseconds(now));
    }
    reject::clear_case(tx, &case.source_case_id)?;
    tx.prepare_cached(
        "INSERT INTO known_case (source_case_id, content_hash, revision, position, month) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (source_case_id) DO UPDATE SET content_hash = excluded.content_hash,
             revision = excluded.revision, refused_at = NULL, position = excluded.position, month = excluded.month",
    )?
    .execute(params![
        case.source_case_id,
        hash.as_slice(),
        case.revision.cast_signed(),
        position,
        month(&case)
    ])?;
    next_key::took(tx, &case)?;
    Ok(Some(case))
}

/// Month in which the hub counts a case: days since 1970-01-01 of its first day, 0 for a case without a day.
fn month(case: &wire::CaseRecord) -> i64 {
    let Some(days) = case.accepted_day.or(case.applied_day) else {
        return 0;
    };
    OffsetDateTime::UNIX_EPOCH
        .date()
        .checked_add(Duration::days(days.into()))
        .and_then(|day| day.replace_day(1).ok())
        .map_or(0, |first| {
            (first - OffsetDateTime::UNIX_EPOCH.date()).whole_days()
        })
}

fn known_case(tx: &Transaction<'_>, id: &str) -> Result<Option<Known>, OutboxError> {
    Ok(tx
        .prepare_cached(
            "SELECT known_case.content_hash, revision, refused_at, coalesce(raised, 0), coalesce(key_id, 0)
             FROM known_case LEFT JOIN lift USING (source_case_id)
                  LEFT JOIN next_tokens USING (source_case_id) WHERE source_case_id = ?1",
        )?
        .query_row(params![id], |row| {
            Ok(Known {
                content_hash: row.get(0)?,
                revision: row.get::<_, i64>(1)?.cast_unsigned(),
                refused_at: row.get(2)?,
                raised: row.get::<_, i64>(3)?.cast_unsigned(),
                next_key: row.get(4)?,
            })
        })
        .optional()?)
}

/// Microseconds since 1970: an outbox that was lost and rebuilt goes on above what it gave out before.
fn microseconds(now: OffsetDateTime) -> u64 {
    u64::try_from(now.unix_timestamp_nanos() / 1000).unwrap_or_default()
}

/// Where a source stands.
pub(super) fn cursor(
    connection: &rusqlite::Connection,
    source: &SourceName,
) -> Result<Option<Cursor>, OutboxError> {
    let cursor: Option<Option<String>> = connection
        .query_row(
            "SELECT cursor FROM source WHERE name = ?1",
            params![source.as_str()],
            |row| row.get(0),
        )
        .optional()?;
    Ok(cursor.flatten().map(Cursor))
}
