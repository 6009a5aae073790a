//! Persons of the connected components that evidence touches: loaded, resolved, written where they changed.

use std::collections::{BTreeMap, BTreeSet};

use linkage::cluster::{Evidence, Judgement, Pair, resolve};
use linkage::node::NodeId;
use linkage::score::Decision;
use linkage::weights::MatchWeight;
use sqlx::PgConnection;

use super::{LinkingError, PersonId};
use crate::store::linking::node::{Placed, Stored};
use crate::store::linking::{judgement, link, node};

/// Nodes of a component that is clustered by its links. A larger one is no person but a mistake or an attack: its
/// nodes are joined by numbers and decisions alone, and the component is counted.
pub(crate) const MOST_NODES: usize = 2_000;

/// What clustering did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Placement {
    /// Nodes that are another person's than before.
    pub moved: BTreeSet<NodeId>,
    /// Persons that were or are of more than one node, as far as they were reworked, and what they were before.
    pub persons: BTreeSet<PersonId>,
    /// Components found to have too many nodes.
    pub oversize: usize,
}

/// Nodes with the evidence between them.
#[derive(Default)]
struct Graph {
    nodes: BTreeMap<NodeId, Stored>,
    links: BTreeMap<Pair<NodeId>, MatchWeight>,
    judgements: BTreeMap<Pair<NodeId>, Judgement>,
    /// What connects, whatever it says.
    edges: BTreeMap<NodeId, BTreeSet<NodeId>>,
    expanded: BTreeSet<NodeId>,
}

/// Which evidence is followed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follow {
    Everything,
    /// Numbers and what people decided.
    Decisions,
}

/// Clusters the components of these nodes and writes whose they are. The caller holds the lock on clusters.
pub(super) async fn place(
    connection: &mut PgConnection,
    seeds: &BTreeSet<NodeId>,
) -> Result<Placement, LinkingError> {
    let mut graph = Graph::default();
    graph.load(connection, seeds).await?;
    let mut placement = Placement::default();
    let mut oversize: BTreeSet<NodeId> = BTreeSet::new();
    let mut open: BTreeSet<NodeId> = graph.nodes.keys().copied().collect();
    while !open.is_empty() {
        graph.expand(connection, &open, Follow::Everything).await?;
        open.clear();
        for component in graph.components() {
            let waiting = component
                .iter()
                .filter(|node| !graph.expanded.contains(*node));
            if component.len() <= MOST_NODES {
                open.extend(waiting);
            } else {
                oversize.extend(component);
            }
        }
    }
    let mut placed = Vec::new();
    for component in graph.components() {
        if component.len() <= MOST_NODES {
            placed.extend(graph.resolve(&component, Follow::Everything));
        } else {
            placement.oversize += 1;
        }
    }
    if !oversize.is_empty() {
        placed.extend(graph.dissolve(connection, oversize).await?);
    }
    graph.write(connection, &placed, &mut placement).await?;
    Ok(placement)
}

impl Graph {
    /// Reads nodes that are not known yet; those that are gone stay unknown.
    async fn load(
        &mut self,
        connection: &mut PgConnection,
        nodes: &BTreeSet<NodeId>,
    ) -> Result<(), LinkingError> {
        let unknown: Vec<NodeId> = nodes
            .iter()
            .filter(|node| !self.nodes.contains_key(*node))
            .copied()
            .collect();
        if !unknown.is_empty() {
            self.nodes.extend(node::stored(connection, &unknown).await?);
        }
        Ok(())
    }

    /// Reads the evidence about nodes, and the nodes at its other ends.
    async fn expand(
        &mut self,
        connection: &mut PgConnection,
        nodes: &BTreeSet<NodeId>,
        follow: Follow,
    ) -> Result<(), LinkingError> {
        let list: Vec<NodeId> = nodes.iter().copied().collect();
        let mut ends = BTreeSet::new();
        if follow == Follow::Everything {
            for found in link::of_nodes(connection, &list).await? {
                if found.decision == Decision::Same {
                    self.links.insert(found.pair, found.weight);
                    ends.extend(self.connect(found.pair));
                }
            }
            self.expanded.extend(nodes);
        }
        for decided in judgement::of_nodes(connection, &list).await? {
            if let Some(pair) = Pair::new(decided.nodes.0, decided.nodes.1) {
                self.judge(pair, decided.judgement);
                ends.extend(self.connect(pair));
            }
        }
        let is_contested = |node: &NodeId| self.nodes.get(node).is_some_and(|n| n.contested);
        let contested: Vec<NodeId> = nodes.iter().filter(|n| is_contested(n)).copied().collect();
        if !contested.is_empty() {
            for (one, other) in node::sharing_contested(connection, &contested).await? {
                ends.extend(
                    Pair::new(one, other)
                        .map(|pair| self.connect(pair))
                        .into_iter()
                        .flatten(),
                );
            }
        }
        self.load(connection, &ends).await
    }

