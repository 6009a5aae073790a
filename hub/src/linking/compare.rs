//! The second step: nodes that share a blocking key are scored. It reads and computes, and writes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::mem;
use std::sync::Arc;

use linkage::cluster::Pair;
use linkage::node::{Node, NodeId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::LinkingError;
use super::model::Model;
use crate::store::linking::block::{self, MOST_IN_BLOCK};
use crate::store::linking::link::Link;
use crate::store::linking::{compared, link, node};

/// Nodes compared at once, keys by which they are, and nodes that they are compared with. An office can make cases whose
/// parties each have any number of keys with as many others as may share one: they cost time, and never more memory.
const MOST_OWN: usize = 4_000;
const MOST_KEYS: usize = 40_000;
const MOST_OTHERS: usize = 50_000;

/// What is to be scored, as it stood at one moment.
#[derive(Debug)]
pub(crate) struct Candidates {
    own: BTreeSet<NodeId>,
    revisions: HashMap<NodeId, Uuid>,
    blocks: BTreeMap<i64, View>,
    nodes: HashMap<NodeId, Node>,
    pairs: Vec<Pair<NodeId>>,
}

/// How a key stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    /// More nodes had it than are compared.
    pub overfull: bool,
    /// It was listed as such.
    pub listed: bool,
}

/// What was scored, and what it was scored from.
#[derive(Debug)]
pub(crate) struct Compared {
    /// The nodes that were to be compared, those that are gone included.
    pub(super) own: BTreeSet<NodeId>,
    /// Of every node that took part or was linked with one of them.
    pub(super) revisions: HashMap<NodeId, Uuid>,
    /// Keys of the own nodes.
    pub(super) blocks: BTreeMap<i64, View>,
    pub(super) links: BTreeMap<Pair<NodeId>, Link>,
    /// Pairs of nodes compared.
    pub(super) pairs: usize,
    pub(super) version: Option<String>,
}

/// Whom nodes meet under their keys.
struct Met {
    blocks: BTreeMap<i64, View>,
    pairs: HashSet<Pair<NodeId>>,
    /// They and the others.
    nodes: BTreeSet<NodeId>,
}

impl Met {
    /// `None` where it is too much for once. A node by itself never is.
    async fn read(
        connection: &mut PgConnection,
        own: &BTreeSet<NodeId>,
    ) -> Result<Option<Self>, LinkingError> {
        let is_one = own.len() <= 1;
        if own.len() > MOST_OWN {
            return Ok(None);
        }
        let list: Vec<NodeId> = own.iter().copied().collect();
        let keys = block::of_nodes(connection, &list).await?;
        if keys.len() > MOST_KEYS && !is_one {
            return Ok(None);
        }
        let distinct: Vec<i64> = keys
            .iter()
            .map(|(_, key)| *key)
            .collect::<BTreeSet<i64>>()
            .into_iter()
            .collect();
        let bearers = block::bearers(connection, &distinct).await?;
        let listed = block::listed(connection, &distinct).await?;
        let is_overfull = |key: &i64| bearers.get(key).is_some_and(|b| b.len() > MOST_IN_BLOCK);
        let mut pairs = HashSet::new();
        for (node, key) in &keys {
            if !is_overfull(key) {
                let others = bearers.get(key).into_iter().flatten();
                pairs.extend(others.filter_map(|other| Pair::new(*node, *other)));
            }
        }
        let mut nodes = own.clone();
        nodes.extend(pairs.iter().flat_map(|pair| [pair.low(), pair.high()]));
        if nodes.len() > own.len() + MOST_OTHERS && !is_one {
            return Ok(None);
        }
        let view = |key: &i64| View {
            overfull: is_overfull(key),
            listed: listed.contains(key),
        };
        Ok(Some(Self {
            blocks: distinct.iter().map(|key| (*key, view(key))).collect(),
            pairs,
            nodes,
        }))
    }
}

impl Candidates {
    /// Of the nodes `left` as many as are compared at once, which are taken out, with everything that has to do with
    /// them. The connection must see one moment throughout.
    pub(crate) async fn take(
        connection: &mut PgConnection,
        left: &mut BTreeSet<NodeId>,
        model: &Model,
    ) -> Result<Self, LinkingError> {
        let mut own = mem::take(left);
        loop {
            if let Some(met) = Met::read(connection, &own).await? {
                return Self::read(connection, own, met, model).await;
            }
            let middle = own.iter().nth(own.len() / 2).copied();
            let middle = middle.expect("what is too much for once is more than one node");
            left.extend(own.split_off(&middle));
        }
    }

    async fn read(
        connection: &mut PgConnection,
        own: BTreeSet<NodeId>,
        met: Met,
        model: &Model,
    ) -> Result<Self, LinkingError> {
        let list: Vec<NodeId> = own.iter().copied().collect();
        let compared: Vec<NodeId> = met.nodes.iter().copied().collect();
        let mut concerned = met.nodes;
        for linked in link::of_nodes(connection, &list).await? {
            concerned.extend([linked.pair.low(), linked.pair.high()]);
        }
        let concerned: Vec<NodeId> = concerned.into_iter().collect();
        let stored = node::stored(connection, &concerned).await?;
        Ok(Self {
            revisions: stored
                .into_iter()
                .map(|(id, stored)| (id, stored.revision))
                .collect(),
            blocks: met.blocks,
            nodes: match met.pairs.is_empty() {
                true => HashMap::new(),
                false => compared::nodes(connection, &compared, model).await?,
            },
            pairs: met.pairs.into_iter().collect(),
            own,
        })
    }

    /// Scores every pair. It takes its time: not for a thread that serves others.
    pub(crate) fn score(self, model: &Model) -> Compared {
        let links = self.pairs.iter().filter_map(|pair| {
            let (low, high) = (self.nodes.get(&pair.low())?, self.nodes.get(&pair.high())?);
            let score = low.score(high, model.weights())?;
            let link = Link {
                pair: *pair,
                decision: score.decision,
                weight: score.weight,
                mentions: score.mentions,
            };
            Some((*pair, link))
        });
        Compared {
            links: links.collect(),
            pairs: self.pairs.len(),
            version: model.version().map(str::to_owned),
            own: self.own,
            revisions: self.revisions,
            blocks: self.blocks,
        }
    }
}

impl Compared {
    /// Of nodes whose mentions are what they were.
    pub(super) fn of_nothing(own: BTreeSet<NodeId>, model: &Model) -> Self {
        Self {
            own,
            revisions: HashMap::new(),
            blocks: BTreeMap::new(),
            links: BTreeMap::new(),
            pairs: 0,
            version: model.version().map(str::to_owned),
        }
    }
}

/// Reads and scores as many of the nodes `left` as are compared at once.
pub(crate) async fn compare(
    connection: &mut PgConnection,
    left: &mut BTreeSet<NodeId>,
    model: &Arc<Model>,
) -> Result<Compared, LinkingError> {
    let candidates = Candidates::take(connection, left, model).await?;
    let model = Arc::clone(model);
    Ok(tokio::task::spawn_blocking(move || candidates.score(&model)).await?)
}
