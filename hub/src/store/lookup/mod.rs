//! What a look-up reads: cases behind equal tokens, and how fresh the offices' feeds are.
//!
//! | module | holds |
//! |---|---|
//! | [`details`] | entrusted verification between offices |
//! | [`intent`] | who is about to accept what |
//! | [`watch`] | standing questions |

pub mod details;
pub mod intent;
pub mod watch;

use linkage::matter::{MatterKey, MatterType};
use linkage::name::mask_as;
use linkage::office::OfficeId;
use linkage::token::Token;
use linkage::vocabulary::{CaseState, PartyKind, PartyRole};
use sqlx::{PgConnection, PgPool, query, query_file_as};
use time::{Date, OffsetDateTime};

use self::intent::Sought;
use super::decode::{decode_error, parse};
use super::feed::Heard;

/// Cases looked at behind one token. A bank is a party in any number of them, and nobody reads that many.
pub const MOST_BEHIND_A_TOKEN: i64 = 1000;
/// Cases of each office looked at where there are more: an office that sends any number of cases with somebody's number
/// hides no other office's.
pub const MOST_OF_AN_OFFICE: i64 = 100;

/// The statement behind every look-up, for measuring it apart from the hub.
pub const FIND: &str = include_str!("lookup.sql");

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub party_tokens: Vec<Token>,
    pub subject_tokens: Vec<Token>,
    /// Matters of which nothing is shown but what is opened.
    pub closed: Vec<MatterType>,
    pub opened: Vec<Opened>,
    /// Cases of persons, as linkage holds them: office and key.
    pub cases: Vec<(OfficeId, String)>,
}

/// Cases of a closed matter that are shown all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    pub matter_type: MatterType,
    /// The role in which …
    pub holder: PartyRole,
    /// … this person stands in the case.
    pub token: Token,
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
    /// Those asked for by which it was found.
    pub tokens: Vec<Token>,
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
    pub up_to_date_at: Option<OffsetDateTime>,
    pub connected: bool,
}

impl Wanted {
    /// By whom closed cases are opened: what the database itself goes by.
    pub fn holders(&self) -> Vec<Token> {
        self.opened.iter().map(|opened| opened.token).collect()
    }
}

/// What a search came to.
#[derive(Clone, Debug)]
pub struct Cases {
    /// The most recently accepted first.
    pub found: Vec<Found>,
    /// Whether there may be more; those told are each office's newest before its older ones then.
    pub is_cut: bool,
    /// Whether one of the intents that were sought may stand: [`intent::others`] says which do.
    pub is_intended: bool,
}

