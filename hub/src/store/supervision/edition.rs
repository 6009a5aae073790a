//! `supervision_text` and `supervision_in_force`: the texts that supervision goes by, and which of them are in force.

use sqlx::{PgConnection, PgPool, query, query_as, query_scalar};
use time::OffsetDateTime;

use crate::store::decode::parse;
use crate::supervision::edition::{Edition, Part, Text};

/// Whether texts that were to be registered are known under their versions with the same content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    Same,
    /// That version of that part is another text.
    Other(Part, String),
}

/// A version as people list it.
#[derive(Clone, Debug)]
pub struct Version {
    pub part: Part,
    pub version: String,
    pub digest: Vec<u8>,
    pub registered_at: OffsetDateTime,
    pub activated_at: Option<OffsetDateTime>,
    pub in_force: bool,
}

/// The versions in force, part by part.
pub type InForce = Vec<(Part, String)>;

/// Makes texts known. Where no version of a part is in force yet, that of the edition is from now on.
pub async fn register(pool: &PgPool, edition: &Edition) -> Result<Registered, sqlx::Error> {
    for (part, text) in edition.texts() {
        let Text { version, content } = text;
        let digest = text.digest();
        query!(
            "INSERT INTO supervision_text (part, version, digest, content) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            part.code(),
            version,
            digest.as_slice(),
            content,
        )
        .execute(pool)
        .await?;
        let known = query_scalar!(
            "SELECT digest FROM supervision_text WHERE part = $1 AND version = $2",
            part.code(),
            version,
        )
        .fetch_one(pool)
        .await?;
        if known != digest {
            return Ok(Registered::Other(part, version.clone()));
        }
        query!(
            r#"WITH put AS (INSERT INTO supervision_in_force (part, version) VALUES ($1, $2)
                            ON CONFLICT DO NOTHING RETURNING part, version)
               UPDATE supervision_text t SET activated_at = now()
                 FROM put WHERE t.part = put.part AND t.version = put.version"#,
            part.code(),
            version,
        )
        .execute(pool)
        .await?;
    }
    Ok(Registered::Same)
}

/// The versions in force; none where nobody has opened the database as a hub.
pub async fn in_force(connection: &mut PgConnection) -> Result<InForce, sqlx::Error> {
    let rows = query!("SELECT part, version FROM supervision_in_force ORDER BY part")
        .fetch_all(connection)
        .await?;
    rows.into_iter()
        .map(|row| Ok((parse(&row.part)?, row.version)))
        .collect()
}

/// The same, held until the transaction ends: no other version comes into force meanwhile.
pub async fn hold(connection: &mut PgConnection) -> Result<InForce, sqlx::Error> {
    let rows = query!("SELECT part, version FROM supervision_in_force ORDER BY part FOR SHARE")
        .fetch_all(connection)
        .await?;
    rows.into_iter()
        .map(|row| Ok((parse(&row.part)?, row.version)))
        .collect()
}

/// The text of a version; without one, that in force.
pub async fn text(
    connection: &mut PgConnection,
    part: Part,
    version: Option<&str>,
) -> Result<Option<Text>, sqlx::Error> {
    query_as!(
        Text,
        r#"SELECT version, content FROM supervision_text t
            WHERE part = $1
              AND version = coalesce($2, (SELECT f.version FROM supervision_in_force f WHERE f.part = t.part))"#,
        part.code(),
        version,
    )
    .fetch_optional(connection)
    .await
}

/// Every version, in the order they became known.
pub async fn all(pool: &PgPool) -> Result<Vec<Version>, sqlx::Error> {
    let rows = query!(
        r#"SELECT t.part, t.version, digest, registered_at, activated_at, f.version IS NOT NULL AS "in_force!"
             FROM supervision_text t
             LEFT JOIN supervision_in_force f ON f.part = t.part AND f.version = t.version
            ORDER BY part, registered_at, version"#
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Version {
                part: parse(&row.part)?,
                version: row.version,
                digest: row.digest,
                registered_at: row.registered_at,
                activated_at: row.activated_at,
                in_force: row.in_force,
            })
        })
        .collect()
}

/// Puts a registered version in force, once everybody who judges by the one before has ended.
pub async fn put_in_force(
    connection: &mut PgConnection,
    part: Part,
    version: &str,
) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE supervision_in_force SET version = $2 WHERE part = $1",
        part.code(),
        version,
    )
    .execute(&mut *connection)
    .await?;
    query!(
        "UPDATE supervision_text SET activated_at = now() WHERE part = $1 AND version = $2",
        part.code(),
        version,
    )
    .execute(connection)
    .await?;
    Ok(())
}
