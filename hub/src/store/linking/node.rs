//! `link_node`: what is clustered, and the person of each.

use std::collections::HashMap;

use linkage::compare::VerifiedNumber;
use linkage::node::NodeId;
use linkage::token::Token;
use sqlx::{PgConnection, query};
use uuid::Uuid;

use super::{node_id, number, uuid_of, uuids};
use crate::store::decode::decode_error;

/// A node as clustering sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    pub number: Option<VerifiedNumber>,
    pub contested: bool,
    pub oversize: bool,
    pub revision: Uuid,
    pub person_id: NodeId,
}

/// A node to be made, unless it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewNode {
    pub node_id: NodeId,
    pub number: Option<VerifiedNumber>,
    pub contested: bool,
}

/// Makes the nodes that are not there, each a person of its own. What another transaction made stays as it is, but
/// for a mention's own node, whose number may be another by now.
pub async fn insert(
    connection: &mut PgConnection,
    nodes: &[NewNode],
    revision: Uuid,
) -> Result<(), sqlx::Error> {
    if nodes.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = nodes.iter().map(|node| uuid_of(&node.node_id)).collect();
    let kinds: Vec<Option<&str>> = nodes
        .iter()
        .map(|node| node.number.map(|number| number.kind.code()))
        .collect();
    let tokens: Vec<Option<&[u8]>> = nodes
        .iter()
        .map(|node| {
            node.number
                .as_ref()
                .map(|number| number.token.as_bytes().as_slice())
        })
        .collect();
    let contested: Vec<bool> = nodes.iter().map(|node| node.contested).collect();
    query!(
        r#"INSERT INTO link_node (node_id, number_kind, number, contested, revision, person_id)
           SELECT k.node_id, k.kind, k.number, k.contested, $5, k.node_id
             FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::boolean[]) AS k (node_id, kind, number, contested)
            ORDER BY k.node_id
           ON CONFLICT (node_id) DO NOTHING"#,
        &ids,
        &kinds as &[Option<&str>],
        &tokens as &[Option<&[u8]>],
        &contested,
        revision,
    )
    .execute(&mut *connection)
    .await?;
    query!(
        r#"UPDATE link_node n SET number_kind = k.kind, number = k.number, contested = k.contested
             FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::boolean[]) AS k (node_id, kind, number, contested)
            WHERE n.node_id = k.node_id
              AND (n.number_kind, n.number, n.contested) IS DISTINCT FROM (k.kind, k.number, k.contested)"#,
        &ids,
        &kinds as &[Option<&str>],
        &tokens as &[Option<&[u8]>],
        &contested,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Holds nodes that mentions come to: they stay there until the transaction ends. Returns how many there are.
pub async fn hold(connection: &mut PgConnection, nodes: &[NodeId]) -> Result<usize, sqlx::Error> {
    let rows = query!(
        "SELECT node_id FROM link_node WHERE node_id = ANY($1) ORDER BY node_id FOR KEY SHARE",
        &uuids(nodes),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.len())
}

