//! The first step: parties become mentions, mentions fall into nodes, nodes get their blocking keys.

use std::collections::{BTreeSet, HashMap, HashSet};

use linkage::compare::VerifiedNumber;
use linkage::node::{MentionId, NodeId};
use linkage::office::OfficeId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::LinkingError;
use super::decided::{self, Cases};
use super::model::Model;
use crate::store::decode::decode_error;
use crate::store::linking::mention::{Held, NewMention, Standing};
use crate::store::linking::node::NewNode;
use crate::store::linking::work::Work;
use crate::store::linking::{self as store, block, compared, judgement, mention, node, work};

/// Nodes read at once: each may have many mentions, and each of them many keys.
const MOST_BLOCKED: usize = 4_000;

/// Takes a chunk's cases in. Returns the nodes that have to be compared: those that have other representatives now,
/// those that a decision binds to them, and those that the work names.
pub(super) async fn take_in(
    connection: &mut PgConnection,
    work: &Work,
    model: &Model,
) -> Result<BTreeSet<NodeId>, LinkingError> {
    let mut nodes: BTreeSet<NodeId> = work.nodes.iter().copied().collect();
    let (Some(office_id), Some(row)) = (work.office_id, work.rows.first()) else {
        return Ok(nodes);
    };
    store::lock_office(connection, office_id.as_str()).await?;
    let standing = mention::standing(connection, office_id, &work.cases).await?;
    let held = mention::held(connection, office_id, &work.cases).await?;
    let contested = contested_of(connection, &standing).await?;
    let changes = Changes::of(office_id, &standing, &held, &contested)?;
    if changes.is_none() {
        return Ok(nodes);
    }
    let mut touched = changes.bound_nodes(connection).await?;
    let decided = decided::follow(connection, &changes.mentions(office_id)).await?;
    touched.extend(changes.write(connection, office_id, model).await?);
    if !decided.is_empty() {
        judgement::mark(connection, &decided).await?;
    }
    touched.retain(|node| !nodes.contains(node));
    let noted: Vec<NodeId> = touched.iter().copied().collect();
    work::note_nodes(connection, *row, &noted).await?;
    nodes.extend(touched);
    Ok(nodes)
}

async fn contested_of(
    connection: &mut PgConnection,
    standing: &[Standing],
) -> Result<HashSet<VerifiedNumber>, sqlx::Error> {
    let tokens: Vec<_> = standing
        .iter()
        .filter_map(|party| party.number.map(|number| number.token))
        .collect();
    let contested = node::contested(connection, &tokens).await?;
    Ok(contested.into_iter().map(|(number, _)| number).collect())
}

/// What a chunk changes.
#[derive(Default)]
struct Changes<'a> {
    written: Vec<NewMention<'a>>,
    /// Nodes that mentions come to or stay in.
    nodes: BTreeSet<NewNode>,
    removed: Vec<MentionId>,
    /// Of mentions that changed or went: as they were held.
    before: Vec<Held>,
}

impl<'a> Changes<'a> {
    fn of(
        office_id: OfficeId,
        standing: &'a [Standing],
        held: &[Held],
        contested: &HashSet<VerifiedNumber>,
    ) -> Result<Self, sqlx::Error> {
        let mut left: HashMap<MentionId, Held> = held
            .iter()
            .map(|held| (held.mention_id, held.clone()))
            .collect();
        let mut changes = Self::default();
        for party in standing {
            let ordinal = u16::try_from(party.ordinal).map_err(decode_error)?;
            let mention_id = MentionId::new(office_id, &party.source_case_id, ordinal);
            let new = place(mention_id, party.number, contested);
            let before = left.remove(&mention_id);
            if before
                .as_ref()
                .is_some_and(|held| held.content == party.content && held.node_id == new.node_id)
            {
                continue;
            }
            changes.before.extend(before);
            changes.nodes.insert(new);
            changes.written.push(NewMention {
                mention_id,
                source_case_id: &party.source_case_id,
                ordinal: party.ordinal,
                node_id: new.node_id,
                content: party.content,
            });
        }
        changes.removed = left.keys().copied().collect();
        changes.before.extend(left.into_values());
        Ok(changes)
    }

    /// Those that come, change or go.
    fn mentions(&self, office_id: OfficeId) -> Cases {
        let written = self.written.iter();
        let written = written.map(|new| (new.mention_id, new.source_case_id));
        let before = self.before.iter();
        let before = before.map(|held| (held.mention_id, held.source_case_id.as_str()));
        written
            .chain(before)
            .map(|(mention, case)| (mention, (office_id, case.to_owned())))
            .collect()
    }

    fn is_none(&self) -> bool {
        self.written.is_empty() && self.removed.is_empty()
    }

