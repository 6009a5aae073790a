//! The third step, one transaction at a time: what was scored becomes links, links become persons.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use linkage::cluster::Pair;
use linkage::node::NodeId;
use linkage::office::OfficeId;
use sqlx::PgConnection;

use super::compare::{Compared, compare};
use super::component::{self, Placement};
use super::model::Model;
use super::{LinkingError, Touched, contest};
use crate::duplicates::{Effect, persons};
use crate::rules::Rules;
use crate::store::linking::link::Link;
use crate::store::linking::{block, link, model as stored_model, node, work};

/// Cases of one node that are named as touched when its person changes: a bound on what one record can cost.
const MOST_CASES_OF_NODE: usize = 200;

/// What a conclusion did, for the metrics and for what follows.
#[derive(Debug, Default)]
pub(super) struct Conclusion {
    pub touched: Touched,
    pub placement: Placement,
    /// Pairs of nodes compared.
    pub pairs: usize,
    /// Keys left out because too many nodes have them.
    pub overfull: usize,
    /// What persons now show of duplicate applications, and no longer.
    pub findings: Effect,
}

impl Conclusion {
    /// Together with that of other nodes of the same work.
    pub(super) fn add(&mut self, other: Self) {
        self.touched.persons.extend(other.touched.persons);
        self.touched.cases.extend(other.touched.cases);
        self.placement.moved.extend(other.placement.moved);
        self.placement.persons.extend(other.placement.persons);
        self.placement.oversize += other.placement.oversize;
        self.pairs += other.pairs;
        self.overfull += other.overfull;
        self.findings.opened.extend(other.findings.opened);
        self.findings.closed += other.findings.closed;
    }
}

/// Concludes a comparison. The caller holds the lock on clusters, and commits.
pub(super) async fn conclude(
    connection: &mut PgConnection,
    compared: &Compared,
    model: &Arc<Model>,
) -> Result<Conclusion, LinkingError> {
    if stored_model::version(&mut *connection).await?.as_deref() != compared.version.as_deref() {
        return Err(LinkingError::OtherWeights);
    }
    let mut conclusion = Conclusion {
        pairs: compared.pairs,
        overfull: compared
            .blocks
            .values()
            .filter(|view| view.overfull)
            .count(),
        ..Conclusion::default()
    };
    let mut seeds = compared.own.clone();
    seeds.extend(write_links(connection, compared).await?);
    follow_blocks(connection, compared).await?;
    // Taking a number apart or together makes other nodes, which are compared here and now.
    let moved = contest::settle(connection, &compared.own, model).await?;
    let mut left = moved.clone();
    while !left.is_empty() {
        let again = compare(connection, &mut left, model).await?;
        conclusion.pairs += again.pairs;
        seeds.extend(write_links(connection, &again).await?);
        follow_blocks(connection, &again).await?;
    }
    seeds.extend(moved.iter().copied());
    conclusion.placement = component::place(connection, &seeds).await?;
    conclusion.touched = touched(connection, &conclusion.placement, &moved).await?;
    Ok(conclusion)
}

/// Lets duplicate findings follow persons: the last step before the commit, by the rules in force at this moment.
pub(super) async fn follow(
    connection: &mut PgConnection,
    rules: &Rules,
    cases: &BTreeSet<(OfficeId, String)>,
) -> Result<Effect, LinkingError> {
    let rules = rules
        .refresh(&mut *connection)
        .await
        .map_err(sqlx::Error::from)?;
    Ok(persons::find(connection, &rules, cases).await?)
}

