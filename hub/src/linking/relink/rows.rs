//! What was linked as rows, and those copied into the database while more are made.

use std::collections::HashSet;

use linkage::bulk::{self, Collection};
use linkage::cluster::Pair;
use linkage::compare::VerifiedNumber;
use linkage::node::NodeId;
use sqlx::PgConnection;
use tokio::sync::mpsc;

use super::anew::{Anew, Persons};
use crate::linking::LinkingError;
use crate::linking::everyone::Everyone;
use crate::linking::run::{Run, Step};
use crate::store::copy::{PIECE, Rows};
use crate::store::linking::link::Link;
use crate::store::linking::node::Placed;
use crate::store::linking::relink::{MentionRow, NodeRow, Table};

/// What comes from the thread that links.
pub(super) enum Piece {
    At(Step, u64),
    Rows {
        table: Table,
        bytes: Vec<u8>,
        rows: u64,
    },
}

/// Copies what comes, table after table.
pub(super) async fn write(
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

/// Turns what was linked into rows.
pub(super) struct Sending<'a> {
    pub(super) anew: &'a Anew,
    pub(super) collection: &'a Collection<'a>,
    pub(super) sender: &'a mpsc::Sender<Piece>,
}

impl Sending<'_> {
    pub(super) fn mentions(&self, nodes: &[NodeId]) {
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

    pub(super) fn nodes(&self, persons: &Persons, contested: &HashSet<VerifiedNumber>) {
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

    pub(super) fn blocks(&self) {
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

    pub(super) fn links(&self, links: &[bulk::Link]) {
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
