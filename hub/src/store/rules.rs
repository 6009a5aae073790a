//! `rules_version`: the rules texts, which is in force, and how far older cases were brought to it.

use linkage::matter::RulesDigest;
use linkage::office::OfficeId;
use sqlx::{PgConnection, PgExecutor, PgPool, query, query_as, query_scalar};
use time::OffsetDateTime;

use super::decode::{decode_error, parse};
use crate::rules::Edition;

/// Which version is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    pub version: String,
    pub digest: RulesDigest,
}

/// A version's text.
#[derive(Clone, Debug)]
pub struct Text {
    pub version: String,
    pub content: String,
}

/// Whether a version that was to be registered is known with the same text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    Same,
    Other,
}

/// A version as people list it.
#[derive(Clone, Debug)]
pub struct Version {
    pub version: String,
    pub digest: RulesDigest,
    pub registered_at: OffsetDateTime,
    pub activated_at: Option<OffsetDateTime>,
    pub in_force: bool,
    pub stage: String,
}

/// What is done with the cases that were here before a version came into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Their keys are derived anew, behind this case.
    Keys(Option<Behind>),
    /// Duplicates are sought for them, behind this case.
    Findings(Option<Behind>),
    /// The same by persons, behind this case.
    Persons(Option<Behind>),
    Done,
}

/// A case that a pass has come to.
pub type Behind = (OfficeId, String);

/// Makes a text known. Where no version is in force yet, it is from now on; cases that are here already wait to be
/// brought to it.
pub async fn register(pool: &PgPool, edition: &Edition) -> Result<Registered, sqlx::Error> {
    let (version, digest) = (edition.rules.version(), edition.rules.digest());
    query!(
        r#"INSERT INTO rules_version (version, digest, content) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"#,
        version,
        digest.as_slice(),
        edition.text,
    )
    .execute(pool)
    .await?;
    let known = query_scalar!(
        "SELECT digest FROM rules_version WHERE version = $1",
        version
    )
    .fetch_one(pool)
    .await?;
    if known != digest {
        return Ok(Registered::Other);
    }
    let put = query!(
        r#"UPDATE rules_version SET in_force = true, activated_at = now(),
                  stage = CASE WHEN EXISTS (SELECT FROM case_record) THEN 'keys' ELSE 'done' END
            WHERE version = $1 AND NOT EXISTS (SELECT FROM rules_version WHERE in_force)"#,
        version,
    )
    .execute(pool)
    .await;
    match put {
        // Another hub that starts at this moment was first.
        Err(error) if is_taken(&error) => Ok(Registered::Same),
        put => put.map(|_| Registered::Same),
    }
}

fn is_taken(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.is_unique_violation())
}

/// The version in force.
pub async fn in_force(executor: impl PgExecutor<'_>) -> Result<Option<InForce>, sqlx::Error> {
    let row = query!("SELECT version, digest FROM rules_version WHERE in_force")
        .fetch_optional(executor)
        .await?;
    row.map(|row| {
        Ok(InForce {
            version: row.version,
            digest: digest(&row.digest)?,
        })
    })
    .transpose()
}

/// The text in force.
pub async fn text_in_force(executor: impl PgExecutor<'_>) -> Result<Option<Text>, sqlx::Error> {
    query_as!(
        Text,
        "SELECT version, content FROM rules_version WHERE in_force"
    )
    .fetch_optional(executor)
    .await
}

/// The text of one version.
pub async fn text_of(pool: &PgPool, version: &str) -> Result<Option<Text>, sqlx::Error> {
    query_as!(
        Text,
        "SELECT version, content FROM rules_version WHERE version = $1",
        version
    )
    .fetch_optional(pool)
    .await
}

/// Every version, in the order they became known.
pub async fn all(pool: &PgPool) -> Result<Vec<Version>, sqlx::Error> {
    let rows = query!(
        r#"SELECT version, digest, registered_at, activated_at, in_force, stage
             FROM rules_version ORDER BY registered_at, version"#
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Version {
                version: row.version,
                digest: digest(&row.digest)?,
                registered_at: row.registered_at,
                activated_at: row.activated_at,
                in_force: row.in_force,
                stage: row.stage,
            })
        })
        .collect()
}

/// Puts a registered version in force. The lock on the positions lets every writer's transaction end first and holds
/// new ones back for the moment of the commit, so that all that begin later store under the new version.
pub async fn put_in_force(connection: &mut PgConnection, version: &str) -> Result<(), sqlx::Error> {
    query!("SELECT version FROM rules_version ORDER BY version FOR UPDATE")
        .fetch_all(&mut *connection)
        .await?;
    query!("LOCK TABLE sync_position IN EXCLUSIVE MODE")
        .execute(&mut *connection)
        .await?;
    query!("UPDATE rules_version SET in_force = false, stage = 'done' WHERE in_force")
        .execute(&mut *connection)
        .await?;
    query!(
        r#"UPDATE rules_version SET in_force = true, activated_at = now(), stage = 'keys',
                  stage_office = '', stage_case = '' WHERE version = $1"#,
        version,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Holds a version's progress for the rest of the transaction; `None` when it is not in force.
pub async fn lock_stage(
    connection: &mut PgConnection,
    version: &str,
) -> Result<Option<Stage>, sqlx::Error> {
    let row = query!(
        r#"SELECT stage, stage_office, stage_case FROM rules_version WHERE version = $1 AND in_force FOR UPDATE"#,
        version
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let behind = match row.stage_office.as_str() {
        "" => None,
        office => Some((parse(office)?, row.stage_case)),
    };
    Ok(Some(match row.stage.as_str() {
        "keys" => Stage::Keys(behind),
        "findings" => Stage::Findings(behind),
        "persons" => Stage::Persons(behind),
        _ => Stage::Done,
    }))
}

/// Remembers where the pass has come to.
pub async fn set_stage(
    connection: &mut PgConnection,
    version: &str,
    stage: &Stage,
) -> Result<(), sqlx::Error> {
    let (name, behind) = match stage {
        Stage::Keys(behind) => ("keys", behind.as_ref()),
        Stage::Findings(behind) => ("findings", behind.as_ref()),
        Stage::Persons(behind) => ("persons", behind.as_ref()),
        Stage::Done => ("done", None),
    };
    let (office, case) = behind.map_or(("", ""), |(office, case)| (office.as_str(), case));
    query!(
        "UPDATE rules_version SET stage = $2, stage_office = $3, stage_case = $4 WHERE version = $1",
        version,
        name,
        office,
        case,
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn digest(bytes: &[u8]) -> Result<RulesDigest, sqlx::Error> {
    bytes.try_into().map_err(decode_error)
}
