//! `link_weights` and `link_name_share`: with what mentions are scored.

use std::collections::HashMap;

use linkage::name::NameShare;
use sqlx::{PgConnection, query, query_scalar};

use crate::store::decode::decode_error;

/// Weights as they are stored.
#[derive(Debug, Clone)]
pub struct StoredWeights {
    pub content: String,
    /// Size of the collection that the prior is scaled to.
    pub mentions: u64,
}

/// Version of the weights in force; none while they are those that come with the program.
pub async fn version(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    query_scalar!(
        "SELECT version FROM link_weights WHERE activated_at IS NOT NULL
          ORDER BY activated_at DESC, version DESC LIMIT 1"
    )
    .fetch_optional(connection)
    .await
}

/// The weights of a version.
pub async fn weights(
    connection: &mut PgConnection,
    version: &str,
) -> Result<StoredWeights, sqlx::Error> {
    let row = query!(
        "SELECT content, mentions FROM link_weights WHERE version = $1",
        version
    )
    .fetch_one(connection)
    .await?;
    Ok(StoredWeights {
        content: row.content,
        mentions: u64::try_from(row.mentions).map_err(decode_error)?,
    })
}

/// The shares of names that go with the weights in force.
pub async fn shares(connection: &mut PgConnection) -> Result<HashMap<u64, NameShare>, sqlx::Error> {
    let rows = query!("SELECT name_fingerprint, millibits FROM link_name_share")
        .fetch_all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let share = NameShare::from_millibits(row.millibits);
            (row.name_fingerprint.cast_unsigned(), share)
        })
        .collect())
}

/// Writes weights down that wait to come in force, with the shares of names they were made with, in place of others
/// that wait.
pub async fn propose(
    connection: &mut PgConnection,
    version: &str,
    stored: &StoredWeights,
    shares: &HashMap<u64, NameShare>,
) -> Result<(), sqlx::Error> {
    query!("DELETE FROM link_weights WHERE activated_at IS NULL")
        .execute(&mut *connection)
        .await?;
    query!(
        "INSERT INTO link_weights (version, content, mentions) VALUES ($1, $2, $3)",
        version,
        stored.content,
        i64::try_from(stored.mentions).map_err(decode_error)?,
    )
    .execute(&mut *connection)
    .await?;
    let (names, millibits): (Vec<i64>, Vec<i32>) = shares
        .iter()
        .map(|(name, share)| (name.cast_signed(), share.millibits()))
        .unzip();
    query!("DELETE FROM link_candidate_share")
        .execute(&mut *connection)
        .await?;
    query!(
        "INSERT INTO link_candidate_share SELECT * FROM unnest($1::bigint[], $2::integer[])",
        &names,
        &millibits,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Version of the weights that wait.
pub async fn candidate(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    query_scalar!("SELECT version FROM link_weights WHERE activated_at IS NULL")
        .fetch_optional(connection)
        .await
}

/// Puts the weights and shares that wait in force in place of what was. Returns their version; none when none wait.
pub async fn activate(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    let version = query_scalar!(
        "UPDATE link_weights SET activated_at = clock_timestamp() WHERE activated_at IS NULL RETURNING version"
    )
    .fetch_optional(&mut *connection)
    .await?;
    if version.is_some() {
        query!("DELETE FROM link_name_share")
            .execute(&mut *connection)
            .await?;
        query!("INSERT INTO link_name_share SELECT * FROM link_candidate_share")
            .execute(&mut *connection)
            .await?;
        query!("DELETE FROM link_candidate_share")
            .execute(connection)
            .await?;
    }
    Ok(version)
}
