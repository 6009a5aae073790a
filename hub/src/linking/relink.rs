//! Everything linked anew: after a first load, and after other weights came in force. It comes to what the workers
//! would come to, a hundred times as fast, because nothing is looked up: all parties are read, linked in memory on
//! every processor, and the differences written.
//!
//! While it runs nobody else changes persons: the workers wait, and decisions are refused with a request to come back.
//! Cases are taken in all the while. Whoever reads sees what stood before, until one commit puts everything in place.
//! What people decided is part of what is linked; a person that stays keeps its name, the least of its nodes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use linkage::bulk::{self, Collection, Scope};
use linkage::cluster::{Bounded, Judgement, Pair, resolve_bounded};
use linkage::compare::VerifiedNumber;
use linkage::node::{MentionId, NodeId};
use linkage::score::Decision;
use serde::Serialize;
use sqlx::PgConnection;
use tokio::sync::mpsc;

use super::LinkingError;
use super::component::MOST_NODES;
use super::everyone::Everyone;
use super::intake;
use super::model::Model;
use super::run::{Run, Runs, Step, workers};
use crate::duplicates::pass;
use crate::jobs::Begun;
use crate::rules::Rules;
use crate::store::copy::Rows;
use crate::store::linking::block::MOST_IN_BLOCK;
use crate::store::linking::link::Link;
use crate::store::linking::node::Placed;
use crate::store::linking::relink::{self as store, MentionRow, NodeRow, Table};
use crate::store::linking::{self as locks, judgement};
use crate::store::{replay, tx};

/// Bytes of rows that are sent at once.
const PIECE: usize = 1 << 18;
/// Pieces that may wait to be sent.
const WAITING: usize = 8;

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Relinked {
    /// Of the weights; none where they are those that come with the program.
    pub version: Option<String>,
    pub mentions: u64,
    pub nodes: u64,
    pub persons: u64,
    /// Pairs of nodes compared.
    pub pairs: u64,
    pub same: u64,
    /// Pairs that are for people to decide.
    pub possible: u64,
    /// Blocking keys left out because too many nodes have them.
    pub overfull_keys: u64,
    /// Components with too many nodes to be clustered by their links.
    pub oversize_components: u64,
    pub contested_numbers: u64,
    /// Rows of mentions, nodes, keys and links that are other than before.
    pub changed_rows: u64,
    pub seconds: f64,
}

/// Links everything anew.
pub async fn relink(runs: &Runs<'_>) -> Result<Relinked, LinkingError> {
    runs.run(Begun::Relink, relink_once).await
}

async fn relink_once(run: &Run<'_>) -> Result<Relinked, LinkingError> {
    let mut transaction = tx::begin(run.long).await?;
    prepare(&mut transaction, run).await?;
    let relinked = anew(&mut transaction, run).await?;
    transaction.commit().await?;
    follow(run).await?;
    Ok(relinked)
}

/// Lets the transaction take its time and waits until nobody else changes persons; they stand still until it ends.
pub(crate) async fn prepare(
    transaction: &mut PgConnection,
    run: &Run<'_>,
) -> Result<(), LinkingError> {
    run.at(Step::Wait, 0, 0).await?;
    store::prepare(transaction).await?;
    locks::exclude_others(transaction).await?;
    Ok(())
}

/// Links everything anew within a transaction that is prepared.
pub(crate) async fn anew(
    transaction: &mut PgConnection,
    run: &Run<'_>,
) -> Result<Relinked, LinkingError> {
    let begun = Instant::now();
    let model = Arc::new(Model::in_force(transaction).await?);
    let everyone = Everyone::read(transaction, &model, run).await?;
    let anew = Anew {
        everyone,
        decisions: judgement::every(transaction).await?,
        workers: workers(),
        model,
    };
    let (sender, receiver) = mpsc::channel(WAITING);
    let linking = tokio::task::spawn_blocking(move || anew.link(&sender));
    write(transaction, receiver, run).await?;
    let (mut relinked, overfull) = linking.await?;
    run.at(Step::Switch, 0, 0).await?;
    let replaced = store::replace(transaction, &overfull).await?;
    relinked.changed_rows = replaced.mentions + replaced.nodes + replaced.blocks + replaced.links;
    relinked.seconds = begun.elapsed().as_secs_f64();
    Ok(relinked)
}

/// Lets duplicate findings follow the persons that stand now. A run that is cut short here is to be repeated.
async fn follow(run: &Run<'_>) -> Result<(), LinkingError> {
    let cases = replay::count(&mut *run.long.acquire().await?).await?;
    let total = u64::try_from(cases).unwrap_or(0);
    pass::follow_persons(run.long, &Rules::shipped(), async |done| {
        run.at(Step::Switch, done as u64, total).await
    })
    .await
}

/// What comes from the thread that links.
enum Piece {
    At(Step, u64),
    Rows {
        table: Table,
        bytes: Vec<u8>,
        rows: u64,
    },
}

