//! What is refused now, here or at the hub, for `office-agent status`.
//!
//! A refused row is known by its case's key; one without a key by its location. So a later refusal takes the
//! place of the earlier one, and a good record of the case, or a good row at the location, ends it.

use notary_proto::hub::v1 as wire;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{OutboxError, append, window};
use crate::config::SourceName;

const OWN: &str = "agent";
pub(super) const HUB: &str = "hub";

/// A refusal that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReject {
    /// `agent` or `hub`: who refused.
    pub origin: String,
    /// Source of the row; empty when the hub refused.
    pub source: String,
    /// The case's key; empty when the row has none.
    pub source_case_id: String,
    /// Where the row stands; for a record without a key that the hub refused, its sequence in the outbox.
    pub location: String,
    /// Stable rule id.
    pub rule_id: String,
    /// Canonical field; may be empty.
    pub field: String,
    /// Shape of the value.
    pub value_shape: String,
    /// What the hub says about it, Chinese; empty when the agent refused.
    pub message_zh: String,
    /// When, seconds since 1970.
    pub rejected_at: i64,
}

/// Takes an own refusal in; says whether the hub must hear of it: not of one it has heard.
pub(super) fn take(
    tx: &Transaction<'_>,
    source: &SourceName,
    rejected: &wire::RejectedRecord,
    now: OffsetDateTime,
) -> Result<bool, OutboxError> {
    let place = place(&rejected.source_case_id, &rejected.source_location);
    let known: Option<(String, String, String)> = tx
        .prepare_cached(
            "SELECT rule_id, field, value_shape FROM reject
             WHERE origin = ?1 AND source = ?2 AND place = ?3",
        )?
        .query_row(params![OWN, source.as_str(), place], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let same = known.is_some_and(|(rule, field, shape)| {
        rule == rejected.rule_id && field == rejected.field && shape == rejected.value_shape
    });
    let at = rejected
        .rejected_at
        .map_or(now.unix_timestamp(), |at| at.seconds);
    tx.prepare_cached("INSERT OR REPLACE INTO reject VALUES (?1,?2,?3,?4,?5,?6,?7,?8,'',?9,NULL)")?
        .execute(params![
            OWN,
            source.as_str(),
            place,
            rejected.source_case_id,
            rejected.source_location,
            rejected.rule_id,
            rejected.field,
            rejected.value_shape,
            at
        ])?;
    Ok(!same)
}

/// Keeps what the hub refused, and remembers at the case that the hub does not hold its last content. Says whether it
/// is news: the hub tells what it told before, and a refusal may be heard when a later record of the case, whose fate
/// is not known yet, has ended it.
pub(super) fn take_from_hub(
    tx: &Transaction<'_>,
    reject: &wire::RecordReject,
    now: OffsetDateTime,
) -> Result<bool, OutboxError> {
    let location = match reject.source_case_id.as_str() {
        "" => format!("sequence:{}", reject.sequence),
        _ => String::new(),
    };
    if is_known(tx, reject, &location)? || is_out_of_date(tx, reject)? {
        return Ok(false);
    }
    tx.prepare_cached("INSERT OR REPLACE INTO reject VALUES (?1,'',?2,?3,?4,?5,?6,'',?7,?8,NULL)")?
        .execute(params![
            HUB,
            place(&reject.source_case_id, &location),
            reject.source_case_id,
            location,
            reject.rule_id,
            reject.field,
            reject.message_zh,
            now.unix_timestamp()
        ])?;
    tx.execute(
        "UPDATE known_case SET refused_at = ?2 WHERE source_case_id = ?1",
        params![reject.source_case_id, now.unix_timestamp()],
    )?;
    Ok(true)
}

/// Whether the refusal stands here already, by case and rule.
fn is_known(
    tx: &Transaction<'_>,
    reject: &wire::RecordReject,
    location: &str,
) -> Result<bool, OutboxError> {
    Ok(tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM reject WHERE origin = ?1 AND source = '' AND place = ?2 AND rule_id = ?3)",
        )?
        .query_row(
            params![HUB, place(&reject.source_case_id, location), reject.rule_id],
            |row| row.get(0),
        )?)
}

/// Whether a later record of the case than the refused one waits for the hub or has gone out.
fn is_out_of_date(tx: &Transaction<'_>, reject: &wire::RecordReject) -> Result<bool, OutboxError> {
    let position = window::position_of(tx, reject.sequence)?;
    Ok(tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM known_case WHERE source_case_id = ?1 AND position > ?2)",
        )?
        .query_row(params![reject.source_case_id, position], |row| row.get(0))?)
}

/// Ends the hub's refusals of records without a case key: their sequences mean others in the epoch to come, in which
/// the hub refuses them again.
pub(super) fn forget_sequences(tx: &Transaction<'_>) -> Result<(), OutboxError> {
    tx.execute(
        "DELETE FROM reject WHERE origin = ?1 AND source_case_id = ''",
        params![HUB],
    )?;
    Ok(())
}

