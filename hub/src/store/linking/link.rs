//! `link`: pairs of nodes that are one person or may be.

use linkage::cluster::Pair;
use linkage::node::{MentionId, NodeId};
use linkage::score::Decision;
use linkage::weights::MatchWeight;
use sqlx::{PgConnection, query};
use uuid::Uuid;

use super::{mention_id, node_id, uuid_of, uuid_of_mention, uuids};
use crate::store::decode::parse;

/// A scored pair of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    pub pair: Pair<NodeId>,
    pub decision: Decision,
    pub weight: MatchWeight,
    /// The mentions that weigh most, of the lesser and of the greater node.
    pub mentions: (MentionId, MentionId),
}

/// Every link of the nodes.
pub async fn of_nodes(
    connection: &mut PgConnection,
    nodes: &[NodeId],
) -> Result<Vec<Link>, sqlx::Error> {
    let rows = query!(
        r#"SELECT l.low AS "low!", l.high AS "high!", l.weight AS "weight!", l.decision AS "decision!",
                  l.low_mention AS "low_mention!", l.high_mention AS "high_mention!"
             FROM unnest($1::uuid[]) AS n (node_id) JOIN link l ON l.low = n.node_id
            UNION
           SELECT l.low, l.high, l.weight, l.decision, l.low_mention, l.high_mention
             FROM unnest($1::uuid[]) AS n (node_id) JOIN link l ON l.high = n.node_id"#,
        &uuids(nodes),
    )
    .fetch_all(connection)
    .await?;
    let mut links = Vec::with_capacity(rows.len());
    for row in rows {
        let decision = parse(&row.decision)?;
        if let Some(pair) = Pair::new(node_id(row.low), node_id(row.high)) {
            links.push(Link {
                pair,
                decision,
                weight: MatchWeight::from_millibits(row.weight),
                mentions: (mention_id(row.low_mention), mention_id(row.high_mention)),
            });
        }
    }
    Ok(links)
}

/// Writes links, new or changed.
pub async fn upsert(connection: &mut PgConnection, links: &[Link]) -> Result<(), sqlx::Error> {
    if links.is_empty() {
        return Ok(());
    }
    let low: Vec<Uuid> = links.iter().map(|l| uuid_of(&l.pair.low())).collect();
    let high: Vec<Uuid> = links.iter().map(|l| uuid_of(&l.pair.high())).collect();
    let weights: Vec<i32> = links.iter().map(|l| l.weight.millibits()).collect();
    let decisions: Vec<&str> = links.iter().map(|l| l.decision.code()).collect();
    let low_mentions: Vec<Uuid> = links
        .iter()
        .map(|l| uuid_of_mention(&l.mentions.0))
        .collect();
    let high_mentions: Vec<Uuid> = links
        .iter()
        .map(|l| uuid_of_mention(&l.mentions.1))
        .collect();
    query!(
        "INSERT INTO link (low, high, weight, decision, low_mention, high_mention)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::uuid[], $6::uuid[])
         ON CONFLICT (low, high) DO UPDATE SET weight = excluded.weight, decision = excluded.decision,
                low_mention = excluded.low_mention, high_mention = excluded.high_mention",
        &low,
        &high,
        &weights,
        &decisions as &[&str],
        &low_mentions,
        &high_mentions,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes links away.
pub async fn remove(
    connection: &mut PgConnection,
    pairs: &[Pair<NodeId>],
) -> Result<(), sqlx::Error> {
    if pairs.is_empty() {
        return Ok(());
    }
    let low: Vec<Uuid> = pairs.iter().map(|pair| uuid_of(&pair.low())).collect();
    let high: Vec<Uuid> = pairs.iter().map(|pair| uuid_of(&pair.high())).collect();
    query!(
        "DELETE FROM link l USING unnest($1::uuid[], $2::uuid[]) AS k (low, high)
          WHERE l.low = k.low AND l.high = k.high",
        &low,
        &high,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How many pairs of nodes are for people to decide.
pub async fn possible(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM link WHERE decision = 'possible'"#)
        .fetch_one(connection)
        .await
}
