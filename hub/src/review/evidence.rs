//! Seam to person linkage.

use linkage::cluster::Pair;
use linkage::compare::{KnownIdentifier, Mention, VerifiedNumber};
use linkage::name::PreparedName;
use linkage::weights::Weights;
use sqlx::PgConnection;
use uuid::Uuid;

pub(super) async fn lock(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_xact_lock(77)")
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn rework(
    _connection: &mut PgConnection,
    _mentions: Pair<Uuid>,
) -> Result<(), sqlx::Error> {
    Ok(())
}

pub(super) async fn weights(_connection: &mut PgConnection) -> Result<Weights, sqlx::Error> {
    Ok(Weights::builtin())
}

pub(super) async fn compared(
    connection: &mut PgConnection,
    mentions: [Uuid; 2],
) -> Result<[Mention; 2], sqlx::Error> {
    let mut found = Vec::new();
    for id in mentions {
        found.push(one(connection, id).await?);
    }
    found.try_into().map_err(|_| sqlx::Error::RowNotFound)
}

async fn one(connection: &mut PgConnection, id: Uuid) -> Result<Mention, sqlx::Error> {
    let shown = crate::store::review::person::mentions(connection, &[id]).await?;
    let shown = shown.into_iter().next().ok_or(sqlx::Error::RowNotFound)?;
    let _: Option<(KnownIdentifier, VerifiedNumber)> = None;
    Ok(Mention {
        kind: shown.kind,
        name: PreparedName::new(&shown.name),
        birth: shown.birth_date,
        sex: shown.sex,
        district: shown.district,
        ..Mention::named("")
    })
}
