//! Contested numbers: people hold two mentions with one number not to be one person. Then the number speaks for
//! nobody alone: each of its mentions is a node of its own, and decisions, the number and links cluster them. When
//! nobody holds so any longer, the mentions are one node again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use linkage::cluster::Judgement;
use linkage::compare::VerifiedNumber;
use linkage::node::{MentionId, NodeId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::LinkingError;
use super::intake::block_again;
use super::model::Model;
use crate::store::linking::node::{NewNode, Stored};
use crate::store::linking::{judgement, mention, node};

/// Mentions that a contested number may have: each becomes a node. A number that more have stays one node, and who
/// holds its mentions apart is refused.
pub(super) const MOST_MENTIONS: usize = 200;

/// Sees to it that the numbers of these nodes are contested exactly if people hold so. Returns nodes that were made,
/// or emptied, by that. The caller holds the lock on clusters.
pub(super) async fn settle(
    connection: &mut PgConnection,
    nodes: &BTreeSet<NodeId>,
    model: &Arc<Model>,
) -> Result<BTreeSet<NodeId>, LinkingError> {
    let list: Vec<NodeId> = nodes.iter().copied().collect();
    let stored = node::stored(connection, &list).await?;
    let numbers = in_doubt(connection, &list, stored.values()).await?;
    let mut moved = BTreeSet::new();
    for number in numbers {
        moved.extend(settle_number(connection, number, model).await?);
    }
    Ok(moved)
}

/// Numbers that are contested or held to be: hardly ever any.
async fn in_doubt(
    connection: &mut PgConnection,
    nodes: &[NodeId],
    stored: impl Iterator<Item = &Stored>,
) -> Result<BTreeSet<VerifiedNumber>, LinkingError> {
    let numbers: BTreeMap<NodeId, VerifiedNumber> = stored
        .filter_map(|stored| stored.number)
        .map(|number| (NodeId::of_number(&number), number))
        .collect();
    let tokens: Vec<_> = numbers.values().map(|number| number.token).collect();
    let contested = node::contested(connection, &tokens).await?;
    let mut in_doubt: BTreeSet<VerifiedNumber> =
        contested.into_iter().map(|(number, _)| number).collect();
    let decided = judgement::of_nodes(connection, nodes).await?;
    in_doubt.extend(
        decided
            .into_iter()
            .filter(|decided| decided.nodes.0 == decided.nodes.1)
            .filter_map(|decided| numbers.get(&decided.nodes.0)),
    );
    Ok(in_doubt)
}

async fn settle_number(
    connection: &mut PgConnection,
    number: VerifiedNumber,
    model: &Arc<Model>,
) -> Result<BTreeSet<NodeId>, LinkingError> {
    let whole = NodeId::of_number(&number);
    let in_whole = mention::of_node(connection, whole, MOST_MENTIONS + 1).await?;
    let alone: Vec<NodeId> = node::contested(connection, &[number.token])
        .await?
        .into_iter()
        .filter(|(other, _)| *other == number)
        .map(|(_, node)| node)
        .collect();
    let is_contested = in_whole.len() + alone.len() <= MOST_MENTIONS
        && is_held_apart(connection, whole, &alone).await?;
    let moves: Vec<(MentionId, NodeId)> = match is_contested {
        true => in_whole
            .iter()
            .map(|mention| (*mention, NodeId::of_mention(*mention)))
            .collect(),
        // The node of a mention has the mention's id.
        false => alone
            .iter()
            .map(|node| (MentionId::from(*node.as_bytes()), whole))
            .collect(),
    };
    if moves.is_empty() {
        return Ok(BTreeSet::new());
    }
    let leave = match is_contested {
        true => vec![whole],
        false => alone,
    };
    move_mentions(connection, number, is_contested, &moves, &leave, model).await
}

async fn is_held_apart(
    connection: &mut PgConnection,
    whole: NodeId,
    alone: &[NodeId],
) -> Result<bool, LinkingError> {
    let mut nodes = alone.to_vec();
    nodes.push(whole);
    let decided = judgement::of_nodes(connection, &nodes).await?;
    Ok(decided.iter().any(|decided| {
        decided.judgement == Judgement::NotSame
            && nodes.contains(&decided.nodes.0)
            && nodes.contains(&decided.nodes.1)
    }))
}

async fn move_mentions(
    connection: &mut PgConnection,
    number: VerifiedNumber,
    contested: bool,
    moves: &[(MentionId, NodeId)],
    leave: &[NodeId],
    model: &Arc<Model>,
) -> Result<BTreeSet<NodeId>, LinkingError> {
    let revision = Uuid::new_v4();
    let come: BTreeSet<NodeId> = moves.iter().map(|(_, node)| *node).collect();
    let new: Vec<NewNode> = come
        .iter()
        .map(|node_id| NewNode {
            node_id: *node_id,
            number: Some(number),
            contested,
        })
        .collect();
    node::insert(connection, &new, revision).await?;
    node::lock(connection, leave).await?;
    let all: BTreeSet<NodeId> = come.iter().chain(leave).copied().collect();
    let list: Vec<NodeId> = all.iter().copied().collect();
    mention::move_to(connection, moves).await?;
    node::revise(connection, &list, revision).await?;
    let mut touched = all;
    touched.extend(block_again(connection, &list, model).await?);
    node::remove_empty(connection, leave).await?;
    Ok(touched)
}