/// Copies what comes, table after table.
async fn write(
    connection: &mut PgConnection,
    mut receiver: mpsc::Receiver<Piece>,
    run: &Run<'_>,
) -> Result<(), LinkingError> {
    let mut next = receiver.recv().await;
    let mut written = 0;
    while let Some(piece) = next {
        let (table, bytes) = match piece {
            Piece::At(step, total) => {
                run.at(step, 0, total).await?;
                next = receiver.recv().await;
                continue;
            }
            Piece::Rows { table, bytes, rows } => {
                written += rows;
                (table, bytes)
            }
        };
        let mut copy = connection.copy_in_raw(table.statement()).await?;
        copy.send(bytes).await?;
        next = loop {
            match receiver.recv().await {
                Some(Piece::Rows {
                    table: same,
                    bytes,
                    rows,
                }) if same == table => {
                    copy.send(bytes).await?;
                    written += rows;
                }
                other => break other,
            }
        };
        copy.finish().await?;
        run.at(Step::Write, written, 0).await?;
    }
    Ok(())
}

/// All that is linked.
struct Anew {
    everyone: Everyone,
    decisions: Vec<((MentionId, MentionId), Judgement)>,
    model: Arc<Model>,
    workers: NonZeroUsize,
}

impl Anew {
    /// Links it and sends the rows. Returns what it came to, and the overfull keys.
    fn link(&self, sender: &mpsc::Sender<Piece>) -> (Relinked, Vec<i64>) {
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

    /// The person of every node, as [`super::component`] places them.
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
    fn named(&self) -> HashSet<MentionId> {
        self.decisions
            .iter()
            .flat_map(|((a, b), _)| [*a, *b])
            .collect()
    }
}

/// Persons of nodes, by place.
struct Persons {
    of: Vec<u32>,
    /// In order.
    oversize: Vec<u32>,
    components: u64,
}

impl Persons {
    fn count(&self) -> u64 {
        let first = (0..).zip(&self.of).filter(|(node, person)| node == *person);
        first.count() as u64
    }
}

/// Turns what was linked into rows.
struct Sending<'a> {
    anew: &'a Anew,
    collection: &'a Collection<'a>,
    sender: &'a mpsc::Sender<Piece>,
}

impl Sending<'_> {
    fn mentions(&self, nodes: &[NodeId]) {
        let named = self.anew.named();
        let Everyone { ids, places, .. } = &self.anew.everyone;
        let rows = ids.iter().zip(places).zip(nodes);
        self.send(Table::Mention, rows, |into, ((id, place), node)| {
            into.mention(&MentionRow {
                mention_id: *id,
                office_id: place.office_id,
                source_case_id: &place.source_case_id,
                ordinal: place.ordinal,
                node_id: *node,
                content: place.content,
                judged: named.contains(id),
            });
        });
    }

    fn nodes(&self, persons: &Persons, contested: &HashSet<VerifiedNumber>) {
        let ids = self.collection.nodes();
        let rows = (0..).zip(ids).zip(&persons.of);
        self.send(Table::Node, rows, |into, ((node, node_id), person)| {
            let number = self.collection.number(node);
            into.node(&NodeRow {
                number,
                contested: number.is_some_and(|number| contested.contains(&number)),
                placed: Placed {
                    node_id: *node_id,
                    person_id: ids[*person as usize],
                    oversize: persons.oversize.binary_search(&node).is_ok(),
                },
            });
        });
    }

    fn blocks(&self) {
        let mut keys = Vec::new();
        self.send(
            Table::Block,
            (0..).zip(self.collection.nodes()),
            |into, (node, node_id)| {
                self.collection.keys(node, &mut keys);
                for key in &keys {
                    into.block(key.to_number(), *node_id);
                }
            },
        );
    }

    fn links(&self, links: &[bulk::Link]) {
        let ids = self.collection.nodes();
        self.send(Table::Link, links, |into, link| {
            let (low, high) = (ids[link.nodes.0 as usize], ids[link.nodes.1 as usize]);
            // Places are in the order of ids.
            if let Some(pair) = Pair::new(low, high) {
                into.link(&Link {
                    pair,
                    decision: link.score.decision,
                    weight: link.score.weight,
                    mentions: link.score.mentions,
                });
            }
        });
    }

    fn send<T>(
        &self,
        table: Table,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Rows, T),
    ) {
        let mut rows = Rows::first();
        let mut count = 0;
        for item in items {
            write(&mut rows, item);
            count += 1;
            if rows.len() >= PIECE && self.piece(table, &mut rows, &mut count).is_err() {
                return;
            }
        }
        rows.end();
        let _ = self.piece(table, &mut rows, &mut count);
    }

    fn piece(&self, table: Table, rows: &mut Rows, count: &mut u64) -> Result<(), Refused> {
        let piece = Piece::Rows {
            table,
            bytes: rows.take(),
            rows: std::mem::take(count),
        };
        self.sender.blocking_send(piece).map_err(|_| Refused)
    }
}

/// Whoever receives has failed, and says why.
struct Refused;
