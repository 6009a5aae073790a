//! What the office has handed over, compared with what the hub says that it holds, and healing the differences.

use std::collections::{BTreeMap, HashMap};

use notary_proto::hub::v1 as wire;
use prost::Message;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};

use super::{OutboxError, append, begin_again, seal};

/// The hub keeps revisions in a signed column.
const LAST_REVISION: u64 = i64::MAX as u64;

/// What the hub should hold of one month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MonthHeld {
    /// Cases in it.
    pub cases: u64,
    /// Exclusive-or of their content hashes.
    pub digest: [u8; 16],
}

/// What the hub should hold, as of a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// By the days since 1970-01-01 of the month's first day.
    pub months: BTreeMap<i32, MonthHeld>,
    /// Cases of which the month is not known any more.
    pub without_month: u64,
    /// What stands behind it was not acknowledged then.
    pub acked: i64,
}

/// Differences between the two sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// Cases that the hub should hold.
    pub cases: u64,
    /// It has none of them.
    pub missing: u64,
    /// It has them with other content.
    pub differing: u64,
    /// It has them, and the outbox does not know them.
    pub only_at_hub: u64,
    /// Records put into the outbox again, to be sent.
    pub resent: u64,
    /// Cases whose records are not kept any more: the sources are read anew.
    pub to_read_again: u64,
    /// Cases that differ, and that no source brought when all were last read anew: they are not kept at the office any
    /// more, or are pushed. None of the differences above: nothing here can end them.
    pub unavailable: u64,
    /// Cases that the hub refused; it does not hold what they are now.
    pub refused: u64,
}

impl Drift {
    /// Cases in which the two sides differ, and which are being put right.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.missing + self.differing + self.only_at_hub
    }
}

/// Sums up by month what the hub has acknowledged and not refused.
pub(super) fn held(connection: &Connection) -> Result<Held, OutboxError> {
    let mut held = Held {
        acked: connection.query_row("SELECT acked FROM state", [], |row| row.get(0))?,
        ..Held::default()
    };
    let mut statement = connection.prepare(
        "SELECT month, content_hash FROM known_case
         WHERE refused_at IS NULL AND (position IS NULL OR position <= ?1)",
    )?;
    let mut rows = statement.query(params![held.acked])?;
    while let Some(row) = rows.next()? {
        let Some(month) = row.get(0)? else {
            held.without_month += 1;
            continue;
        };
        let of_month: &mut MonthHeld = held.months.entry(month).or_default();
        of_month.cases += 1;
        let hash = row.get_ref(1)?.as_blob().unwrap_or_default();
        for (sum, byte) in of_month.digest.iter_mut().zip(hash) {
            *sum ^= byte;
        }
    }
    Ok(held)
}

/// A case as it is known here.
struct Known {
    id: String,
    content_hash: Vec<u8>,
    revision: u64,
    position: Option<i64>,
}

/// What was done about a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    /// The newest record goes out again.
    Resent,
    /// It is not kept: the case is wanted from its source.
    Wanted,
    /// So it was before.
    StillWanted,
}

/// Compares case by case the months listed by the hub, and puts right what can be put right here.
pub(super) fn heal(
    tx: &Transaction<'_>,
    held: &Held,
    months: &[i32],
    at_hub: Vec<wire::CaseDigest>,
) -> Result<Drift, OutboxError> {
    let mut at_hub: HashMap<_, _> = at_hub
        .into_iter()
        .map(|case| (case.source_case_id.clone(), case))
        .collect();
    let mut drift = Drift {
        cases: held.months.values().map(|month| month.cases).sum::<u64>() + held.without_month,
        refused: refused(tx)?,
        ..Drift::default()
    };
    let mut newly_wanted = false;
    let has_been_read = !begin_again::any_is_asked(tx)?;
    for known in known_of(tx, months, held.acked)? {
        let to_exceed = match at_hub.remove(&known.id) {
            Some(case) if case.content_hash == known.content_hash => continue,
            case => case.map(|case| case.revision),
        };
        match put_right(tx, &known, to_exceed)? {
            Remedy::StillWanted if has_been_read => {
                drift.unavailable += 1;
                continue;
            }
            Remedy::Resent => drift.resent += 1,
            Remedy::StillWanted => drift.to_read_again += 1,
            Remedy::Wanted => {
                drift.to_read_again += 1;
                newly_wanted = true;
            }
        }
        match to_exceed {
            Some(_) => drift.differing += 1,
            None => drift.missing += 1,
        }
    }
    for id in at_hub.keys() {
        // A case under way, or refused, is known.
        let known = tx
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM known_case WHERE source_case_id = ?1)")?
            .query_row(params![id], |row| row.get::<_, bool>(0))?;
        drift.only_at_hub += u64::from(!known);
    }
    let before = read_again(tx, newly_wanted, drift.only_at_hub)?;
    if has_been_read {
        let unavailable = before.min(drift.only_at_hub);
        drift.only_at_hub -= unavailable;
        drift.unavailable += unavailable;
    }
    Ok(drift)
}

