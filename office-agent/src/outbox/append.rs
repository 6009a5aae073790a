//! Taking entries in, with the cursor that was read up to them.

use notary_proto::hub::v1 as wire;
use prost::Message;
use rusqlite::{OptionalExtension, Transaction, params};
use time::{Duration, OffsetDateTime};

use super::decide::{Age, Known, Verdict, decide};
use super::entry::content_hash;
use super::{Cursor, Disposition, Entry, OutboxError, next_key, reject};
use crate::config::SourceName;

/// Stores entries and cursor; returns what became of each and the last sequence given out.
pub(super) fn append(
    tx: &Transaction<'_>,
    source: &SourceName,
    entries: Vec<Entry>,
    cursor: Option<&Cursor>,
    told_at: Option<i64>,
    now: OffsetDateTime,
) -> Result<(Vec<Disposition>, u64), OutboxError> {
    // A file from the future would stand against every later one.
    let now_nanoseconds = i64::try_from(now.unix_timestamp_nanos()).unwrap_or(i64::MAX);
    let told_at = told_at.map(|at| at.min(now_nanoseconds));
    let mut position: i64 =
        tx.query_row("SELECT last_position FROM state", [], |row| row.get(0))?;
    let first = position;
    let mut insert = tx.prepare_cached("INSERT INTO entry (position, record) VALUES (?1, ?2)")?;
    let mut dispositions = Vec::with_capacity(entries.len());
    for entry in entries {
        let taken = match entry {
            Entry::Case(case) => take_case(tx, *case, position + 1, told_at, now)?,
            Entry::Rejected(rejected) => take_rejected(tx, source, rejected, told_at, now)?,
        };
        dispositions.push(match taken {
            Taken::Left(disposition) => disposition,
            Taken::In(payload) => {
                position += 1;
                let record = wire::Record {
                    payload: Some(*payload),
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

/// What became of an entry.
enum Taken {
    /// It goes out so.
    In(Box<wire::record::Payload>),
    /// The hub need not hear of it.
    Left(Disposition),
}

fn take_rejected(
    tx: &Transaction<'_>,
    source: &SourceName,
    rejected: wire::RejectedRecord,
    told_at: Option<i64>,
    now: OffsetDateTime,
) -> Result<Taken, OutboxError> {
    let is_news = !is_superseded(tx, &rejected.source_case_id, told_at)?
        && reject::take(tx, source, &rejected, now)?;
    Ok(match is_news {
        true => Taken::In(Box::new(wire::record::Payload::Rejected(rejected))),
        false => Taken::Left(Disposition::Unchanged),
    })
}

/// The record as it goes out at `position`.
fn take_case(
    tx: &Transaction<'_>,
    mut case: wire::CaseRecord,
    position: i64,
    told_at: Option<i64>,
    now: OffsetDateTime,
) -> Result<Taken, OutboxError> {
    let hash = content_hash(&case);
    let known = known_case(tx, &case.source_case_id)?;
    let age = told_at.map(|told_at| Age {
        told_at,
        modified_at: case.modified_at.as_ref().map(|at| at.seconds),
    });
    let verdict = decide(known.as_ref(), &case, &hash, age, now);
    if !matches!(verdict, Verdict::Old | Verdict::Behind) {
        keep_age(tx, &case.source_case_id, known.as_ref(), age)?;
    }
    let (revision, raised) = match verdict {
        Verdict::Send { revision, raised } => (revision, raised),
        Verdict::Same | Verdict::Old => return Ok(Taken::Left(Disposition::Unchanged)),
        Verdict::Behind => return Ok(Taken::Left(Disposition::Behind)),
    };
    case.revision = revision;
    if let Some(raised) = raised {
        raise(tx, &case.source_case_id, raised)?;
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
    Ok(Taken::In(Box::new(wire::record::Payload::Case(case))))
}

/// Sets what is added to the revisions that the office's own system gives a case.
fn raise(tx: &Transaction<'_>, source_case_id: &str, raised: u64) -> Result<(), OutboxError> {
    tx.prepare_cached(
        "INSERT INTO lift (source_case_id, raised) VALUES (?1, ?2)
         ON CONFLICT (source_case_id) DO UPDATE SET raised = excluded.raised",
    )?
    .execute(params![source_case_id, raised.cast_signed()])?;
    Ok(())
}

/// Remembers how old it is what is known of a case now; what comes from a database is as new as its reading.
fn keep_age(
    tx: &Transaction<'_>,
    source_case_id: &str,
    known: Option<&Known>,
    age: Option<Age>,
) -> Result<(), OutboxError> {
    let before = known.and_then(|known| known.age);
    match age {
        same if same == before => {}
        Some(age) => {
            tx.prepare_cached(
                "INSERT INTO age (source_case_id, told_at, modified_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (source_case_id) DO UPDATE SET told_at = excluded.told_at, modified_at = excluded.modified_at",
            )?
            .execute(params![source_case_id, age.told_at, age.modified_at])?;
        }
        None => {
            tx.prepare_cached("DELETE FROM age WHERE source_case_id = ?1")?
                .execute(params![source_case_id])?;
        }
    }
    Ok(())
}

/// Whether something newer is known of a case than a file that refuses it.
fn is_superseded(
    tx: &Transaction<'_>,
    source_case_id: &str,
    told_at: Option<i64>,
) -> Result<bool, OutboxError> {
    Ok(tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM age WHERE source_case_id = ?1 AND told_at > ?2)",
        )?
        .query_row(params![source_case_id, told_at], |row| row.get(0))?)
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
    let known = tx
        .prepare_cached(
            "SELECT known_case.content_hash, revision, refused_at, coalesce(raised, 0), coalesce(key_id, 0),
                    told_at, modified_at
             FROM known_case LEFT JOIN lift USING (source_case_id)
                  LEFT JOIN next_tokens USING (source_case_id)
                  LEFT JOIN age USING (source_case_id) WHERE source_case_id = ?1",
        )?
        .query_row(params![id], |row| {
            let (told_at, modified_at): (Option<i64>, _) = (row.get(5)?, row.get(6)?);
            Ok(Known {
                content_hash: row.get(0)?,
                revision: row.get::<_, i64>(1)?.cast_unsigned(),
                refused_at: row.get(2)?,
                is_refused_here: false,
                raised: row.get::<_, i64>(3)?.cast_unsigned(),
                next_key: row.get(4)?,
                age: told_at.map(|told_at| Age {
                    told_at,
                    modified_at,
                }),
            })
        })
        .optional()?;
    let Some(known) = known else {
        return Ok(None);
    };
    Ok(Some(Known {
        is_refused_here: reject::has_own(tx, id)?,
        ..known
    }))
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