/// Cases with an equal party or subject, and those named, at most `most`. The connection reads as
/// [`super::scope::Searches::look_up`] has it.
pub async fn find(
    connection: &mut PgConnection,
    wanted: &Wanted,
    intents: Option<Sought<'_>>,
    most: i64,
) -> Result<Cases, sqlx::Error> {
    let bytes = |tokens: &[Token]| tokens.iter().map(|t| t.as_bytes().to_vec()).collect();
    let (parties, subjects): (Vec<Vec<u8>>, Vec<Vec<u8>>) =
        (bytes(&wanted.party_tokens), bytes(&wanted.subject_tokens));
    let closed = codes(&wanted.closed);
    let opened = || wanted.opened.iter();
    let matters: Vec<&str> = opened().map(|opened| opened.matter_type.code()).collect();
    let holders: Vec<&str> = opened().map(|opened| opened.holder.code()).collect();
    let tokens: Vec<&[u8]> = opened()
        .map(|opened| opened.token.as_bytes().as_slice())
        .collect();
    let (offices, cases): (Vec<&str>, Vec<&str>) = wanted
        .cases
        .iter()
        .map(|(office, case)| (office.as_str(), case.as_str()))
        .unzip();
    macro_rules! rows {
        ($statement:literal, $most:expr, $($further:expr),+) => {
            query_file_as!(
                Row,
                $statement,
                &parties,
                &subjects,
                MOST_BEHIND_A_TOKEN,
                &closed as &[&str],
                &matters as &[&str],
                &holders as &[&str],
                &tokens as &[&[u8]],
                $most,
                &offices as &[&str],
                &cases as &[&str],
                $($further),+
            )
            .fetch_all(&mut *connection)
            .await?
        };
    }
    let keys = intents.map_or_else(Vec::new, |sought| intent::bytes(sought.keys));
    let asking = intents
        .as_ref()
        .map_or("", |sought| sought.office_id.as_str());
    let untold = intents.map_or_else(Vec::new, |sought| codes(sought.untold));
    let mut rows = rows!(
        "src/store/lookup/lookup.sql",
        most + 1,
        &keys as &[&[u8]],
        asking,
        &untold as &[&str]
    );
    let all = rows.len();
    rows.retain(|row| !row.is_intent);
    let is_intended = rows.len() < all;
    let is_cut = rows.len() as i64 > most || rows.iter().any(|row| row.is_cut);
    if is_cut {
        rows = rows!(
            "src/store/lookup/lookup_crowded.sql",
            most,
            MOST_OF_AN_OFFICE
        );
    }
    Ok(Cases {
        found: rows.into_iter().map(Row::found).collect::<Result<_, _>>()?,
        is_cut,
        is_intended,
    })
}

fn codes(matters: &[MatterType]) -> Vec<&str> {
    matters.iter().map(|matter| matter.code()).collect()
}

/// A case as it is read.
struct Row {
    office_id: String,
    office_name: String,
    source_case_id: String,
    case_no: Option<String>,
    matter_type: String,
    state: String,
    place_of_use: Option<String>,
    applied_on: Option<Date>,
    accepted_on: Option<Date>,
    first_recorded_at: OffsetDateTime,
    by_identifier: bool,
    by_subject: bool,
    tokens: Vec<Vec<u8>>,
    is_cut: bool,
    is_intent: bool,
    kinds: Vec<String>,
    names: Vec<String>,
    keys: Vec<Vec<u8>>,
}

impl Row {
    fn found(self) -> Result<Found, sqlx::Error> {
        Ok(Found {
            office_id: parse(&self.office_id)?,
            office_name: self.office_name,
            source_case_id: self.source_case_id,
            case_no: self.case_no,
            matter_type: parse(&self.matter_type)?,
            state: parse(&self.state)?,
            place_of_use: self.place_of_use,
            applied_on: self.applied_on,
            accepted_on: self.accepted_on,
            first_recorded_at: self.first_recorded_at,
            by_identifier: self.by_identifier,
            by_subject: self.by_subject,
            tokens: tokens(&self.tokens)?,
            masked_names: masked(&self.kinds, &self.names)?,
            keys: keys(&self.keys)?,
        })
    }
}

/// No name leaves this file whole.
fn masked(kinds: &[String], names: &[String]) -> Result<Vec<String>, sqlx::Error> {
    kinds
        .iter()
        .zip(names)
        .map(|(kind, name)| Ok(mask_as(parse::<PartyKind>(kind)?, name)))
        .collect()
}

fn tokens(tokens: &[Vec<u8>]) -> Result<Vec<Token>, sqlx::Error> {
    tokens
        .iter()
        .map(|token| Token::try_from(token.as_slice()).map_err(decode_error))
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
        r#"SELECT o.office_id, o.name, s.committed_sequence AS "committed_sequence?", s.backlog AS "backlog?",
                  s.committed_at AS "committed_at?", s.caught_up_at, s.last_seen_at,
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
                up_to_date_at: Heard {
                    committed_sequence: row.committed_sequence,
                    backlog: row.backlog,
                    caught_up_at: row.caught_up_at,
                    last_seen_at: row.last_seen_at,
                }
                .up_to_date_at(),
                connected: row.connected,
            })
        })
        .collect()
}
