//! A whole collection linked at once: a first load, or everything again under new weights.
//!
//! It comes to the same as linking the mentions one by one: equal numbers are put together into nodes, nodes that
//! share a blocking key are compared by their representatives, and links make persons. What differs is that nothing
//! is looked up: keys are sorted, and each worker takes a part of them.

mod candidates;

use std::{collections::HashMap, num::NonZeroUsize};

use crate::{
    block::BlockingKey,
    cluster::{Evidence, Pair, resolve},
    compare::{Mention, VerifiedNumber},
    name::NameShare,
    node::{self, MOST_REPRESENTATIVES, MentionId, NodeId, NodeScore},
    score::Decision,
    weights::{MatchWeight, Weights},
    work,
};

pub use candidates::{Candidates, Scope};

/// Tells each mention how common its name is among all of them. A name that is missing has no share.
pub fn share_names(mentions: &mut [Mention], workers: NonZeroUsize) {
    let counted = work::split(mentions, workers, |_, mentions| {
        let mut bearers: HashMap<u64, u64> = HashMap::new();
        for mention in mentions {
            *bearers.entry(mention.name.fingerprint()).or_default() += 1;
        }
        bearers
    });
    let mut bearers: HashMap<u64, u64> = HashMap::new();
    for (name, count) in counted.into_iter().flatten() {
        *bearers.entry(name).or_default() += count;
    }
    let all = mentions.len() as u64;
    let size = mentions.len().div_ceil(workers.get()).max(1);
    work::each(mentions.chunks_mut(size).collect(), workers, |mentions| {
        for mention in mentions
            .iter_mut()
            .filter(|mention| !mention.name.is_missing())
        {
            let bearers = bearers.get(&mention.name.fingerprint());
            mention.name_share = bearers.map(|&bearers| NameShare::of(bearers, all));
        }
    });
}

/// Mentions put together by node. Mentions go by their place in the slice they came in, nodes by their place in the
/// order of their ids.
#[derive(Debug)]
pub struct Collection<'a> {
    ids: &'a [MentionId],
    mentions: &'a [Mention],
    /// Places of mentions, node after node, by id within a node.
    order: Vec<u32>,
    /// Where each node begins in `order`, and where the last one ends.
    starts: Vec<u32>,
    nodes: Vec<NodeId>,
}

/// Two nodes that are or may be one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The lesser place first.
    pub nodes: (u32, u32),
    /// Why; the mention of the first node comes first.
    pub score: NodeScore,
}

impl<'a> Collection<'a> {
    /// Puts mentions with their ids and nodes together.
    ///
    /// # Panics
    /// When the slices are not of one length, or have 2^32 mentions and more.
    #[must_use]
    pub fn new(ids: &'a [MentionId], nodes: &[NodeId], mentions: &'a [Mention]) -> Self {
        assert!(
            ids.len() == mentions.len() && nodes.len() == mentions.len(),
            "every mention has an id and a node"
        );
        let all = u32::try_from(mentions.len()).expect("a city has fewer mentions than 2^32");
        // The head of an id decides nearly every comparison without a look at the whole.
        let head =
            |node: &NodeId| u64::from_be_bytes(std::array::from_fn(|at| node.as_bytes()[at]));
        let mut order: Vec<(u64, u32)> = nodes
            .iter()
            .zip(0..all)
            .map(|(node, at)| (head(node), at))
            .collect();
        order.sort_unstable_by(|(head_a, a), (head_b, b)| {
            let whole = |at: u32| (nodes[at as usize], ids[at as usize]);
            head_a.cmp(head_b).then_with(|| whole(*a).cmp(&whole(*b)))
        });
        let mut collection = Self {
            ids,
            mentions,
            order: order.into_iter().map(|(_, at)| at).collect(),
            starts: Vec::new(),
            nodes: Vec::new(),
        };
        for (start, &at) in (0..all).zip(&collection.order) {
            let node = nodes[at as usize];
            if collection.nodes.last() != Some(&node) {
                collection.nodes.push(node);
                collection.starts.push(start);
            }
        }
        collection.starts.push(all);
        collection
    }

    /// Ids of the nodes, in order.
    #[must_use]
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// Places of a node's mentions, by id.
    #[must_use]
    pub fn members(&self, node: u32) -> &[u32] {
        let at = node as usize;
        &self.order[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// The number that a node's mentions have.
    #[must_use]
    pub fn number(&self, node: u32) -> Option<VerifiedNumber> {
        self.mentions[self.members(node)[0] as usize].verified()
    }

    /// Puts the keys under which a node is compared in place of what is there.
    pub fn keys(&self, node: u32, into: &mut Vec<BlockingKey>) {
        let representatives = self.representatives(node);
        node::keys_of(representatives.map(|(_, mention)| mention), into);
    }

    fn representatives(&self, node: u32) -> impl Iterator<Item = (MentionId, &Mention)> + Clone {
        let members = self.members(node).iter().take(MOST_REPRESENTATIVES);
        members.map(|&at| (self.ids[at as usize], &self.mentions[at as usize]))
    }

    /// Scores the candidates, in their order; those that are different are left out.
    #[must_use]
    pub fn score(
        &self,
        candidates: &Candidates,
        weights: &Weights,
        workers: NonZeroUsize,
    ) -> Vec<Link> {
        let parts = work::split(&candidates.pairs, workers, |_, pairs| {
            let scored = pairs.iter().filter_map(|&nodes| {
                let (low, high) = (self.representatives(nodes.0), self.representatives(nodes.1));
                node::nearest(low, high, weights).map(|score| Link { nodes, score })
            });
            scored.collect::<Vec<_>>()
        });
        parts.concat()
    }

    /// The person of every mention when links of at least this weight hold: the place of the person's least node.
    #[must_use]
    pub fn persons(&self, links: &[Link], least: MatchWeight) -> Vec<u32> {
        let holding: Vec<(Pair<u32>, MatchWeight)> = links
            .iter()
            .filter(|link| link.score.decision == Decision::Same && link.score.weight >= least)
            .filter_map(|link| Some((Pair::new(link.nodes.0, link.nodes.1)?, link.score.weight)))
            .collect();
        // A node without a link is a person of its own.
        let mut linked: Vec<u32> = holding
            .iter()
            .flat_map(|(pair, _)| [pair.low(), pair.high()])
            .collect();
        linked.sort_unstable();
        linked.dedup();
        let mentions: Vec<_> = linked
            .into_iter()
            .map(|node| (node, self.number(node)))
            .collect();
        let mut person_of: Vec<u32> = (0..).take(self.nodes.len()).collect();
        let evidence = Evidence {
            mentions: &mentions,
            links: &holding,
            judgements: &[],
        };
        for (node, person) in resolve(evidence).persons {
            person_of[node as usize] = person;
        }
        let mut persons = vec![0; self.mentions.len()];
        for (node, &person) in (0..).zip(&person_of) {
            for &mention in self.members(node) {
                persons[mention as usize] = person;
            }
        }
        persons
    }
}

#[cfg(test)]
mod tests;
