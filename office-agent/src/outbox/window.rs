//! What waits for the hub, in order, and what the hub has committed.

use linkage::vocabulary::RejectRule;
use notary_proto::hub::v1 as wire;
use prost::Message;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{OutboxError, schema, seal};

/// Where the outbox stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// UUIDv7 of the outbox; changes when everything kept is offered anew.
    pub epoch: String,
    /// The hub's own epoch as last heard; empty before the first time.
    pub hub_epoch: String,
    /// Highest sequence given out.
    pub last: u64,
    /// Highest sequence the hub has committed.
    pub acked: u64,
    /// Nothing behind it was ever offered to the hub by this outbox.
    pub offered: u64,
    /// Lowest sequence that is still kept; `last + 1` when none is.
    pub first_kept: u64,
}

/// Consecutive records from the outbox.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// Sequence of the first; the others follow without a gap.
    pub first_sequence: u64,
    /// The records, in order; empty when none is there.
    pub records: Vec<wire::Record>,
    /// Records behind these.
    pub behind: u64,
}

struct State {
    base: i64,
    last: i64,
    acked: i64,
    offered: i64,
}

fn state(connection: &Connection) -> Result<State, OutboxError> {
    Ok(connection.query_row(
        "SELECT base, last_position, acked, offered FROM state",
        [],
        |row| {
            Ok(State {
                base: row.get(0)?,
                last: row.get(1)?,
                acked: row.get(2)?,
                offered: row.get(3)?,
            })
        },
    )?)
}

impl State {
    fn sequence(&self, position: i64) -> u64 {
        u64::try_from(position - self.base).unwrap_or_default()
    }

    fn position(&self, sequence: u64) -> i64 {
        self.base
            .saturating_add(i64::try_from(sequence).unwrap_or(i64::MAX))
    }
}

pub(super) fn position(connection: &Connection) -> Result<Position, OutboxError> {
    let state = state(connection)?;
    let (epoch, hub_epoch) =
        connection.query_row("SELECT epoch, hub_epoch FROM state", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let kept: Option<i64> = connection.query_row(
        "SELECT min(position) FROM entry WHERE position > ?1",
        params![state.base],
        |row| row.get(0),
    )?;
    Ok(Position {
        epoch,
        hub_epoch,
        last: state.sequence(state.last),
        acked: state.sequence(state.acked),
        offered: state.sequence(state.offered),
        first_kept: state.sequence(kept.unwrap_or(state.last + 1)),
    })
}

/// Where the record of a sequence stands.
pub(super) fn position_of(connection: &Connection, sequence: u64) -> Result<i64, OutboxError> {
    Ok(state(connection)?.position(sequence))
}

/// Up to `max_records` records from `from` on, together at most `max_bytes` long; one that is longer alone
/// comes alone.
pub(super) fn read(
    connection: &Connection,
    from: u64,
    max_records: u32,
    max_bytes: usize,
) -> Result<Window, OutboxError> {
    let state = state(connection)?;
    let mut statement = connection.prepare_cached(
        "SELECT position, record, seal FROM entry WHERE position >= ?1 ORDER BY position LIMIT ?2",
    )?;
    let mut rows = statement.query(params![state.position(from), max_records])?;
    let mut window = Window {
        first_sequence: from,
        ..Window::default()
    };
    let mut bytes = 0;
    let mut next = state.position(from);
    while let Some(row) = rows.next()? {
        let position: i64 = row.get(0)?;
        let record = row.get_ref(1)?.as_blob().unwrap_or_default();
        // Tag and length of the record in its batch.
        bytes += record.len() + 6;
        if position != next || (!window.records.is_empty() && bytes > max_bytes) {
            break;
        }
        let seal = row.get_ref(2)?.as_blob().unwrap_or_default();
        let sound = seal::entry_is_whole(position, record, seal)
            .then(|| wire::Record::decode(record).ok())
            .flatten();
        // Neither sent as it is nor holding up all that is behind it.
        let record = match sound {
            Some(record) => record,
            None => stand_in(connection, position)?,
        };
        window.records.push(record);
        next += 1;
    }
    window.behind = u64::try_from(state.last + 1 - next).unwrap_or_default();
    // Nothing where something has to be: without a word, all that is behind it would wait for ever.
    match window.records.is_empty() && window.behind > 0 && next > state.acked {
        true => Err(OutboxError::Missing { sequence: from }),
        false => Ok(window),
    }
}

/// Says to the hub that the record of a position is damaged here.
fn stand_in(connection: &Connection, position: i64) -> Result<wire::Record, OutboxError> {
    let source_case_id: Option<String> = connection
        .query_row(
            "SELECT source_case_id FROM known_case WHERE position = ?1",
            params![position],
            |row| row.get(0),
        )
        .optional()?;
    tracing::error!(
        position,
        "a record of the outbox is damaged; stop the agent and run `office-agent outbox check --mend`"
    );
    Ok(wire::Record {
        payload: Some(wire::record::Payload::Rejected(wire::RejectedRecord {
            source_case_id: source_case_id.unwrap_or_default(),
            source_location: format!("outbox:{position}"),
            rule_id: RejectRule::OutboxDamaged.code().to_owned(),
            ..wire::RejectedRecord::default()
        })),
    })
}

/// Everything there is may be sent from now on. Returns the last sequence given out.
pub(super) fn offer(tx: &Transaction<'_>) -> Result<u64, OutboxError> {
    tx.execute("UPDATE state SET offered = last_position", [])?;
    let state = state(tx)?;
    Ok(state.sequence(state.last))
}

/// The hub has committed everything up to `sequence`.
pub(super) fn acked(
    tx: &Transaction<'_>,
    sequence: u64,
    now: OffsetDateTime,
) -> Result<(), OutboxError> {
    let state = state(tx)?;
    let position = state.position(sequence).min(state.last);
    if position <= state.acked {
        return Ok(());
    }
    tx.execute("UPDATE state SET acked = ?1", params![position])?;
    tx.execute(
        "INSERT OR REPLACE INTO ack (hour, position) VALUES (?1, ?2)",
        params![now.unix_timestamp() / 3600, position],
    )?;
    Ok(())
}

/// Offers everything that is kept again, under a new epoch: the hub was restored from a backup, or this outbox
/// was, and sequences no longer mean the same on both sides.
pub(super) fn reoffer(
    tx: &Transaction<'_>,
    hub_epoch: &str,
    now: OffsetDateTime,
) -> Result<(), OutboxError> {
    let epoch: String = tx.query_row("SELECT epoch FROM state", [], |row| row.get(0))?;
    let epoch = schema::new_epoch(epoch.parse::<Uuid>().ok(), now);
    tx.execute("DELETE FROM ack", [])?;
    tx.execute(
        "UPDATE state SET epoch = ?1, hub_epoch = ?2,
             base = coalesce((SELECT min(position) - 1 FROM entry), last_position),
             acked = coalesce((SELECT min(position) - 1 FROM entry), last_position),
             offered = coalesce((SELECT min(position) - 1 FROM entry), last_position)",
        params![epoch.to_string(), hub_epoch],
    )?;
    Ok(())
}

/// Remembers the hub's epoch.
pub(super) fn set_hub_epoch(tx: &Transaction<'_>, hub_epoch: &str) -> Result<(), OutboxError> {
    tx.execute("UPDATE state SET hub_epoch = ?1", params![hub_epoch])?;
    Ok(())
}

/// Records the hub has not committed.
pub(super) fn backlog(connection: &Connection) -> Result<u64, OutboxError> {
    let state = state(connection)?;
    Ok(u64::try_from(state.last - state.acked).unwrap_or_default())
}