    /// Nodes that decisions bind to mentions which changed or went: those of the mentions opposite, and those that
    /// share a contested number.
    async fn bound_nodes(
        &self,
        connection: &mut PgConnection,
    ) -> Result<BTreeSet<NodeId>, sqlx::Error> {
        let judged: Vec<MentionId> = self
            .before
            .iter()
            .filter(|held| held.judged)
            .map(|held| held.mention_id)
            .collect();
        let opposite = judgement::counterparts(connection, &judged).await?;
        let mut bound: BTreeSet<NodeId> = BTreeSet::new();
        if !opposite.is_empty() {
            bound.extend(mention::nodes_of(connection, &opposite).await?);
        }
        let own: Vec<NodeId> = self
            .before
            .iter()
            .filter(|held| held.node_id == NodeId::of_mention(held.mention_id))
            .map(|held| held.node_id)
            .collect();
        if !own.is_empty() {
            let sharing = node::sharing_contested(connection, &own).await?;
            bound.extend(sharing.into_iter().map(|(_, other)| other));
        }
        Ok(bound)
    }

    /// Writes it. Returns the nodes that have other representatives now.
    async fn write(
        &self,
        connection: &mut PgConnection,
        office_id: OfficeId,
        model: &Model,
    ) -> Result<BTreeSet<NodeId>, LinkingError> {
        let revision = Uuid::new_v4();
        let come: Vec<NodeId> = self.nodes.iter().map(|new| new.node_id).collect();
        let leave = self.left_nodes();
        let new: Vec<NewNode> = self.nodes.iter().copied().collect();
        node::insert(connection, &new, revision).await?;
        node::lock(connection, &leave).await?;
        if node::hold(connection, &come).await? < come.len() {
            return Err(LinkingError::Vanished);
        }
        mention::upsert(connection, office_id, &self.written).await?;
        mention::remove(connection, &self.removed).await?;

        let touched: BTreeSet<NodeId> = come.iter().chain(&leave).copied().collect();
        let touched: Vec<NodeId> = touched.into_iter().collect();
        let last = mention::last_representatives(connection, &touched).await?;
        let concerns =
            |node: NodeId, mention: MentionId| last.get(&node).is_none_or(|last| mention <= *last);
        let written = self.written.iter().map(|new| (new.node_id, new.mention_id));
        let before = self
            .before
            .iter()
            .map(|held| (held.node_id, held.mention_id));
        let revised: BTreeSet<NodeId> = written
            .chain(before)
            .filter(|(node, mention)| concerns(*node, *mention))
            .map(|(node, _)| node)
            .collect();
        let list: Vec<NodeId> = revised.iter().copied().collect();
        node::revise(connection, &list, revision).await?;
        let mut nodes = revised;
        nodes.extend(block_again(connection, &list, model).await?);
        node::remove_empty(connection, &leave).await?;
        Ok(nodes)
    }

    /// Nodes that mentions leave for another or altogether.
    fn left_nodes(&self) -> Vec<NodeId> {
        let now: HashMap<MentionId, NodeId> = self
            .written
            .iter()
            .map(|new| (new.mention_id, new.node_id))
            .collect();
        let left: BTreeSet<NodeId> = self
            .before
            .iter()
            .filter(|held| now.get(&held.mention_id) != Some(&held.node_id))
            .map(|held| held.node_id)
            .collect();
        left.into_iter().collect()
    }
}

/// The node that a mention belongs to.
pub(super) fn place(
    mention_id: MentionId,
    number: Option<VerifiedNumber>,
    contested: &HashSet<VerifiedNumber>,
) -> NewNode {
    match number {
        Some(known) if !contested.contains(&known) => NewNode {
            node_id: NodeId::of_number(&known),
            number,
            contested: false,
        },
        _ => NewNode {
            node_id: NodeId::of_mention(mention_id),
            number,
            contested: number.is_some(),
        },
    }
}

/// Writes the keys of nodes as they are now. Returns one other node of each overfull key that a node left: whoever
/// compares it sees whether the key still has too many.
pub(super) async fn block_again(
    connection: &mut PgConnection,
    nodes: &[NodeId],
    model: &Model,
) -> Result<Vec<NodeId>, sqlx::Error> {
    let mut others = Vec::new();
    for part in nodes.chunks(MOST_BLOCKED) {
        others.extend(block_part(connection, part, model).await?);
    }
    Ok(others)
}

async fn block_part(
    connection: &mut PgConnection,
    nodes: &[NodeId],
    model: &Model,
) -> Result<Vec<NodeId>, sqlx::Error> {
    let known = compared::nodes(connection, nodes, model).await?;
    let keys: BTreeSet<(NodeId, i64)> = known
        .values()
        .flat_map(|node| {
            node.keys()
                .into_iter()
                .map(|key| (node.id(), key.to_number()))
        })
        .collect();
    let left = block::replace(connection, nodes, &keys).await?;
    if left.is_empty() {
        return Ok(Vec::new());
    }
    let overfull: Vec<i64> = block::listed(connection, &left)
        .await?
        .into_iter()
        .collect();
    if overfull.is_empty() {
        return Ok(Vec::new());
    }
    let bearers = block::bearers(connection, &overfull).await?;
    let empty: Vec<i64> = overfull
        .into_iter()
        .filter(|key| !bearers.contains_key(key))
        .collect();
    block::unlist(connection, &empty).await?;
    Ok(bearers
        .into_values()
        .filter_map(|nodes| nodes.first().copied())
        .collect())
}
