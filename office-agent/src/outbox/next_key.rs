//! What a change of the city's token key has come to here: for which key the sources were begun again, and which cases
//! have gone out with tokens under it.

use notary_proto::hub::v1 as wire;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::entry::content_hash;
use super::{OutboxError, begin_again, go_over};

/// The next key that the hub asked for last; `None` when it asks for none.
pub(super) fn asked(connection: &Connection) -> Result<Option<u32>, OutboxError> {
    Ok(connection
        .query_row("SELECT key_id FROM next_key", [], |row| row.get(0))
        .optional()?)
}

/// Notes the key that the hub asks for. Another one than before has every source read from its beginning.
pub(super) fn ask(tx: &Transaction<'_>, key_id: Option<u32>) -> Result<(), OutboxError> {
    if asked(tx)? == key_id {
        return Ok(());
    }
    tx.execute("DELETE FROM next_key", [])?;
    if let Some(key_id) = key_id {
        tx.execute(
            "INSERT INTO next_key (one, key_id) VALUES (1, ?1)",
            params![key_id],
        )?;
        begin_again::ask_all(tx)?;
    }
    Ok(())
}

/// Notes what tokens the case's newest record has.
pub(super) fn took(tx: &Transaction<'_>, case: &wire::CaseRecord) -> Result<(), OutboxError> {
    match &case.next_tokens {
        Some(next) => tx
            .prepare_cached(
                "INSERT INTO next_tokens (source_case_id, key_id, content_hash) VALUES (?1, ?2, ?3)
                 ON CONFLICT (source_case_id) DO UPDATE SET key_id = excluded.key_id,
                     content_hash = excluded.content_hash",
            )?
            .execute(params![
                case.source_case_id,
                next.key_id,
                hash_to_come(case, next).as_slice()
            ])?,
        None => tx
            .prepare_cached("DELETE FROM next_tokens WHERE source_case_id = ?1")?
            .execute(params![case.source_case_id])?,
    };
    Ok(())
}

/// What tells the content apart once the next tokens are its only ones.
fn hash_to_come(case: &wire::CaseRecord, next: &wire::NextTokens) -> [u8; 16] {
    let mut later = case.clone();
    go_over::put_in_place(&mut later, next.clone());
    content_hash(&later)
}
