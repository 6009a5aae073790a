//! What a look-up reads: cases behind equal tokens, and how fresh the offices' feeds are.

use linkage::matter::{MatterKey, MatterType};
use linkage::name::mask_as;
use linkage::office::OfficeId;
use linkage::token::Token;
use linkage::vocabulary::{CaseState, PartyKind};
use sqlx::{PgPool, query};
use time::{Date, OffsetDateTime};

use super::decode::{decode_error, parse};

/// Cases looked at behind one token. A bank is a party in any number of them, and nobody reads that many.
const MOST_BEHIND_A_TOKEN: i64 = 1000;

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub party_tokens: Vec<Token>,
    pub subject_tokens: Vec<Token>,
    /// Matters that are shown to nobody but those who ask about a testator's estate.
    pub sealed: Vec<MatterType>,
    /// Tokens of those whose estate the look-up is about.
    pub decedents: Vec<Token>,
}

/// A case found.
#[derive(Clone, Debug)]
pub struct Found {
    pub office_id: OfficeId,
    pub office_name: String,
    pub source_case_id: String,
    pub case_no: Option<String>,
    pub matter_type: MatterType,
    pub state: CaseState,
    pub place_of_use: Option<String>,
    pub applied_on: Option<Date>,
    pub accepted_on: Option<Date>,
    pub first_recorded_at: OffsetDateTime,
    pub by_identifier: bool,
    pub by_subject: bool,
    pub masked_names: Vec<String>,
    /// Sorted.
    pub keys: Vec<MatterKey>,
}

/// How fresh one office's feed is.
#[derive(Clone, Debug)]
pub struct Freshness {
    pub office_id: OfficeId,
    pub office_name: String,
    pub last_commit_at: Option<OffsetDateTime>,
    pub caught_up_at: Option<OffsetDateTime>,
    pub connected: bool,
}

