//! `token_key_change`: changes of the city's token key, and which offices have come how far in one.
//!
//! Whoever stores tokens enters first ([`enter`]) and learns whether they are to be kept under a next key as well; a step
//! of a change keeps everybody out until it commits ([`keep_out`]), so that nobody stores by what was so before it.
//!
//! | module | holds |
//! |---|---|
//! | [`go_over`] | what is written when the next key comes into force |

pub mod go_over;

use linkage::office::OfficeId;
use linkage::token::TokenAlgorithm;
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor, PgPool, query, query_as, query_scalar};
use time::OffsetDateTime;

use super::decode::{decode_error, parse};
use super::{case::next_tokens, tx};

/// The advisory lock between those who store tokens and the steps of a change, apart from every other lock of the hub.
const FENCE: i64 = 0x746f_6b65_6e6b_6579; // "tokenkey"

/// The keys of the city as the database knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What tokens are made with; `None` while it is the city's first key, which stands in the folder alone.
    pub present: Option<InForce>,
    /// Id of the key that is to follow, while a change is under way.
    pub next: Option<u32>,
}

/// A key that came into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InForce {
    pub id: u32,
    pub algorithm: TokenAlgorithm,
}

impl Standing {
    /// Whether tokens made with this key are those that are stored; `None` for a caller who does not say. Before any key
    /// followed the first there is no other.
    pub fn admits(&self, told: Option<u32>) -> bool {
        self.present.is_none_or(|present| told == Some(present.id))
    }
}

/// Id of the key that a caller's tokens are made with, as the caller says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told(pub Option<u32>);

/// Why a caller's tokens are not stored.
#[derive(Debug, thiserror::Error)]
pub enum NotEntered {
    #[error("the city goes over to another token key at this moment")]
    Changing,
    #[error("the tokens are made with another key than the city's")]
    OtherKey,
    #[error("read the city's token keys: {0}")]
    Database(#[from] sqlx::Error),
}

/// Reads the keys.
pub async fn standing(executor: impl PgExecutor<'_>) -> Result<Standing, sqlx::Error> {
    let row = query!(
        r#"SELECT (SELECT key_id FROM token_key_change WHERE withdrawn_at IS NULL AND in_force_at IS NULL) AS next,
                  (SELECT max(key_id) FROM token_key_change WHERE in_force_at IS NOT NULL) AS present,
                  (SELECT algorithm FROM token_key_change WHERE in_force_at IS NOT NULL
                    ORDER BY key_id DESC LIMIT 1) AS algorithm"#
    )
    .fetch_one(executor)
    .await?;
    let present = match (row.present, row.algorithm) {
        (Some(id), Some(algorithm)) => Some(InForce {
            id: key_id(id)?,
            algorithm: parse(&algorithm)?,
        }),
        _ => None,
    };
    Ok(Standing {
        present,
        next: row.next.map(key_id).transpose()?,
    })
}

/// Lets the transaction store tokens: no step of a change is taken until it ends, and one that is being taken has to end
/// first.
pub async fn enter(connection: &mut PgConnection) -> Result<Standing, sqlx::Error> {
    query!("SELECT pg_advisory_xact_lock_shared($1)", FENCE)
        .execute(&mut *connection)
        .await?;
    // A statement of its own: it sees what was committed while the lock was waited for.
    standing(connection).await
}

/// The same for somebody whom nobody lets wait: `None` while a step is being taken.
pub async fn enter_now(connection: &mut PgConnection) -> Result<Option<Standing>, sqlx::Error> {
    let entered = query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock_shared($1) AS "entered!""#,
        FENCE
    )
    .fetch_one(&mut *connection)
    .await?;
    match entered {
        true => standing(connection).await.map(Some),
        false => Ok(None),
    }
}

/// The same with tokens that were made with the key `told`.
pub async fn enter_told(connection: &mut PgConnection, told: Told) -> Result<Standing, NotEntered> {
    match enter_now(connection).await? {
        None => Err(NotEntered::Changing),
        Some(standing) if standing.admits(told.0) => Ok(standing),
        Some(_) => Err(NotEntered::OtherKey),
    }
}

/// Waits until nobody stores tokens, and keeps everybody from it until the transaction ends.
pub async fn keep_out(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    query!("SELECT pg_advisory_xact_lock($1)", FENCE)
        .execute(connection)
        .await?;
    Ok(())
}

/// An office in a change of the key.
#[derive(Clone, Debug, Serialize)]
pub struct OfficeStanding {
    pub office_id: OfficeId,
    /// Whether it takes part; of one that was revoked, cases are here all the same.
    pub active: bool,
    /// Whether its agent had the next key when it last opened a stream.
    pub has_next: bool,
    /// When its agent was last there; `None` when it never was.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_seen_at: Option<OffsetDateTime>,
    /// Cases that have tokens under the present key and none under the next.
    pub lacking: u64,
}

/// Begins a change: gives the next key an id that none ever had, above all that are known here and `known` elsewhere.
/// `None` when a change is under way.
pub async fn begin(pool: &PgPool, known: u32, algorithm: &str) -> Result<Option<u32>, sqlx::Error> {
    let id = query_scalar!(
        r#"INSERT INTO token_key_change (key_id, algorithm)
           SELECT greatest($1, coalesce(max(key_id), 0)) + 1, $2 FROM token_key_change
           ON CONFLICT DO NOTHING
           RETURNING key_id"#,
        stored_id(known)?,
        algorithm,
    )
    .fetch_optional(pool)
    .await?;
    id.map(key_id).transpose()
}

