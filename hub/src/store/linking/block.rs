//! `link_block` and `link_overfull`: blocking keys of nodes, and those that too many have.

use std::collections::{BTreeSet, HashMap};

use linkage::node::NodeId;
use sqlx::{PgConnection, query};
use uuid::Uuid;

use super::{node_id, uuids};

/// Nodes that may have a key in common; under a key that more have, nothing is compared.
pub const MOST_IN_BLOCK: usize = 100;

/// Replaces the keys of nodes. Returns keys left by some node. The difference is worked out here: the database, which
/// is told to join by index alone, would compare each old key with each new one.
pub(crate) async fn replace(
    connection: &mut PgConnection,
    nodes: &[NodeId],
    keys: &BTreeSet<(NodeId, i64)>,
) -> Result<Vec<i64>, sqlx::Error> {
    let held: BTreeSet<(NodeId, i64)> = of_nodes(connection, nodes).await?.into_iter().collect();
    let (owners, left): (Vec<Uuid>, Vec<i64>) = columns(held.difference(keys));
    if !left.is_empty() {
        query!(
            "DELETE FROM link_block b USING unnest($1::uuid[], $2::bigint[]) AS k (node_id, key)
              WHERE b.node_id = k.node_id AND b.key = k.key",
            &owners,
            &left,
        )
        .execute(&mut *connection)
        .await?;
    }
    let (owners, come): (Vec<Uuid>, Vec<i64>) = columns(keys.difference(&held));
    if !come.is_empty() {
        query!(
            "INSERT INTO link_block (node_id, key) SELECT * FROM unnest($1::uuid[], $2::bigint[])
             ON CONFLICT DO NOTHING",
            &owners,
            &come,
        )
        .execute(connection)
        .await?;
    }
    Ok(left)
}

fn columns<'a>(keys: impl Iterator<Item = &'a (NodeId, i64)>) -> (Vec<Uuid>, Vec<i64>) {
    keys.map(|(node, key)| (super::uuid_of(node), *key)).unzip()
}

/// The keys of nodes.
pub async fn of_nodes(
    connection: &mut PgConnection,
    nodes: &[NodeId],
) -> Result<Vec<(NodeId, i64)>, sqlx::Error> {
    let rows = query!(
        "SELECT b.node_id, b.key FROM unnest($1::uuid[]) AS n (node_id)
           JOIN link_block b ON b.node_id = n.node_id",
        &uuids(nodes),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (node_id(row.node_id), row.key))
        .collect())
}

/// The nodes that have each key, one more than may have it at most.
pub async fn bearers(
    connection: &mut PgConnection,
    keys: &[i64],
) -> Result<HashMap<i64, Vec<NodeId>>, sqlx::Error> {
    let rows = query!(
        r#"SELECT k.key AS "key!", b.node_id FROM unnest($1::bigint[]) AS k (key)
            CROSS JOIN LATERAL (SELECT node_id FROM link_block WHERE key = k.key LIMIT $2) AS b"#,
        keys,
        MOST_IN_BLOCK as i64 + 1,
    )
    .fetch_all(connection)
    .await?;
    let mut bearers: HashMap<i64, Vec<NodeId>> = HashMap::with_capacity(keys.len());
    for row in rows {
        bearers
            .entry(row.key)
            .or_default()
            .push(node_id(row.node_id));
    }
    Ok(bearers)
}

/// Those of the keys that are listed as overfull.
pub async fn listed(
    connection: &mut PgConnection,
    keys: &[i64],
) -> Result<BTreeSet<i64>, sqlx::Error> {
    let rows = query!("SELECT key FROM link_overfull WHERE key = ANY($1)", keys)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| row.key).collect())
}

/// Lists keys as overfull. Returns those that were not.
pub async fn list(connection: &mut PgConnection, keys: &[i64]) -> Result<Vec<i64>, sqlx::Error> {
    let rows = query!(
        "INSERT INTO link_overfull SELECT * FROM unnest($1::bigint[]) ON CONFLICT DO NOTHING RETURNING key",
        keys,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.key).collect())
}

/// Takes keys off the list. Returns those that were on it.
pub async fn unlist(connection: &mut PgConnection, keys: &[i64]) -> Result<Vec<i64>, sqlx::Error> {
    let rows = query!(
        "DELETE FROM link_overfull WHERE key = ANY($1) RETURNING key",
        keys
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.key).collect())
}

/// How many keys are overfull.
pub async fn overfull(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM link_overfull"#)
        .fetch_one(connection)
        .await
}

/// Nodes that have one of the keys and a link.
pub async fn linked_bearers(
    connection: &mut PgConnection,
    keys: &[i64],
) -> Result<Vec<NodeId>, sqlx::Error> {
    let rows = query!(
        r#"SELECT DISTINCT b.node_id FROM unnest($1::bigint[]) AS k (key) JOIN link_block b ON b.key = k.key
            WHERE EXISTS (SELECT FROM link l WHERE l.low = b.node_id)
               OR EXISTS (SELECT FROM link l WHERE l.high = b.node_id)"#,
        keys,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| node_id(row.node_id)).collect())
}

/// Those of the nodes that have one of the keys.
pub async fn having(
    connection: &mut PgConnection,
    nodes: &[NodeId],
    keys: &[i64],
) -> Result<Vec<NodeId>, sqlx::Error> {
    let rows = query!(
        "SELECT DISTINCT node_id FROM link_block WHERE node_id = ANY($1) AND key = ANY($2)",
        &uuids(nodes),
        keys,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| node_id(row.node_id)).collect())
}