/// Whether a row of the case is refused here now.
pub(super) fn has_own(tx: &Transaction<'_>, source_case_id: &str) -> Result<bool, OutboxError> {
    Ok(tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM reject WHERE source_case_id = ?1 AND origin = ?2)",
        )?
        .query_row(params![source_case_id, OWN], |row| row.get(0))?)
}

/// Ends every refusal of a case: a good record of it is on its way.
pub(super) fn clear_case(tx: &Transaction<'_>, source_case_id: &str) -> Result<(), OutboxError> {
    tx.prepare_cached("DELETE FROM reject WHERE source_case_id = ?1")?
        .execute(params![source_case_id])?;
    Ok(())
}

/// Whether rows of the source without a case key are refused now.
pub(super) fn any_without_key(
    connection: &Connection,
    source: &SourceName,
) -> Result<bool, OutboxError> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM reject WHERE source_case_id = '' AND source = ?1 AND origin = ?2)",
        )?
        .query_row(params![source.as_str(), OWN], |row| row.get(0))?)
}

/// Ends refusals of rows without a case key where good rows stand now, and puts the word for the hub into the outbox:
/// it cannot know by itself that the record of a case stands where one without a key was refused. A location that
/// names no row (`sql:cases`) stands for many rows, so it ends nothing. Returns the last sequence given out, if any was.
pub(super) fn clear_locations(
    tx: &Transaction<'_>,
    source: &SourceName,
    locations: &[String],
) -> Result<Option<u64>, OutboxError> {
    let mut delete = tx.prepare_cached(
        "DELETE FROM reject WHERE origin = ?1 AND source = ?2 AND place = ?3 AND source_case_id = ''
         RETURNING location, rule_id, field, rejected_at",
    )?;
    let mut last = None;
    for location in locations.iter().filter(|location| names_a_row(location)) {
        let ended = delete
            .query_row(params![OWN, source.as_str(), place("", location)], ended)
            .optional()?;
        if let Some(word) = ended {
            last = Some(append::put(tx, wire::record::Payload::Rejected(word))?);
        }
    }
    Ok(last)
}

/// Ends refusals without a case key that nobody has met since: no good row can be told to stand where they were, and the
/// hub would keep them for ever. Returns the last sequence given out, if any was.
pub(super) fn end_forgotten(tx: &Transaction<'_>, before: i64) -> Result<Option<u64>, OutboxError> {
    let words: Vec<_> = tx
        .prepare_cached(
            "DELETE FROM reject WHERE origin = ?1 AND source_case_id = '' AND rejected_at < ?2
             RETURNING location, rule_id, field, rejected_at",
        )?
        .query_map(params![OWN, before], ended)?
        .collect::<Result<_, _>>()?;
    let mut last = None;
    for word in words {
        last = Some(append::put(tx, wire::record::Payload::Rejected(word))?);
    }
    // What the hub refused without a key it knows by itself.
    tx.execute(
        "DELETE FROM reject WHERE source_case_id = '' AND rejected_at < ?1",
        params![before],
    )?;
    Ok(last)
}

/// The word to the hub that a refusal has ended.
fn ended(row: &Row<'_>) -> rusqlite::Result<wire::RejectedRecord> {
    Ok(wire::RejectedRecord {
        source_location: row.get(0)?,
        rule_id: row.get(1)?,
        field: row.get(2)?,
        rejected_at: Some(prost_types::Timestamp {
            seconds: row.get(3)?,
            nanos: 0,
        }),
        mended: true,
        ..wire::RejectedRecord::default()
    })
}

/// What is refused now, the newest first.
pub(super) fn open(connection: &Connection, limit: u32) -> Result<Vec<OpenReject>, OutboxError> {
    let mut statement = connection.prepare(
        "SELECT origin, source, source_case_id, location, rule_id, field, value_shape, message_zh, rejected_at
         FROM reject ORDER BY rejected_at DESC, origin, source, place LIMIT ?1",
    )?;
    let rows = statement.query_map(params![limit], |row| {
        Ok(OpenReject {
            origin: row.get(0)?,
            source: row.get(1)?,
            source_case_id: row.get(2)?,
            location: row.get(3)?,
            rule_id: row.get(4)?,
            field: row.get(5)?,
            value_shape: row.get(6)?,
            message_zh: row.get(7)?,
            rejected_at: row.get(8)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A pushed row has no place of its own, but whoever pushed it was told at once.
fn names_a_row(location: &str) -> bool {
    location.starts_with("push:")
        || location
            .rsplit_once(':')
            .is_some_and(|(_, row)| !row.is_empty() && row.bytes().all(|b| b.is_ascii_digit()))
}

/// Keys and locations must not meet: a key may look like a location.
fn place(source_case_id: &str, location: &str) -> String {
    match source_case_id {
        "" => format!("at {location}"),
        id => format!("case {id}"),
    }
}