/// Cases with an equal party or subject, the most recently accepted first; at most `most`. The flag says whether
/// there may be more than were looked at.
pub async fn find(
    pool: &PgPool,
    wanted: &Wanted,
    most: i64,
) -> Result<(Vec<Found>, bool), sqlx::Error> {
    let bytes = |tokens: &[Token]| tokens.iter().map(|t| t.as_bytes().to_vec()).collect();
    let (parties, subjects): (Vec<Vec<u8>>, Vec<Vec<u8>>) =
        (bytes(&wanted.party_tokens), bytes(&wanted.subject_tokens));
    let decedents: Vec<Vec<u8>> = bytes(&wanted.decedents);
    let sealed: Vec<&str> = wanted.sealed.iter().map(|matter| matter.code()).collect();
    let rows = query!(
        r#"WITH same AS (
               SELECT p.office_id, p.source_case_id, true AS by_identifier
                 FROM unnest($1::bytea[]) AS t (token)
                CROSS JOIN LATERAL (SELECT office_id, source_case_id FROM party
                                     WHERE id_token = t.token LIMIT $3) AS p
                UNION ALL
               SELECT s.office_id, s.source_case_id, false
                 FROM unnest($2::bytea[]) AS t (token)
                CROSS JOIN LATERAL (SELECT office_id, source_case_id FROM subject
                                     WHERE token = t.token LIMIT $3) AS s),
           counted AS (
               SELECT office_id, source_case_id, bool_or(by_identifier) AS by_identifier,
                      bool_or(NOT by_identifier) AS by_subject, sum(count(*)) OVER () AS looked_at
                 FROM same GROUP BY office_id, source_case_id),
           newest AS (
               SELECT c.*, f.by_identifier, f.by_subject, f.looked_at
                 FROM counted f
                 JOIN case_record c ON c.office_id = f.office_id AND c.source_case_id = f.source_case_id
                WHERE c.state <> 'withdrawn'
                  AND (c.matter_type <> ALL ($4::text[]) OR EXISTS (
                      SELECT FROM party p WHERE p.office_id = c.office_id AND p.source_case_id = c.source_case_id
                                            AND p.role = 'testator' AND p.id_token = ANY ($5::bytea[])))
                ORDER BY c.accepted_on DESC NULLS LAST, c.office_id, c.source_case_id
                LIMIT $6)
           SELECT n.office_id AS "office_id!", o.name AS "office_name!", n.source_case_id AS "source_case_id!",
                  n.case_no, n.matter_type AS "matter_type!", n.state AS "state!", n.place_of_use, n.applied_on,
                  n.accepted_on, n.first_recorded_at AS "first_recorded_at!", n.by_identifier AS "by_identifier!",
                  n.by_subject AS "by_subject!", n.looked_at::bigint AS "looked_at!",
                  ARRAY (SELECT p.kind FROM party p WHERE p.office_id = n.office_id
                            AND p.source_case_id = n.source_case_id ORDER BY p.ordinal) AS "kinds!",
                  ARRAY (SELECT p.name FROM party p WHERE p.office_id = n.office_id
                            AND p.source_case_id = n.source_case_id ORDER BY p.ordinal) AS "names!",
                  ARRAY (SELECT k.key FROM matter_key k WHERE k.office_id = n.office_id
                            AND k.source_case_id = n.source_case_id ORDER BY k.key) AS "keys!"
             FROM newest n JOIN office o ON o.office_id = n.office_id
            ORDER BY n.accepted_on DESC NULLS LAST, n.office_id, n.source_case_id"#,
        &parties,
        &subjects,
        MOST_BEHIND_A_TOKEN,
        &sealed as &[&str],
        &decedents,
        most,
    )
    .fetch_all(pool)
    .await?;
    let cut = rows
        .first()
        .is_some_and(|row| row.looked_at >= MOST_BEHIND_A_TOKEN);
    let found = rows
        .into_iter()
        .map(|row| {
            Ok(Found {
                office_id: parse(&row.office_id)?,
                office_name: row.office_name,
                source_case_id: row.source_case_id,
                case_no: row.case_no,
                matter_type: parse(&row.matter_type)?,
                state: parse(&row.state)?,
                place_of_use: row.place_of_use,
                applied_on: row.applied_on,
                accepted_on: row.accepted_on,
                first_recorded_at: row.first_recorded_at,
                by_identifier: row.by_identifier,
                by_subject: row.by_subject,
                masked_names: masked(&row.kinds, &row.names)?,
                keys: keys(&row.keys)?,
            })
        })
        .collect::<Result<_, sqlx::Error>>()?;
    Ok((found, cut))
}

/// No name leaves this file whole.
fn masked(kinds: &[String], names: &[String]) -> Result<Vec<String>, sqlx::Error> {
    kinds
        .iter()
        .zip(names)
        .map(|(kind, name)| Ok(mask_as(parse::<PartyKind>(kind)?, name)))
        .collect()
}

fn keys(keys: &[Vec<u8>]) -> Result<Vec<MatterKey>, sqlx::Error> {
    keys.iter()
        .map(|key| MatterKey::try_from(key.as_slice()).map_err(decode_error))
        .collect()
}

/// Every office's feed. A stream that was not seen for 15 seconds is gone: it says so every 5.
pub async fn freshness(pool: &PgPool) -> Result<Vec<Freshness>, sqlx::Error> {
    let rows = query!(
        r#"SELECT o.office_id, o.name, s.committed_at AS "committed_at?", s.caught_up_at,
                  coalesce(s.last_seen_at > now() - interval '15 seconds', false) AS "connected!"
             FROM office o LEFT JOIN sync_position s ON s.office_id = o.office_id
            ORDER BY o.office_id"#
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Freshness {
                office_id: parse(&row.office_id)?,
                office_name: row.name,
                last_commit_at: row.committed_at,
                caught_up_at: row.caught_up_at,
                connected: row.connected,
            })
        })
        .collect()
}
