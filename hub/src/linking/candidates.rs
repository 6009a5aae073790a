//! Who a mention may be that stands in no case: the scored candidates of a look-up.

use std::collections::{BTreeMap, BTreeSet};

use linkage::block::BlockingKey;
use linkage::compare::Mention;
use linkage::node::{MentionId, Node, NodeId};
use linkage::score::Decision;
use linkage::weights::MatchWeight;
use sqlx::PgConnection;

use super::model::Model;
use super::{LinkingError, PersonId};
use crate::store::linking::block::{self, MOST_IN_BLOCK};
use crate::store::linking::{compared, node};

/// A person that the mention may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub person_id: PersonId,
    /// Of the person's nodes the one that is nearest.
    pub node_id: NodeId,
    pub decision: Decision,
    pub weight: MatchWeight,
    /// The node's mention that weighs most.
    pub mention: MentionId,
}

/// The persons that a mention may be.
#[derive(Clone, Debug)]
pub struct Candidates {
    /// Those that are the same first, then the heaviest.
    pub persons: Vec<Candidate>,
    /// Whether nobody was compared although there is somebody: of all that the mention could be found by, too many nodes
    /// have the same.
    pub is_too_common: bool,
}

/// The persons that a mention may be. Keys that too many nodes have
/// are left out, so that the work is bounded. An equal verified number makes no candidate, for it is no blocking key of a
/// node: look its node up by `NodeId::of_number`.
pub async fn candidates(
    connection: &mut PgConnection,
    asked: &Mention,
    model: &Model,
) -> Result<Candidates, LinkingError> {
    let asked = Node::new(
        NodeId::from([0; 16]),
        asked.verified(),
        vec![(MentionId::from([0; 16]), asked.clone())],
    );
    let keys: Vec<i64> = asked.keys().iter().map(BlockingKey::to_number).collect();
    let bearers = block::bearers(&mut *connection, &keys).await?;
    let is_too_common = !bearers.is_empty()
        && bearers
            .values()
            .all(|bearers| bearers.len() > MOST_IN_BLOCK);
    let found: BTreeSet<NodeId> = bearers
        .into_values()
        .filter(|bearers| bearers.len() <= MOST_IN_BLOCK)
        .flatten()
        .collect();
    let found: Vec<NodeId> = found.into_iter().collect();
    let nodes = compared::nodes(&mut *connection, &found, model).await?;
    let stored = node::stored(connection, &found).await?;
    let mut persons: BTreeMap<PersonId, Candidate> = BTreeMap::new();
    for (node_id, stored) in stored {
        let Some(score) = nodes
            .get(&node_id)
            .and_then(|node| asked.score(node, model.weights()))
        else {
            continue;
        };
        let candidate = Candidate {
            person_id: stored.person_id,
            node_id,
            decision: score.decision,
            weight: score.weight,
            mention: score.mentions.1,
        };
        let best = persons.entry(stored.person_id).or_insert(candidate);
        if rank(&candidate) < rank(best) {
            *best = candidate;
        }
    }
    let mut persons: Vec<Candidate> = persons.into_values().collect();
    persons.sort_unstable_by_key(rank);
    Ok(Candidates {
        persons,
        is_too_common,
    })
}

/// The least ranks first.
fn rank(candidate: &Candidate) -> (bool, std::cmp::Reverse<MatchWeight>, NodeId) {
    (
        candidate.decision != Decision::Same,
        std::cmp::Reverse(candidate.weight),
        candidate.node_id,
    )
}
