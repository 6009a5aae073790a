//! Going over to the key that follows the city's token key: what is kept here stands under the new one afterwards, as the
//! hub has it by then, in one transaction.
//!
//! A record that has its tokens under the new key gets them in the place of its own. One that has none and still waits
//! goes out without tokens: under the new key its old ones would be other numbers'. Its case, like every case of which the
//! hub was told no new tokens or refused what brought them, is read from its source again and goes out above the revision
//! that the hub has.

use notary_proto::hub::v1 as wire;
use prost::Message;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::entry::content_hash;
use super::{OutboxError, begin_again, seal};

/// The key that outboxes of before any change were made under.
const FIRST: u32 = 1;
/// Records looked at together.
const PART: u32 = 500;

/// Where a record stands, and the record.
type Kept = (i64, Option<wire::Record>);

/// The key under which records are made.
pub(super) fn key(connection: &Connection) -> Result<u32, OutboxError> {
    let gone_over = connection
        .prepare_cached("SELECT key_id FROM token_key")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(gone_over.unwrap_or(FIRST))
}

/// Has everything stand under this key. Where it does already, nothing changes.
pub(super) fn go_over(tx: &Transaction<'_>, key_id: u32) -> Result<(), OutboxError> {
    if key(tx)? == key_id {
        return Ok(());
    }
    let acked: i64 = tx.query_row("SELECT acked FROM state", [], |row| row.get(0))?;
    let mut behind = i64::MIN;
    loop {
        let part = entries(tx, behind)?;
        let Some((last, _)) = part.last() else { break };
        behind = *last;
        for (position, record) in part {
            if let Some(wire::record::Payload::Case(case)) = record.and_then(|it| it.payload) {
                move_case(tx, key_id, position, case, position > acked)?;
            }
        }
    }
    tx.execute(
        "UPDATE known_case SET content_hash = n.content_hash FROM next_tokens n
          WHERE n.source_case_id = known_case.source_case_id AND n.key_id = ?1 AND known_case.content_hash <> x''
            AND refused_at IS NULL",
        params![key_id],
    )?;
    read_the_rest_again(tx, key_id)?;
    tx.execute_batch("DELETE FROM next_tokens; DELETE FROM next_key; DELETE FROM token_key")?;
    tx.execute(
        "INSERT INTO token_key (one, key_id) VALUES (1, ?1)",
        params![key_id],
    )?;
    Ok(())
}

/// The next records behind a position. One that is damaged is left as it is: it is not sent.
fn entries(tx: &Transaction<'_>, behind: i64) -> Result<Vec<Kept>, OutboxError> {
    let mut statement = tx.prepare_cached(
        "SELECT position, record, seal FROM entry WHERE position > ?1 ORDER BY position LIMIT ?2",
    )?;
    let rows = statement.query_map(params![behind, PART], |row| {
        let position: i64 = row.get(0)?;
        let record = row.get_ref(1)?.as_blob().unwrap_or_default();
        let seal = row.get_ref(2)?.as_blob().unwrap_or_default();
        let whole = seal::entry_is_whole(position, record, seal);
        let record = whole.then(|| wire::Record::decode(record).ok()).flatten();
        Ok((position, record))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Puts a kept record under the key.
fn move_case(
    tx: &Transaction<'_>,
    key_id: u32,
    position: i64,
    mut case: wire::CaseRecord,
    waits: bool,
) -> Result<(), OutboxError> {
    match case.next_tokens.take() {
        Some(next) if next.key_id == key_id => put_in_place(&mut case, next),
        _ if waits => {
            strip(&mut case);
            // By the key: there is no index on positions.
            tx.prepare_cached(
                "UPDATE known_case SET content_hash = ?3 WHERE source_case_id = ?1 AND position = ?2",
            )?
            .execute(params![
                case.source_case_id,
                position,
                content_hash(&case).as_slice()
            ])?;
        }
        // The hub has it as it is, under the key of before: so it must not go out again under the new one, and its source is
        // asked for it instead.
        _ => {
            tx.prepare_cached(
                "UPDATE known_case SET position = NULL WHERE source_case_id = ?1 AND position = ?2",
            )?
            .execute(params![case.source_case_id, position])?;
        }
    }
    let record = wire::Record {
        payload: Some(wire::record::Payload::Case(case)),
    };
    tx.prepare_cached("UPDATE entry SET record = ?2 WHERE position = ?1")?
        .execute(params![position, record.encode_to_vec()])?;
    Ok(())
}

/// The record with its next tokens as its only ones.
pub(super) fn put_in_place(case: &mut wire::CaseRecord, next: wire::NextTokens) {
    for (party, tokens) in case.parties.iter_mut().zip(next.parties) {
        if let Some(identifier) = &mut party.identifier {
            identifier.token = tokens.identifier;
            identifier.segment_tokens = tokens.segments;
        }
        party.phone_token = tokens.phone;
    }
    for (subject, token) in case.subjects.iter_mut().zip(next.subjects) {
        subject.token = token;
    }
}

fn strip(case: &mut wire::CaseRecord) {
    for party in &mut case.parties {
        party.identifier = None;
        party.phone_token.clear();
    }
    case.subjects.clear();
}

/// Cases of which the hub took no tokens under the key have them as soon as a source brings them again, above what the hub
/// has of them: of one that it refused it may hold an earlier revision under the key of before.
fn read_the_rest_again(tx: &Transaction<'_>, key_id: u32) -> Result<(), OutboxError> {
    let left = tx.execute(
        "INSERT INTO lift (source_case_id, raised)
         SELECT source_case_id, 1 FROM known_case
          WHERE refused_at IS NOT NULL
             OR source_case_id NOT IN (SELECT source_case_id FROM next_tokens WHERE key_id = ?1)
         ON CONFLICT (source_case_id) DO UPDATE SET raised = raised + excluded.raised",
        params![key_id],
    )?;
    if left > 0 {
        begin_again::ask_all(tx)?;
    }
    Ok(())
}
