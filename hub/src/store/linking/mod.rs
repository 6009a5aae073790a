//! Tables of person linkage: mentions, the nodes they fall into, blocking keys, links, and the work that waits.
//! What is done with them, and why in this order, is in [`crate::linking`].

pub mod beside;
pub mod block;
pub mod compared;
pub mod judgement;
pub mod link;
pub mod mention;
pub mod model;
pub mod node;
pub mod person;
pub mod relink;
pub mod state;
pub mod work;

use linkage::compare::VerifiedNumber;
use linkage::node::{MentionId, NodeId};
use linkage::token::Token;
use sqlx::{PgConnection, query, query_scalar};
use uuid::Uuid;

use super::decode::{decode_error, parse};

/// Class of the advisory locks of linkage, apart from every other lock of the hub.
const LOCKS: i32 = 0x6c6b; // "lk"

/// Lets one transaction at a time change links and persons, until it ends.
pub async fn lock_clusters(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    query!("SELECT pg_advisory_xact_lock($1, 0)", LOCKS)
        .execute(connection)
        .await?;
    Ok(())
}

/// Lets one transaction at a time read an office's cases and write their mentions, so that what was read last is
/// what is written last.
pub async fn lock_office(connection: &mut PgConnection, office: &str) -> Result<(), sqlx::Error> {
    query!(
        "SELECT pg_advisory_xact_lock($1 + 1, hashtext($2))",
        LOCKS,
        office
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps a linking of everything from beginning until the transaction ends; false when one is under way.
pub async fn enter(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock_shared($1 + 2, 0) AS "entered!""#,
        LOCKS
    )
    .fetch_one(connection)
    .await
}

/// Waits until nobody else changes persons, and keeps them from it until the transaction ends.
pub async fn exclude_others(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    query!("SELECT pg_advisory_xact_lock($1 + 2, 0)", LOCKS)
        .execute(connection)
        .await?;
    Ok(())
}

fn uuid_of(id: &NodeId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

fn uuid_of_mention(id: &MentionId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

fn node_id(uuid: Uuid) -> NodeId {
    NodeId::from(uuid.into_bytes())
}

fn mention_id(uuid: Uuid) -> MentionId {
    MentionId::from(uuid.into_bytes())
}

fn uuids<'a>(ids: impl IntoIterator<Item = &'a NodeId>) -> Vec<Uuid> {
    ids.into_iter().map(uuid_of).collect()
}

fn mention_uuids<'a>(ids: impl IntoIterator<Item = &'a MentionId>) -> Vec<Uuid> {
    ids.into_iter().map(uuid_of_mention).collect()
}

fn token(bytes: &[u8]) -> Result<Token, sqlx::Error> {
    Token::try_from(bytes).map_err(decode_error)
}

/// A number in two columns, both set or none.
fn number(kind: Option<&str>, bytes: Option<&[u8]>) -> Result<Option<VerifiedNumber>, sqlx::Error> {
    match (kind, bytes) {
        (Some(kind), Some(bytes)) => Ok(Some(VerifiedNumber {
            kind: parse(kind)?,
            token: token(bytes)?,
        })),
        _ => Ok(None),
    }
}
