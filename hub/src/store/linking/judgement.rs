//! `link_judgement` as far as clustering reads it: decisions in force, between the nodes of their mentions.

use linkage::cluster::Judgement;
use linkage::node::{MentionId, NodeId};
use sqlx::{PgConnection, query};

use super::{mention_id, mention_uuids, node_id, uuids};
use crate::store::decode::parse;

/// A decision in force about two mentions that are both there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InForce {
    pub mentions: (MentionId, MentionId),
    pub nodes: (NodeId, NodeId),
    pub judgement: Judgement,
}

/// Decisions in force about mentions of the nodes.
pub async fn of_nodes(
    connection: &mut PgConnection,
    nodes: &[NodeId],
) -> Result<Vec<InForce>, sqlx::Error> {
    let rows = query!(
        r#"WITH judged AS (SELECT m.mention_id FROM unnest($1::uuid[]) AS n (node_id)
                             JOIN mention m ON m.node_id = n.node_id AND m.judged),
           decided AS (SELECT j.low, j.high, j.judgement FROM judged JOIN link_judgement j ON j.low = judged.mention_id
                        WHERE j.state = 'in_force'
                        UNION
                       SELECT j.low, j.high, j.judgement FROM judged JOIN link_judgement j ON j.high = judged.mention_id
                        WHERE j.state = 'in_force')
           SELECT d.low AS "low!", d.high AS "high!", d.judgement AS "judgement!",
                  l.node_id AS low_node, h.node_id AS high_node
             FROM decided d JOIN mention l ON l.mention_id = d.low JOIN mention h ON h.mention_id = d.high"#,
        &uuids(nodes),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(InForce {
                mentions: (mention_id(row.low), mention_id(row.high)),
                nodes: (node_id(row.low_node), node_id(row.high_node)),
                judgement: parse(&row.judgement)?,
            })
        })
        .collect()
}

/// Every decision in force, whether or not its mentions are there.
pub async fn every(
    connection: &mut PgConnection,
) -> Result<Vec<((MentionId, MentionId), Judgement)>, sqlx::Error> {
    let rows = query!("SELECT low, high, judgement FROM link_judgement WHERE state = 'in_force'")
        .fetch_all(connection)
        .await?;
    rows.into_iter()
        .map(|row| {
            let mentions = (mention_id(row.low), mention_id(row.high));
            Ok((mentions, parse(&row.judgement)?))
        })
        .collect()
}

/// Mentions that stand opposite these in a decision in force.
pub async fn counterparts(
    connection: &mut PgConnection,
    mentions: &[MentionId],
) -> Result<Vec<MentionId>, sqlx::Error> {
    if mentions.is_empty() {
        return Ok(Vec::new());
    }
    let rows = query!(
        r#"SELECT high AS "mention!" FROM link_judgement WHERE low = ANY($1) AND state = 'in_force'
            UNION
           SELECT low FROM link_judgement WHERE high = ANY($1) AND state = 'in_force'"#,
        &mention_uuids(mentions),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| mention_id(row.mention))
        .collect())
}

/// Marks the mentions that a decision in force names, and those that none names any more.
pub async fn mark(
    connection: &mut PgConnection,
    mentions: &[MentionId],
) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE mention m SET judged = named.judged
           FROM (SELECT k.mention_id,
                        EXISTS (SELECT FROM link_judgement j WHERE j.low = k.mention_id AND j.state = 'in_force')
                        OR EXISTS (SELECT FROM link_judgement j WHERE j.high = k.mention_id AND j.state = 'in_force')
                        AS judged
                   FROM unnest($1::uuid[]) AS k (mention_id)) AS named
          WHERE m.mention_id = named.mention_id AND m.judged <> named.judged",
        &mention_uuids(mentions),
    )
    .execute(connection)
    .await?;
    Ok(())
}