fn refused(tx: &Transaction<'_>) -> Result<u64, OutboxError> {
    let refused: i64 = tx.query_row(
        "SELECT count(*) FROM known_case WHERE refused_at IS NOT NULL",
        [],
        |row| row.get(0),
    )?;
    Ok(refused.unsigned_abs())
}

/// Cases of the months, and of no known month, that the hub had acknowledged before it was asked and has not refused.
/// None of them has changed since: a change takes a position behind `acked`.
fn known_of(tx: &Transaction<'_>, months: &[i32], acked: i64) -> Result<Vec<Known>, OutboxError> {
    let mut statement = tx.prepare(
        "SELECT source_case_id, content_hash, revision, position, month FROM known_case
         WHERE refused_at IS NULL AND (position IS NULL OR position <= ?1)",
    )?;
    let mut rows = statement.query(params![acked])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let month: Option<i32> = row.get(4)?;
        if month.is_none_or(|month| months.contains(&month)) {
            all.push(Known {
                id: row.get(0)?,
                content_hash: row.get(1)?,
                revision: row.get::<_, i64>(2)?.cast_unsigned(),
                position: row.get(3)?,
            });
        }
    }
    Ok(all)
}

/// Sends the case's newest record again, or has it read again, under a revision above `to_exceed`: the hub changes
/// nothing for one that it has.
fn put_right(
    tx: &Transaction<'_>,
    known: &Known,
    to_exceed: Option<u64>,
) -> Result<Remedy, OutboxError> {
    let raised = to_exceed.map_or(0, |revision| {
        let above = revision.saturating_add(1).min(LAST_REVISION);
        above.saturating_sub(known.revision)
    });
    lift(tx, known, raised)?;
    let kept = known.position.map(|position| kept_case(tx, position));
    let Some(mut case) = kept.transpose()?.flatten() else {
        return want(tx, known);
    };
    case.revision += raised;
    append::put(tx, wire::record::Payload::Case(case))?;
    tx.prepare_cached(
        "UPDATE known_case SET position = (SELECT last_position FROM state) WHERE source_case_id = ?1",
    )?
    .execute(params![known.id])?;
    Ok(Remedy::Resent)
}

/// Raises the case's revision, and what the office's system gives it from now on, so that the next one still counts.
fn lift(tx: &Transaction<'_>, known: &Known, raised: u64) -> Result<(), OutboxError> {
    if raised == 0 {
        return Ok(());
    }
    let raised = raised.cast_signed();
    tx.prepare_cached("UPDATE known_case SET revision = revision + ?2 WHERE source_case_id = ?1")?
        .execute(params![known.id, raised])?;
    tx.prepare_cached(
        "INSERT INTO lift (source_case_id, raised) VALUES (?1, ?2)
         ON CONFLICT (source_case_id) DO UPDATE SET raised = raised + excluded.raised",
    )?
    .execute(params![known.id, raised])?;
    Ok(())
}

/// Has the case taken as news when it is read again.
fn want(tx: &Transaction<'_>, known: &Known) -> Result<Remedy, OutboxError> {
    if known.content_hash.is_empty() {
        return Ok(Remedy::StillWanted);
    }
    tx.prepare_cached(
        "UPDATE known_case SET content_hash = x'', position = NULL WHERE source_case_id = ?1",
    )?
    .execute(params![known.id])?;
    Ok(Remedy::Wanted)
}

/// The case whose record stands there, when it is kept and whole.
pub(super) fn kept_case(
    tx: &Transaction<'_>,
    position: i64,
) -> Result<Option<wire::CaseRecord>, OutboxError> {
    let kept: Option<(Vec<u8>, Vec<u8>)> = tx
        .prepare_cached("SELECT record, seal FROM entry WHERE position = ?1")?
        .query_row(params![position], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let whole = kept
        .filter(|(record, seal)| seal::entry_is_whole(position, record, seal))
        .and_then(|(record, _)| wire::Record::decode(record.as_slice()).ok());
    Ok(match whole.and_then(|record| record.payload) {
        Some(wire::record::Payload::Case(case)) => Some(case),
        _ => None,
    })
}

/// Has the sources read anew, for cases that are wanted and for cases that are not known: those once, for what the
/// office's system does not have any more stays at the hub. What was wanted before does not begin a reading anew that is
/// under way, or it would never come to its end. Returns how many were not known before.
fn read_again(
    tx: &Transaction<'_>,
    newly_wanted: bool,
    only_at_hub: u64,
) -> Result<u64, OutboxError> {
    let before: i64 = tx.query_row("SELECT only_at_hub FROM state", [], |row| row.get(0))?;
    let only_at_hub = only_at_hub.cast_signed();
    tx.execute("UPDATE state SET only_at_hub = ?1", params![only_at_hub])?;
    if newly_wanted || only_at_hub > before {
        begin_again::ask_all(tx)?;
    }
    Ok(before.unsigned_abs())
}
