//! What whoever was recorded takes home: where the entry stands, and a proof of it that needs no database.

use std::sync::{Arc, OnceLock};

use time::OffsetDateTime;

use super::chain::Chain;
use super::checkpoint::CheckpointKey;
use super::merkle::{Hash, Nodes, Path, TreeHead};
use super::recorded::Recorded;

/// Proof that something was recorded.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub entry_no: i64,
    pub recorded_at: OffsetDateTime,
    pub leaf_hash: Hash,
    batch: Arc<Batch>,
}

/// That a leaf is in the tree of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    pub leaf_index: u64,
    pub leaf_hash: Hash,
    /// RFC 6962, section 2.1.1.
    pub path: Vec<Hash>,
    /// A signed note (C2SP tlog-checkpoint).
    pub checkpoint: String,
}

/// Entries of one commit.
#[derive(Debug)]
pub(super) struct Batch {
    chain: Chain,
    head: TreeHead,
    /// The edge before, and what these entries completed.
    nodes: Nodes,
    key: Arc<CheckpointKey>,
    checkpoint: OnceLock<String>,
}

impl Batch {
    pub(super) fn new(chain: Chain, head: TreeHead, nodes: Nodes, key: Arc<CheckpointKey>) -> Self {
        Self {
            chain,
            head,
            nodes,
            key,
            checkpoint: OnceLock::new(),
        }
    }

    pub(super) fn head(&self) -> TreeHead {
        self.head
    }
}

impl Receipt {
    pub(super) fn new(recorded: &Recorded, batch: &Arc<Batch>) -> Self {
        Self {
            entry_no: recorded.entry_no,
            recorded_at: recorded.recorded_at,
            leaf_hash: recorded
                .leaf_hash()
                .expect("an entry of this hub has its leaf hash"),
            batch: Arc::clone(batch),
        }
    }

    /// The proof, in the tree as it was when the entry became durable. Made only for those who ask: neither paths nor
    /// signatures keep the next batch waiting.
    pub fn inclusion(&self) -> Inclusion {
        let Batch {
            chain, head, nodes, ..
        } = &*self.batch;
        let leaf_index = self.entry_no.abs_diff(chain.entries) - 1;
        let checkpoint = self
            .batch
            .checkpoint
            .get_or_init(|| self.batch.key.sign(head).note);
        Inclusion {
            leaf_index,
            leaf_hash: self.leaf_hash,
            path: Path::of_leaf(leaf_index, head.size)
                .and_then(|path| path.hashes(nodes))
                .expect("the edge and what a batch completes prove each of its leaves"),
            checkpoint: checkpoint.clone(),
        }
    }
}
