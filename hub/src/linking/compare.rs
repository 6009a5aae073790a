//! The second step: nodes that share a blocking key are scored. It reads and computes, and writes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
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

impl Candidates {
    /// Reads everything that has to do with the nodes. The connection must see one moment throughout.
    pub(crate) async fn read(
        connection: &mut PgConnection,
        own: BTreeSet<NodeId>,
        model: &Model,
    ) -> Result<Self, LinkingError> {
        let list: Vec<NodeId> = own.iter().copied().collect();
        let keys = block::of_nodes(connection, &list).await?;
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
        let mut concerned = own.clone();
        concerned.extend(pairs.iter().flat_map(|pair| [pair.low(), pair.high()]));
        let compared: Vec<NodeId> = concerned.iter().copied().collect();
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
            blocks: distinct
                .iter()
                .map(|key| {
                    let view = View {
                        overfull: is_overfull(key),
                        listed: listed.contains(key),
                    };
                    (*key, view)
                })
                .collect(),
            nodes: match pairs.is_empty() {
                true => HashMap::new(),
                false => compared::nodes(connection, &compared, model).await?,
            },
            pairs: pairs.into_iter().collect(),
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

/// Reads and scores.
pub(crate) async fn compare(
    connection: &mut PgConnection,
    own: BTreeSet<NodeId>,
    model: &Arc<Model>,
) -> Result<Compared, LinkingError> {
    let candidates = Candidates::read(connection, own, model).await?;
    let model = Arc::clone(model);
    Ok(tokio::task::spawn_blocking(move || candidates.score(&model)).await?)
}
