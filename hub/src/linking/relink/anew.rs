//! All parties linked in memory, on every processor.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use linkage::bulk::{self, Collection, Scope};
use linkage::cluster::{Bounded, Judgement, Pair, resolve_bounded};
use linkage::compare::VerifiedNumber;
use linkage::node::{MentionId, NodeId};
use linkage::score::Decision;
use tokio::sync::mpsc;

use super::Relinked;
use super::rows::{Piece, Sending};
use crate::linking::component::MOST_NODES;
use crate::linking::everyone::Everyone;
use crate::linking::intake;
use crate::linking::model::Model;
use crate::linking::run::Step;
use crate::store::linking::block::MOST_IN_BLOCK;

/// All that is linked.
pub(super) struct Anew {
    pub(super) everyone: Everyone,
    pub(super) decisions: Vec<((MentionId, MentionId), Judgement)>,
    pub(super) model: Arc<Model>,
    pub(super) workers: NonZeroUsize,
}

impl Anew {
    /// Links it and sends the rows. Returns what it came to, and the overfull keys.
    pub(super) fn link(&self, sender: &mpsc::Sender<Piece>) -> (Relinked, Vec<i64>) {
        let contested = self.everyone.contested(&self.decisions);
        let nodes = self.nodes(&contested);
        let Everyone { ids, mentions, .. } = &self.everyone;
        let collection = Collection::new(ids, &nodes, mentions);
        let candidates = collection.candidates(MOST_IN_BLOCK, Scope::Reviewable, self.workers);
        let pairs = candidates.pairs.len() as u64;
        // Whoever receives may have failed; then nothing comes of it, and what is still done here is lost.
        let _ = sender.blocking_send(Piece::At(Step::Compare, pairs));
        let links = collection.score(&candidates, self.model.weights(), self.workers);
        let overfull: Vec<i64> = candidates
            .overfull
            .iter()
            .map(|key| key.to_number())
            .collect();
        let persons = self.cluster(&collection, &nodes, &links, &contested);
        let of_decision = |wanted| {
            let of = links.iter().filter(|link| link.score.decision == wanted);
            of.count() as u64
        };
        let relinked = Relinked {
            version: self.model.version().map(str::to_owned),
            mentions: ids.len() as u64,
            nodes: collection.nodes().len() as u64,
            persons: persons.count(),
            pairs,
            same: of_decision(Decision::Same),
            possible: of_decision(Decision::Possible),
            overfull_keys: overfull.len() as u64,
            oversize_components: persons.components,
            contested_numbers: contested.len() as u64,
            changed_rows: 0,
            seconds: 0.0,
        };
        let rows = Sending {
            anew: self,
            collection: &collection,
            sender,
        };
        rows.mentions(&nodes);
        rows.nodes(&persons, &contested);
        rows.blocks();
        rows.links(&links);
        (relinked, overfull)
    }

    /// The node of every mention.
    fn nodes(&self, contested: &HashSet<VerifiedNumber>) -> Vec<NodeId> {
        let Everyone { ids, mentions, .. } = &self.everyone;
        ids.iter()
            .zip(mentions)
            .map(|(id, mention)| intake::place(*id, mention.verified(), contested).node_id)
            .collect()
    }

    /// The person of every node, as [`crate::linking::component`] places them.
    fn cluster(
        &self,
        collection: &Collection<'_>,
        nodes: &[NodeId],
        links: &[bulk::Link],
        contested: &HashSet<VerifiedNumber>,
    ) -> Persons {
        let same: Vec<_> = links
            .iter()
            .filter(|link| link.score.decision == Decision::Same)
            .filter_map(|link| Some((Pair::new(link.nodes.0, link.nodes.1)?, link.score.weight)))
            .collect();
        let judged = self.judged_nodes(collection, nodes);
        let linked = same.iter().map(|(pair, _)| pair);
        let mut connected: Vec<u32> = linked
            .chain(judged.iter().map(|(pair, _)| pair))
            .flat_map(|pair| [pair.low(), pair.high()])
            .collect();
        // Only the nodes of contested numbers share a number.
        let all = 0..collection.nodes().len() as u32;
        if !contested.is_empty() {
            let is_contested = |node: &u32| {
                let number = collection.number(*node);
                number.is_some_and(|number| contested.contains(&number))
            };
            connected.extend(all.clone().filter(is_contested));
        }
        connected.sort_unstable();
        connected.dedup();
        let numbered: Vec<_> = connected
            .into_iter()
            .map(|node| (node, collection.number(node)))
            .collect();
        let Bounded {
            persons,
            oversize,
            components,
        } = resolve_bounded(&numbered, &same, &judged, MOST_NODES);
        let mut of: Vec<u32> = all.collect();
        for (node, person) in persons {
            of[node as usize] = person;
        }
        Persons {
            of,
            oversize,
            components: components as u64,
        }
    }

    /// What people decided, between nodes: of two nodes that were decided about both ways, apart prevails.
    fn judged_nodes(
        &self,
        collection: &Collection<'_>,
        nodes: &[NodeId],
    ) -> Vec<(Pair<u32>, Judgement)> {
        let named = self.named();
        let of: HashMap<MentionId, u32> = self
            .everyone
            .ids
            .iter()
            .zip(nodes)
            .filter(|(id, _)| named.contains(id))
            .filter_map(|(id, node)| {
                let place = collection.nodes().binary_search(node).ok()?;
                Some((*id, u32::try_from(place).ok()?))
            })
            .collect();
        let mut judged: BTreeMap<Pair<u32>, Judgement> = BTreeMap::new();
        for ((a, b), judgement) in &self.decisions {
            let pair = of
                .get(a)
                .zip(of.get(b))
                .and_then(|(a, b)| Pair::new(*a, *b));
            if let Some(pair) = pair {
                let held = judged.entry(pair).or_insert(*judgement);
                if *judgement == Judgement::NotSame {
                    *held = *judgement;
                }
            }
        }
        judged.into_iter().collect()
    }

    /// Mentions that decisions in force name.
    pub(super) fn named(&self) -> HashSet<MentionId> {
        self.decisions
            .iter()
            .flat_map(|((a, b), _)| [*a, *b])
            .collect()
    }
}

/// Persons of nodes, by place.
pub(super) struct Persons {
    pub(super) of: Vec<u32>,
    /// In order.
    pub(super) oversize: Vec<u32>,
    components: u64,
}

impl Persons {
    fn count(&self) -> u64 {
        let first = (0..).zip(&self.of).filter(|(node, person)| node == *person);
        first.count() as u64
    }
}
