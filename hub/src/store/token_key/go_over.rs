//! Going over to the next token key: what is written in the one transaction in which it comes into force. Nobody else
//! stores tokens meanwhile ([`crate::store::token_key::keep_out`]), and whoever reads sees what stood until it commits.
//!
//! What an office sent as next tokens moves rows of that office alone.

use linkage::matter::MatterKey;
use linkage::office::OfficeId;
use sqlx::{PgConnection, query};

use crate::store::decode::{decode_error, parse};

/// Rows that came under the next key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    pub cases: u64,
    pub parties: u64,
    pub subjects: u64,
    /// Cases that keep tokens of the key that is given up.
    pub left: u64,
}

/// Puts next tokens in the place of the present ones, and points at the cases that have none.
pub async fn cases(connection: &mut PgConnection, key_id: i32) -> Result<Moved, sqlx::Error> {
    Ok(Moved {
        left: left_behind(connection, key_id).await?,
        parties: parties(connection, key_id).await?,
        subjects: subjects(connection, key_id).await?,
        cases: content(connection, key_id).await?,
    })
}

async fn content(connection: &mut PgConnection, key_id: i32) -> Result<u64, sqlx::Error> {
    let moved = query!(
        r#"UPDATE case_record c SET content_hash = n.content_hash FROM next_case n
            WHERE n.office_id = c.office_id AND n.source_case_id = c.source_case_id AND n.key_id = $1"#,
        key_id,
    )
    .execute(connection)
    .await?;
    Ok(moved.rows_affected())
}

/// A token is put only where its like was.
async fn parties(connection: &mut PgConnection, key_id: i32) -> Result<u64, sqlx::Error> {
    let moved = query!(
        r#"UPDATE party p
              SET id_token = CASE WHEN p.id_token IS NOT NULL THEN n.identifier END,
                  id_unverified = CASE WHEN p.id_unverified IS NOT NULL THEN n.identifier END,
                  id_segments = CASE WHEN p.id_segments IS NOT NULL THEN n.segments END,
                  id_key = CASE WHEN p.id_key IS NOT NULL THEN $1::integer END,
                  phone_token = CASE WHEN p.phone_token IS NOT NULL THEN n.phone END
             FROM next_party n
             JOIN next_case k ON k.office_id = n.office_id AND k.source_case_id = n.source_case_id
            WHERE n.office_id = p.office_id AND n.source_case_id = p.source_case_id AND n.ordinal = p.ordinal
              AND k.key_id = $1"#,
        key_id,
    )
    .execute(connection)
    .await?;
    Ok(moved.rows_affected())
}

async fn subjects(connection: &mut PgConnection, key_id: i32) -> Result<u64, sqlx::Error> {
    let moved = query!(
        r#"UPDATE subject s SET token = n.token
             FROM next_subject n
             JOIN next_case k ON k.office_id = n.office_id AND k.source_case_id = n.source_case_id
            WHERE n.office_id = s.office_id AND n.source_case_id = s.source_case_id AND n.ordinal = s.ordinal
              AND k.key_id = $1"#,
        key_id,
    )
    .execute(connection)
    .await?;
    Ok(moved.rows_affected())
}

async fn left_behind(connection: &mut PgConnection, key_id: i32) -> Result<u64, sqlx::Error> {
    let left = query!(
        r#"INSERT INTO quality_finding (office_id, source_case_id, rule_id, revision, found_at)
           SELECT c.office_id, c.source_case_id, $2, c.revision, now() FROM case_record c
            WHERE NOT EXISTS (SELECT FROM next_case n WHERE n.office_id = c.office_id
                                 AND n.source_case_id = c.source_case_id AND n.key_id = $1)
              AND (EXISTS (SELECT FROM party p WHERE p.office_id = c.office_id AND p.source_case_id = c.source_case_id
                              AND coalesce(p.id_token, p.id_unverified, p.phone_token) IS NOT NULL)
                   OR EXISTS (SELECT FROM subject s WHERE s.office_id = c.office_id
                                 AND s.source_case_id = c.source_case_id))
           ON CONFLICT (office_id, source_case_id, rule_id, field) DO UPDATE SET revision = excluded.revision"#,
        key_id,
        crate::case::quality::TOKEN_KEY_OUTDATED,
    )
    .execute(connection)
    .await?;
    Ok(left.rows_affected())
}

