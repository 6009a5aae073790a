//! What the office has handed over, compared with what the hub says that it holds, and healing the differences.

use std::collections::{BTreeMap, HashMap};

use notary_proto::hub::v1 as wire;
use prost::Message;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Serialize;

use super::{OutboxError, append, seal};

/// Revisions that the outbox gives are microseconds since 1970; what is below comes from the office's system, and no
/// other may be made up for it.
const OWN_REVISIONS: u64 = 1_000_000_000_000_000;

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
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
}

impl Drift {
    /// Cases in which the two sides differ.
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
        ..Drift::default()
    };
    for known in known_of(tx, months, held.acked)? {
        match at_hub.remove(&known.id) {
            None => drift.missing += 1,
            Some(case) if case.content_hash == known.content_hash => continue,
            Some(case) if case.revision < known.revision => drift.differing += 1,
            Some(case) => {
                drift.differing += 1;
                put_right(tx, &known, Some(case.revision), &mut drift)?;
                continue;
            }
        }
        put_right(tx, &known, None, &mut drift)?;
    }
    for id in at_hub.keys() {
        // A case under way, or refused, is known.
        let known = tx
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM known_case WHERE source_case_id = ?1)")?
            .query_row(params![id], |row| row.get::<_, bool>(0))?;
        drift.only_at_hub += u64::from(!known);
    }
    read_again(tx, &drift)?;
    Ok(drift)
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

/// Sends the case's newest record again, under a revision above `above`; or has it read again.
fn put_right(
    tx: &Transaction<'_>,
    known: &Known,
    above: Option<u64>,
    drift: &mut Drift,
) -> Result<(), OutboxError> {
    let may_raise = known.revision >= OWN_REVISIONS;
    let kept = match above {
        Some(_) if !may_raise => None,
        _ => kept_case(tx, known)?,
    };
    let Some(mut case) = kept else {
        want(tx, known, above.filter(|_| may_raise))?;
        drift.to_read_again += 1;
        return Ok(());
    };
    if let Some(above) = above {
        case.revision = case.revision.max(above + 1);
    }
    let revision = case.revision.cast_signed();
    append::put(tx, wire::record::Payload::Case(case))?;
    tx.prepare_cached(
        "UPDATE known_case SET position = (SELECT last_position FROM state), revision = ?2
         WHERE source_case_id = ?1",
    )?
    .execute(params![known.id, revision])?;
    drift.resent += 1;
    Ok(())
}

/// Has the case taken as news when it is read again, under a revision above `above`.
fn want(tx: &Transaction<'_>, known: &Known, above: Option<u64>) -> Result<(), OutboxError> {
    let revision = above.map_or(known.revision, |above| known.revision.max(above + 1));
    tx.prepare_cached(
        "UPDATE known_case SET content_hash = x'', revision = ?2, position = NULL WHERE source_case_id = ?1",
    )?
    .execute(params![known.id, revision.cast_signed()])?;
    Ok(())
}

fn kept_case(tx: &Transaction<'_>, known: &Known) -> Result<Option<wire::CaseRecord>, OutboxError> {
    let Some(position) = known.position else {
        return Ok(None);
    };
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

/// Has the sources read anew, for records that are not kept and for cases that are not known: those once, for what the
/// office's system does not have any more stays at the hub.
fn read_again(tx: &Transaction<'_>, drift: &Drift) -> Result<(), OutboxError> {
    let before: i64 = tx.query_row("SELECT only_at_hub FROM state", [], |row| row.get(0))?;
    let only_at_hub = drift.only_at_hub.cast_signed();
    tx.execute("UPDATE state SET only_at_hub = ?1", params![only_at_hub])?;
    if drift.to_read_again > 0 || only_at_hub > before {
        tx.execute("UPDATE source SET read_again = 1", [])?;
    }
    Ok(())
}

/// Takes the wish to read a source anew, if there is one: its cursor is gone then.
pub(super) fn begin_again(tx: &Transaction<'_>, source: &str) -> Result<(), OutboxError> {
    tx.execute(
        "UPDATE source SET read_again = 0, cursor = NULL WHERE name = ?1",
        params![source],
    )?;
    Ok(())
}

/// Whether a source is to be read anew.
pub(super) fn is_to_begin_again(
    connection: &Connection,
    source: &str,
) -> Result<bool, OutboxError> {
    Ok(connection
        .prepare_cached("SELECT read_again FROM source WHERE name = ?1")?
        .query_row(params![source], |row| row.get(0))
        .optional()?
        .unwrap_or(false))
}