/// Locks nodes that mentions leave: nobody comes to them or leaves them until the transaction ends.
pub async fn lock(connection: &mut PgConnection, nodes: &[NodeId]) -> Result<(), sqlx::Error> {
    query!(
        "SELECT node_id FROM link_node WHERE node_id = ANY($1) ORDER BY node_id FOR UPDATE",
        &uuids(nodes),
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

/// Says that the representatives of nodes are others than before.
pub async fn revise(
    connection: &mut PgConnection,
    nodes: &[NodeId],
    revision: Uuid,
) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE link_node SET revision = $2 WHERE node_id IN
                (SELECT node_id FROM link_node WHERE node_id = ANY($1) ORDER BY node_id FOR NO KEY UPDATE)",
        &uuids(nodes),
        revision,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes those of the nodes that have no mention.
pub async fn remove_empty(
    connection: &mut PgConnection,
    nodes: &[NodeId],
) -> Result<(), sqlx::Error> {
    query!(
        "WITH gone AS (DELETE FROM link_node n WHERE n.node_id = ANY($1)
                          AND NOT EXISTS (SELECT FROM mention m WHERE m.node_id = n.node_id)
                       RETURNING n.node_id)
         DELETE FROM link_block b USING gone WHERE b.node_id = gone.node_id",
        &uuids(nodes),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Those of the nodes that are there.
pub async fn stored(
    connection: &mut PgConnection,
    nodes: &[NodeId],
) -> Result<HashMap<NodeId, Stored>, sqlx::Error> {
    let rows = query!(
        "SELECT node_id, number_kind, number, contested, oversize, revision, person_id
           FROM link_node WHERE node_id = ANY($1)",
        &uuids(nodes),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let stored = Stored {
                number: number(row.number_kind.as_deref(), row.number.as_deref())?,
                contested: row.contested,
                oversize: row.oversize,
                revision: row.revision,
                person_id: node_id(row.person_id),
            };
            Ok((node_id(row.node_id), stored))
        })
        .collect()
}

/// Nodes of contested numbers, for those of the numbers that are contested.
pub async fn contested(
    connection: &mut PgConnection,
    tokens: &[Token],
) -> Result<Vec<(VerifiedNumber, NodeId)>, sqlx::Error> {
    let tokens: Vec<&[u8]> = tokens
        .iter()
        .map(|token| token.as_bytes().as_slice())
        .collect();
    let rows = query!(
        "SELECT node_id, number_kind, number FROM link_node WHERE contested AND number = ANY($1)",
        &tokens as &[&[u8]],
    )
    .fetch_all(connection)
    .await?;
    let mut nodes = Vec::new();
    for row in rows {
        if let Some(number) = number(row.number_kind.as_deref(), row.number.as_deref())? {
            nodes.push((number, node_id(row.node_id)));
        }
    }
    Ok(nodes)
}

/// A node's new person and whether it is of an oversize component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    pub node_id: NodeId,
    pub person_id: NodeId,
    pub oversize: bool,
}

/// Writes whose nodes are.
pub async fn place(connection: &mut PgConnection, placed: &[Placed]) -> Result<(), sqlx::Error> {
    if placed.is_empty() {
        return Ok(());
    }
    let nodes: Vec<Uuid> = placed.iter().map(|p| uuid_of(&p.node_id)).collect();
    let persons: Vec<Uuid> = placed.iter().map(|p| uuid_of(&p.person_id)).collect();
    let oversize: Vec<bool> = placed.iter().map(|p| p.oversize).collect();
    query!(
        "UPDATE link_node n SET person_id = k.person_id, oversize = k.oversize
           FROM unnest($1::uuid[], $2::uuid[], $3::boolean[]) AS k (node_id, person_id, oversize)
          WHERE n.node_id = k.node_id",
        &nodes,
        &persons,
        &oversize,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Nodes that have the number of a contested node in common with it.
pub async fn sharing_contested(
    connection: &mut PgConnection,
    nodes: &[NodeId],
) -> Result<Vec<(NodeId, NodeId)>, sqlx::Error> {
    let rows = query!(
        "SELECT a.node_id AS one, b.node_id AS other
           FROM link_node a JOIN link_node b ON b.contested AND b.number = a.number AND b.number_kind = a.number_kind
          WHERE a.node_id = ANY($1) AND a.contested AND b.node_id <> a.node_id",
        &uuids(nodes),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (node_id(row.one), node_id(row.other)))
        .collect())
}

/// Cases of the mentions of nodes, `most` of each node at most.
pub async fn cases(
    connection: &mut PgConnection,
    nodes: &[NodeId],
    most: usize,
) -> Result<Vec<(linkage::office::OfficeId, String)>, sqlx::Error> {
    let rows = query!(
        r#"SELECT m.office_id, m.source_case_id FROM unnest($1::uuid[]) AS n (node_id)
            CROSS JOIN LATERAL (SELECT office_id, source_case_id FROM mention WHERE node_id = n.node_id
                                 ORDER BY mention_id LIMIT $2) AS m"#,
        &uuids(nodes),
        most as i64,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let office = row.office_id.parse().map_err(decode_error)?;
            Ok((office, row.source_case_id))
        })
        .collect()
}