/// The id of the key that is to follow, while a change is under way.
pub async fn under_way(executor: impl PgExecutor<'_>) -> Result<Option<u32>, sqlx::Error> {
    Ok(standing(executor).await?.next)
}

/// Takes the change that is under way back, and the tokens away that were stored for it. Returns the id of its key;
/// `None` when there is none. The caller keeps writers out.
pub async fn withdraw(connection: &mut PgConnection) -> Result<Option<u32>, sqlx::Error> {
    next_tokens::empty(connection).await?;
    let id = query_scalar!(
        "UPDATE token_key_change SET withdrawn_at = now() WHERE withdrawn_at IS NULL AND in_force_at IS NULL RETURNING key_id"
    )
    .fetch_optional(connection)
    .await?;
    id.map(key_id).transpose()
}

/// Every office that takes part or lacks something, by its id. Reads all cases that have no next tokens yet: a minute for
/// ten million.
pub async fn offices(pool: &PgPool, next: u32) -> Result<Vec<OfficeStanding>, sqlx::Error> {
    let mut reading = tx::unhurried(pool).await?;
    let offices = offices_in(&mut reading, next).await?;
    reading.rollback().await?;
    Ok(offices)
}

/// The same within a transaction that may take its time.
pub async fn offices_in(
    connection: &mut PgConnection,
    next: u32,
) -> Result<Vec<OfficeStanding>, sqlx::Error> {
    let rows = query!(
        r#"SELECT o.office_id, o.status = 'active' AS "active!", s.next_token_key = $1 AS has_next,
                  s.last_seen_at AS "last_seen_at?",
                  (SELECT count(*) FROM case_record c
                    WHERE c.office_id = o.office_id
                      AND NOT EXISTS (SELECT FROM next_case n WHERE n.office_id = c.office_id
                                         AND n.source_case_id = c.source_case_id AND n.key_id = $1)
                      AND (EXISTS (SELECT FROM party p
                                    WHERE p.office_id = c.office_id AND p.source_case_id = c.source_case_id
                                      AND coalesce(p.id_token, p.id_unverified, p.phone_token) IS NOT NULL)
                           OR EXISTS (SELECT FROM subject t WHERE t.office_id = c.office_id
                                         AND t.source_case_id = c.source_case_id))) AS "lacking!"
             FROM office o LEFT JOIN sync_position s USING (office_id)
            ORDER BY o.office_id"#,
        stored_id(next)?,
    )
    .fetch_all(connection)
    .await?;
    let offices = rows.into_iter().map(|row| {
        Ok(OfficeStanding {
            office_id: parse(&row.office_id)?,
            active: row.active,
            has_next: row.has_next.unwrap_or(false),
            last_seen_at: row.last_seen_at,
            lacking: u64::try_from(row.lacking).map_err(decode_error)?,
        })
    });
    let offices: Vec<OfficeStanding> = offices.collect::<Result<_, sqlx::Error>>()?;
    let counts = |office: &OfficeStanding| office.active || office.lacking > 0;
    Ok(offices.into_iter().filter(counts).collect())
}

/// Whether the key with this id was made to follow another.
pub async fn is_of_a_change(pool: &PgPool, id: u32) -> Result<bool, sqlx::Error> {
    query_scalar!(
        r#"SELECT EXISTS (SELECT FROM token_key_change WHERE key_id = $1) AS "is!""#,
        stored_id(id)?
    )
    .fetch_one(pool)
    .await
}

/// The key that is under way is the city's from the commit on.
pub async fn put_in_force(connection: &mut PgConnection, id: u32) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE token_key_change SET in_force_at = now() WHERE key_id = $1",
        stored_id(id)?
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether the key of this id is the one that was first seen under it, by its check value. A key that none was seen under
/// is.
pub async fn is_known_by(
    pool: &PgPool,
    id: u32,
    check_value: &[u8; 16],
) -> Result<bool, sqlx::Error> {
    let id = stored_id(id)?;
    query!(
        "INSERT INTO token_key_check (key_id, check_value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        id,
        check_value,
    )
    .execute(pool)
    .await?;
    query_scalar!(
        r#"SELECT check_value = $2 AS "same!" FROM token_key_check WHERE key_id = $1"#,
        id,
        check_value,
    )
    .fetch_one(pool)
    .await
}

/// What stands of former keys and is to be put anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outdated {
    pub planted_identities: i64,
    pub declared_relatives: i64,
    pub standing_questions: i64,
}

/// Counts it.
pub async fn outdated(pool: &PgPool) -> Result<Outdated, sqlx::Error> {
    query_as!(
        Outdated,
        r#"SELECT (SELECT count(*) FROM honey_token WHERE outdated) AS "planted_identities!",
                  (SELECT count(*) FROM recusal WHERE outdated) AS "declared_relatives!",
                  (SELECT count(*) FROM standing_question
                    WHERE outdated AND ended_at IS NULL AND expires_at > now()) AS "standing_questions!""#
    )
    .fetch_one(pool)
    .await
}

fn key_id(stored: i32) -> Result<u32, sqlx::Error> {
    u32::try_from(stored).map_err(decode_error)
}

fn stored_id(key_id: u32) -> Result<i32, sqlx::Error> {
    i32::try_from(key_id).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}
