//! `link_judgement` as far as clustering reads it: decisions in force, between the nodes of their mentions.

use linkage::cluster::{Judgement, Pair};
use linkage::node::{MentionId, NodeId};
use sqlx::{PgConnection, query, query_scalar};
use uuid::Uuid;

use super::{mention_id, mention_uuids, node_id, uuid_of_mention, uuids};
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

/// A decision in force, and by what each of its two was known when it was last looked at; the lesser mention first.
#[derive(Debug, Clone)]
pub struct Decided {
    pub judgement_id: Uuid,
    pub sides: [(MentionId, Option<Vec<i64>>); 2],
}

/// Decisions in force about these mentions.
pub async fn about(
    connection: &mut PgConnection,
    mentions: &[MentionId],
) -> Result<Vec<Decided>, sqlx::Error> {
    let rows = query!(
        r#"SELECT judgement_id AS "judgement_id!", low AS "low!", high AS "high!", low_was, high_was
             FROM link_judgement WHERE low = ANY($1) AND state = 'in_force'
            UNION
           SELECT judgement_id, low, high, low_was, high_was
             FROM link_judgement WHERE high = ANY($1) AND state = 'in_force'
            ORDER BY 1"#,
        &mention_uuids(mentions),
    )
    .fetch_all(connection)
    .await?;
    let decided = rows.into_iter().map(|row| Decided {
        judgement_id: row.judgement_id,
        sides: [
            (mention_id(row.low), row.low_was),
            (mention_id(row.high), row.high_was),
        ],
    });
    Ok(decided.collect())
}

/// Mentions that decisions in force name.
pub async fn named(connection: &mut PgConnection) -> Result<Vec<MentionId>, sqlx::Error> {
    let named = query_scalar!(
        r#"SELECT low AS "mention!" FROM link_judgement WHERE state = 'in_force'
            UNION SELECT high FROM link_judgement WHERE state = 'in_force'"#
    )
    .fetch_all(connection)
    .await?;
    Ok(named.into_iter().map(mention_id).collect())
}

/// Keeps by what the two of decisions in force about these mentions are known, where that is not kept yet.
pub async fn keep_who(
    connection: &mut PgConnection,
    mentions: &[MentionId],
) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE link_judgement j
            SET low_was = coalesce(j.low_was, (
                    SELECT party_who(p.name, p.id_token)
                      FROM mention m
                      JOIN party p ON p.office_id = m.office_id AND p.source_case_id = m.source_case_id
                                  AND p.ordinal = m.ordinal
                     WHERE m.mention_id = j.low)),
                high_was = coalesce(j.high_was, (
                    SELECT party_who(p.name, p.id_token)
                      FROM mention m
                      JOIN party p ON p.office_id = m.office_id AND p.source_case_id = m.source_case_id
                                  AND p.ordinal = m.ordinal
                     WHERE m.mention_id = j.high))
          WHERE j.state = 'in_force' AND (j.low_was IS NULL OR j.high_was IS NULL)
            AND (j.low = ANY($1) OR j.high = ANY($1))",
        &mention_uuids(mentions),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps by what the two of a decision are known now.
pub async fn seen(
    connection: &mut PgConnection,
    judgement_id: Uuid,
    who: [Option<&[i64]>; 2],
) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE link_judgement SET low_was = $2, high_was = $3
          WHERE judgement_id = $1 AND (low_was, high_was) IS DISTINCT FROM ($2, $3)",
        judgement_id,
        who[0],
        who[1],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes decisions out of force: somebody else stands where one of their two stood.
pub async fn end(
    connection: &mut PgConnection,
    judgements: &[Uuid],
    reason: &str,
) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE link_judgement
            SET state = 'withdrawn', withdrawn_at = clock_timestamp(), closing_reason = $2
          WHERE judgement_id = ANY($1)",
        judgements,
        reason,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts a decision that was ended just now in force again, about these mentions; not where another speaks of them.
pub async fn resume(
    connection: &mut PgConnection,
    judgement_id: Uuid,
    mentions: Pair<MentionId>,
    who: [Option<&[i64]>; 2],
) -> Result<(), sqlx::Error> {
    let (low, high) = (mentions.low(), mentions.high());
    query!(
        "UPDATE link_judgement
            SET state = 'in_force', withdrawn_at = NULL, closing_reason = NULL, low = $2, high = $3, low_was = $4,
                high_was = $5
          WHERE judgement_id = $1
            AND NOT EXISTS (SELECT FROM link_judgement o
                             WHERE o.low = $2 AND o.high = $3 AND o.state IN ('proposed', 'in_force'))",
        judgement_id,
        uuid_of_mention(&low),
        uuid_of_mention(&high),
        who[0],
        who[1],
    )
    .execute(connection)
    .await?;
    Ok(())
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
