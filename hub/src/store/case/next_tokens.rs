//! `next_case`, `next_party`, `next_subject`: what cases' tokens are under the key that is to follow.

use linkage::token::Token;
use sqlx::{PgConnection, query};

use crate::case::{CaseKey, NextTokens};
use crate::store::columns;

/// Puts cases' next tokens in the place of those that are here of them, and takes those of `written` away that have none
/// now: their content is another.
pub async fn replace(
    connection: &mut PgConnection,
    written: &[CaseKey<'_>],
    tokens: &[(CaseKey<'_>, &NextTokens)],
) -> Result<(), sqlx::Error> {
    let here: Vec<CaseKey<'_>> = tokens.iter().map(|(key, _)| *key).collect();
    clear(connection, &[written, &here].concat()).await?;
    insert_cases(connection, tokens).await?;
    insert_parties(connection, tokens).await?;
    insert_subjects(connection, tokens).await
}

async fn clear(connection: &mut PgConnection, keys: &[CaseKey<'_>]) -> Result<(), sqlx::Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let (offices, cases) = columns(keys);
    query!(
        r#"WITH k AS (SELECT * FROM unnest($1::text[], $2::text[]) AS k (office_id, source_case_id)),
                gone AS (DELETE FROM next_case t USING k
                          WHERE t.office_id = k.office_id AND t.source_case_id = k.source_case_id),
                parties AS (DELETE FROM next_party t USING k
                             WHERE t.office_id = k.office_id AND t.source_case_id = k.source_case_id)
           DELETE FROM next_subject t USING k
            WHERE t.office_id = k.office_id AND t.source_case_id = k.source_case_id"#,
        &offices as &[&str],
        &cases as &[&str],
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_cases(
    connection: &mut PgConnection,
    tokens: &[(CaseKey<'_>, &NextTokens)],
) -> Result<(), sqlx::Error> {
    if tokens.is_empty() {
        return Ok(());
    }
    let keys: Vec<CaseKey<'_>> = tokens.iter().map(|(key, _)| *key).collect();
    let (offices, cases) = columns(&keys);
    let key_ids: Vec<i32> = tokens.iter().map(|(_, next)| next.key_id).collect();
    let hashes: Vec<&[u8]> = tokens
        .iter()
        .map(|(_, next)| next.content_hash.as_slice())
        .collect();
    query!(
        r#"INSERT INTO next_case (office_id, source_case_id, key_id, content_hash)
           SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::bytea[])"#,
        &offices as &[&str],
        &cases as &[&str],
        &key_ids,
        &hashes as &[&[u8]],
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_parties(
    connection: &mut PgConnection,
    tokens: &[(CaseKey<'_>, &NextTokens)],
) -> Result<(), sqlx::Error> {
    let (mut keys, mut ordinals): (Vec<CaseKey<'_>>, Vec<i16>) = Default::default();
    let mut identifiers: Vec<Option<&[u8]>> = Vec::new();
    let mut phones: Vec<Option<&[u8]>> = Vec::new();
    let mut segments: Vec<Option<Vec<u8>>> = Vec::new();
    for (key, next) in tokens {
        for (ordinal, party) in (0..).zip(&next.parties) {
            if party.identifier.is_none() && party.phone.is_none() {
                continue;
            }
            keys.push(*key);
            ordinals.push(ordinal);
            identifiers.push(party.identifier.as_ref().map(bytes));
            phones.push(party.phone.as_ref().map(bytes));
            segments.push(party.segments.as_ref().map(|tokens| side_by_side(tokens)));
        }
    }
    if keys.is_empty() {
        return Ok(());
    }
    let (offices, cases) = columns(&keys);
    query!(
        r#"INSERT INTO next_party (office_id, source_case_id, ordinal, identifier, segments, phone)
           SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::bytea[], $5::bytea[], $6::bytea[])"#,
        &offices as &[&str],
        &cases as &[&str],
        &ordinals,
        &identifiers as &[Option<&[u8]>],
        &segments as &[Option<Vec<u8>>],
        &phones as &[Option<&[u8]>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_subjects(
    connection: &mut PgConnection,
    tokens: &[(CaseKey<'_>, &NextTokens)],
) -> Result<(), sqlx::Error> {
    let (mut keys, mut ordinals): (Vec<CaseKey<'_>>, Vec<i16>) = Default::default();
    let mut subjects: Vec<&[u8]> = Vec::new();
    for (key, next) in tokens {
        for (ordinal, token) in (0..).zip(&next.subjects) {
            keys.push(*key);
            ordinals.push(ordinal);
            subjects.push(bytes(token));
        }
    }
    if keys.is_empty() {
        return Ok(());
    }
    let (offices, cases) = columns(&keys);
    query!(
        r#"INSERT INTO next_subject (office_id, source_case_id, ordinal, token)
           SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::bytea[])"#,
        &offices as &[&str],
        &cases as &[&str],
        &ordinals,
        &subjects as &[&[u8]],
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn bytes(token: &Token) -> &[u8] {
    token.as_bytes()
}

fn side_by_side(tokens: &[Token]) -> Vec<u8> {
    tokens.iter().flat_map(|token| *token.as_bytes()).collect()
}

/// Keeps whoever counts them out until the transaction ends, so that emptying them at its end waits for nobody.
pub async fn hold(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("LOCK TABLE next_case, next_party, next_subject IN ACCESS EXCLUSIVE MODE")
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes all of them away. The caller keeps writers out.
pub async fn empty(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    query!("TRUNCATE next_case, next_party, next_subject")
        .execute(connection)
        .await?;
    Ok(())
}