/// What no source brings again. Near relatives that are parties of the same office's cases move with them; other tokens
/// are outdated, and intents to accept, which stand for a day, are gone.
pub async fn declared(connection: &mut PgConnection, key_id: i32) -> Result<(), sqlx::Error> {
    query!("DELETE FROM lookup_intent")
        .execute(&mut *connection)
        .await?;
    query!("UPDATE honey_token SET outdated = true")
        .execute(&mut *connection)
        .await?;
    query!(
        r#"WITH pair AS (
               SELECT p.office_id, p.id_token AS former, array_agg(DISTINCT n.identifier) AS next
                 FROM party p
                 JOIN next_party n ON n.office_id = p.office_id AND n.source_case_id = p.source_case_id
                                  AND n.ordinal = p.ordinal
                 JOIN next_case k ON k.office_id = p.office_id AND k.source_case_id = p.source_case_id
                WHERE k.key_id = $1 AND n.identifier IS NOT NULL AND p.id_token IN (SELECT token FROM recusal)
                GROUP BY p.office_id, p.id_token),
           told AS (SELECT office_id, former, next[1] AS next, cardinality(next) AS ways,
                           count(*) OVER (PARTITION BY office_id, next[1]) AS sharers FROM pair)
           UPDATE recusal r
              SET token = coalesce(t.next, r.token), outdated = t.next IS NULL
             FROM recusal o LEFT JOIN told t
               ON t.office_id = o.office_id AND t.former = o.token AND t.ways = 1 AND t.sharers = 1
            WHERE r.office_id = o.office_id AND r.licence_no = o.licence_no AND r.token = o.token"#,
        key_id,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The offices' own cases by which standing questions' keys can be told under the next key.
pub async fn of_standing_questions(
    connection: &mut PgConnection,
) -> Result<Vec<(OfficeId, String)>, sqlx::Error> {
    let rows = query!(
        r#"SELECT DISTINCT m.office_id, m.source_case_id
             FROM standing_key k
             JOIN standing_question q ON q.question_id = k.question_id
             JOIN matter_key m ON m.key = k.key AND m.office_id = q.office_id
            ORDER BY 1, 2"#
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| Ok((parse(&row.office_id)?, row.source_case_id)))
        .collect()
}

/// Puts the keys of standing questions under the next key, each by what its own office's cases show, without two of them
/// disagreeing. A question with a key that none shows is outdated.
pub async fn standing_questions(
    connection: &mut PgConnection,
    pairs: &[(OfficeId, MatterKey, MatterKey)],
) -> Result<(), sqlx::Error> {
    let offices: Vec<&str> = pairs.iter().map(|(office, ..)| office.as_str()).collect();
    let former: Vec<&[u8]> = pairs
        .iter()
        .map(|(_, key, _)| &key.as_bytes()[..])
        .collect();
    let next: Vec<&[u8]> = pairs
        .iter()
        .map(|(_, _, key)| &key.as_bytes()[..])
        .collect();
    query!(
        r#"WITH shown AS (
               SELECT office_id, former, array_agg(DISTINCT next) AS next
                 FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS pair (office_id, former, next)
                GROUP BY office_id, former),
           told AS (
               SELECT k.question_id, k.key, s.next[1] AS next
                 FROM standing_key k
                 JOIN standing_question q ON q.question_id = k.question_id
                 LEFT JOIN shown s ON s.office_id = q.office_id AND s.former = k.key AND cardinality(s.next) = 1),
           whole AS (
               SELECT question_id, bool_and(next IS NOT NULL) AND count(DISTINCT next) = count(*) AS is_told
                 FROM told GROUP BY question_id),
           moved AS (
               UPDATE standing_key k SET key = t.next
                 FROM told t JOIN whole w ON w.question_id = t.question_id AND w.is_told
                WHERE k.question_id = t.question_id AND k.key = t.key)
           UPDATE standing_question q SET outdated = true
             FROM whole w WHERE w.question_id = q.question_id AND NOT w.is_told"#,
        &offices as &[&str],
        &former as &[&[u8]],
        &next as &[&[u8]],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A key's id as it is stored.
pub fn stored(key_id: u32) -> Result<i32, sqlx::Error> {
    i32::try_from(key_id).map_err(decode_error)
}