/// Makes the links of the nodes what they were scored to be. Returns the nodes whose links changed.
async fn write_links(
    connection: &mut PgConnection,
    compared: &Compared,
) -> Result<BTreeSet<NodeId>, LinkingError> {
    let own: Vec<NodeId> = compared.own.iter().copied().collect();
    let held = link::of_nodes(connection, &own).await?;
    let concerned: BTreeSet<NodeId> = compared
        .revisions
        .keys()
        .copied()
        .chain(
            held.iter()
                .flat_map(|link| [link.pair.low(), link.pair.high()]),
        )
        .chain(own)
        .collect();
    let concerned: Vec<NodeId> = concerned.into_iter().collect();
    let now = node::stored(connection, &concerned).await?;
    let is_gone = |node: NodeId| !now.contains_key(&node);
    let as_scored = |node: NodeId| {
        let scored = compared.revisions.get(&node);
        scored.is_some() && now.get(&node).map(|stored| &stored.revision) == scored
    };
    let held: BTreeMap<Pair<NodeId>, Link> =
        held.into_iter().map(|link| (link.pair, link)).collect();
    let ends = |pair: &Pair<NodeId>| [pair.low(), pair.high()];
    let past: Vec<Pair<NodeId>> = held
        .keys()
        .filter(|pair| {
            ends(pair).into_iter().any(is_gone)
                || ends(pair).into_iter().all(as_scored) && !compared.links.contains_key(pair)
        })
        .copied()
        .collect();
    let new: Vec<Link> = compared
        .links
        .values()
        .filter(|link| ends(&link.pair).into_iter().all(as_scored))
        .filter(|link| held.get(&link.pair) != Some(link))
        .copied()
        .collect();
    link::remove(connection, &past).await?;
    link::upsert(connection, &new).await?;
    Ok(past
        .iter()
        .chain(new.iter().map(|link| &link.pair))
        .flat_map(ends)
        .collect())
}

/// Keeps the list of overfull keys, and has nodes compared again whose keys were judged otherwise than they stand:
/// of a key that is overfull now the nodes with links, of one that is no longer all, which are few.
async fn follow_blocks(
    connection: &mut PgConnection,
    compared: &Compared,
) -> Result<(), LinkingError> {
    let keys: Vec<i64> = compared.blocks.keys().copied().collect();
    let listed = block::listed(connection, &keys).await?;
    let (mut over, mut under, mut meanwhile) = (Vec::new(), Vec::new(), Vec::new());
    for (key, view) in &compared.blocks {
        let is_listed = listed.contains(key);
        if is_listed == view.overfull {
            continue;
        }
        if is_listed != view.listed {
            // Somebody else has seen it cross since, and may not have seen what is written here.
            meanwhile.push(*key);
        } else if view.overfull {
            over.push(*key);
        } else {
            under.push(*key);
        }
    }
    let over = block::list(connection, &over).await?;
    let under = block::unlist(connection, &under).await?;
    let mut again = block::linked_bearers(connection, &over).await?;
    again.extend(
        block::bearers(connection, &under)
            .await?
            .into_values()
            .flatten(),
    );
    if !meanwhile.is_empty() {
        let own: Vec<NodeId> = compared.own.iter().copied().collect();
        again.extend(block::having(connection, &own, &meanwhile).await?);
    }
    let again: BTreeSet<NodeId> = again.into_iter().collect();
    work::add_nodes(connection, &again.into_iter().collect::<Vec<_>>()).await?;
    Ok(())
}

/// `remade`: nodes that were made of mentions of others. A mention may be another person's by that alone.
async fn touched(
    connection: &mut PgConnection,
    placement: &Placement,
    remade: &BTreeSet<NodeId>,
) -> Result<Touched, LinkingError> {
    let moved: Vec<NodeId> = placement.moved.union(remade).copied().collect();
    let cases = node::cases(connection, &moved, MOST_CASES_OF_NODE).await?;
    Ok(Touched {
        persons: placement.persons.clone(),
        cases: cases.into_iter().collect(),
    })
}

impl Touched {
    /// Adds the cases that were taken in.
    pub(super) fn add_cases(&mut self, office_id: Option<OfficeId>, cases: &[String]) {
        if let Some(office_id) = office_id {
            self.cases
                .extend(cases.iter().map(|case| (office_id, case.clone())));
        }
    }
}