    fn connect(&mut self, pair: Pair<NodeId>) -> [NodeId; 2] {
        let ends = [pair.low(), pair.high()];
        self.edges.entry(ends[0]).or_default().insert(ends[1]);
        self.edges.entry(ends[1]).or_default().insert(ends[0]);
        ends
    }

    /// Of two nodes whose mentions were decided about both ways, apart prevails.
    fn judge(&mut self, pair: Pair<NodeId>, judgement: Judgement) {
        let held = self.judgements.entry(pair).or_insert(judgement);
        if judgement == Judgement::NotSame {
            *held = judgement;
        }
    }

    /// Connected nodes, as far as they are read.
    fn components(&self) -> Vec<BTreeSet<NodeId>> {
        let mut reached: BTreeSet<NodeId> = BTreeSet::new();
        let mut components = Vec::new();
        for start in self.nodes.keys() {
            if !reached.insert(*start) {
                continue;
            }
            let mut component = BTreeSet::from([*start]);
            let mut open = vec![*start];
            while let Some(node) = open.pop() {
                for other in self.edges.get(&node).into_iter().flatten() {
                    if self.nodes.contains_key(other) && reached.insert(*other) {
                        component.insert(*other);
                        open.push(*other);
                    }
                }
            }
            components.push(component);
        }
        components
    }

    fn resolve(&self, nodes: &BTreeSet<NodeId>, follow: Follow) -> Vec<Placed> {
        let mentions: Vec<_> = nodes
            .iter()
            .filter_map(|node| self.nodes.get(node).map(|stored| (*node, stored.number)))
            .collect();
        let within =
            |pair: &Pair<NodeId>| nodes.contains(&pair.low()) && nodes.contains(&pair.high());
        let mut links = Vec::new();
        let mut judgements = Vec::new();
        for (low, others) in nodes
            .iter()
            .filter_map(|n| self.edges.get(n).map(|others| (*n, others)))
        {
            let pairs = others.range(low..).filter_map(|high| Pair::new(low, *high));
            for pair in pairs.filter(within) {
                if follow == Follow::Everything {
                    links.extend(self.links.get(&pair).map(|weight| (pair, *weight)));
                }
                judgements.extend(self.judgements.get(&pair).map(|judged| (pair, *judged)));
            }
        }
        let resolution = resolve(Evidence {
            mentions: &mentions,
            links: &links,
            judgements: &judgements,
        });
        resolution
            .persons
            .into_iter()
            .map(|(node_id, person_id)| Placed {
                node_id,
                person_id,
                oversize: follow == Follow::Decisions,
            })
            .collect()
    }

    /// Nodes of components that are too large: on through what was not known to be of one, which is bounded by the
    /// components that just grew together; what was known stays as it is.
    async fn dissolve(
        &mut self,
        connection: &mut PgConnection,
        oversize: BTreeSet<NodeId>,
    ) -> Result<Vec<Placed>, LinkingError> {
        let mut dissolved = oversize;
        loop {
            let open: BTreeSet<NodeId> = dissolved
                .iter()
                .filter(|node| !self.expanded.contains(*node))
                .filter(|node| self.nodes.get(*node).is_some_and(|stored| !stored.oversize))
                .copied()
                .collect();
            if open.is_empty() {
                break;
            }
            self.expand(connection, &open, Follow::Everything).await?;
            let ends = open
                .iter()
                .filter_map(|node| self.edges.get(node))
                .flatten();
            dissolved.extend(ends.filter(|node| self.nodes.contains_key(*node)));
        }
        let mut decided = dissolved.clone();
        let mut open = dissolved;
        while !open.is_empty() {
            self.expand(connection, &open, Follow::Decisions).await?;
            open = open
                .iter()
                .filter_map(|node| self.edges.get(node))
                .flatten()
                .filter(|node| self.nodes.contains_key(*node) && !decided.contains(*node))
                .copied()
                .collect();
            decided.extend(&open);
        }
        Ok(self.resolve(&decided, Follow::Decisions))
    }

    async fn write(
        &self,
        connection: &mut PgConnection,
        placed: &[Placed],
        placement: &mut Placement,
    ) -> Result<(), LinkingError> {
        let mut sizes: BTreeMap<PersonId, usize> = BTreeMap::new();
        for placed in placed {
            *sizes.entry(placed.person_id).or_default() += 1;
        }
        let of_several = sizes.into_iter().filter(|(_, size)| *size > 1);
        placement
            .persons
            .extend(of_several.map(|(person, _)| person));
        let mut changed = Vec::new();
        for new in placed {
            let Some(old) = self.nodes.get(&new.node_id) else {
                continue;
            };
            if old.person_id != new.person_id {
                placement.moved.insert(new.node_id);
                placement.persons.extend([old.person_id, new.person_id]);
            }
            if old.person_id != new.person_id || old.oversize != new.oversize {
                changed.push(*new);
            }
        }
        node::place(connection, &changed).await?;
        Ok(())
    }
}
