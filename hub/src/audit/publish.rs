//! Signing checkpoints and keeping them outside of the database. A tree is signed only when it is proven to begin with
//! the one that was signed before: a log that somebody has rewritten gets no signature and raises an alarm.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::{Mutex, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::archive::{self, ArchiveError};
use super::chain::Chain;
use super::checkpoint::{Checkpoint, CheckpointKey};
use super::merkle::{Edge, Path, TreeHead};
use super::receipt::Inclusion;
use crate::store;
use crate::telemetry::metrics::AUDIT_CHECKPOINTS;

/// Why there is no checkpoint or proof.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("read the audit log: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(
        "the audit log does not continue the checkpoint of size {signed}: it was rewritten, cut off, or restored from \
         an older backup; docs/operator.md says what to do"
    )]
    Inconsistent { signed: u64 },
}

/// The checkpoints of one hub.
#[derive(Debug)]
pub struct Checkpoints {
    pool: PgPool,
    key: Arc<CheckpointKey>,
    dir: PathBuf,
    newest: Mutex<Option<Checkpoint>>,
}

/// That one tree is the beginning of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consistency {
    pub from: TreeHead,
    pub to: TreeHead,
    /// RFC 6962, section 2.1.2.
    pub path: Vec<[u8; 32]>,
}

impl Checkpoints {
    /// Goes on behind what is kept in `dir`.
    pub fn open(pool: PgPool, key: Arc<CheckpointKey>, dir: PathBuf) -> Result<Self, ArchiveError> {
        let newest = archive::newest(&dir, key.verifier())?;
        Ok(Self {
            pool,
            key,
            dir,
            newest: Mutex::new(newest),
        })
    }

    /// Signs and keeps the tree as it is now; none when it is empty.
    pub async fn publish(&self) -> Result<Option<Checkpoint>, PublishError> {
        let mut newest = self.newest.lock().await;
        let chain = store::audit::chain(&self.pool).await?;
        let edge = store::audit::edge(&self.pool, &chain).await?;
        if let Some(signed) = newest.as_ref() {
            self.continues(&chain, &edge, &signed.head).await?;
        }
        if edge.size() == newest.as_ref().map_or(0, |signed| signed.head.size) {
            return Ok(newest.clone());
        }
        let checkpoint = self.key.sign(&edge.head());
        let (dir, keeping) = (self.dir.clone(), checkpoint.clone());
        let now = OffsetDateTime::now_utc();
        tokio::task::spawn_blocking(move || archive::keep(&dir, &keeping, now))
            .await
            .expect("keeping a checkpoint does not panic")?;
        *newest = Some(checkpoint.clone());
        Ok(Some(checkpoint))
    }

    async fn continues(
        &self,
        chain: &Chain,
        edge: &Edge,
        signed: &TreeHead,
    ) -> Result<(), PublishError> {
        let broken = PublishError::Inconsistent {
            signed: signed.size,
        };
        let Some(path) = Path::between(signed.size, edge.size()) else {
            return Err(broken);
        };
        let nodes = store::audit::nodes(&self.pool, chain, path.nodes()).await?;
        let proven = path
            .hashes(&nodes)
            .is_some_and(|path| edge.head().extends(signed, &path));
        proven.then_some(()).ok_or(broken)
    }

    /// Publishes every so often, after every so many entries of this hub, and when the log has ended.
    pub async fn run(
        self: Arc<Self>,
        every: Duration,
        entries: u64,
        mut grown: watch::Receiver<u64>,
    ) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut tried = *grown.borrow();
        loop {
            let ended = tokio::select! {
                _ = ticks.tick() => false,
                more = grown.wait_for(|size| *size >= tried + entries) => more.is_err(),
            };
            tried = *grown.borrow();
            self.publish_and_say().await;
            if ended {
                return;
            }
        }
    }

    async fn publish_and_say(&self) {
        let outcome = match self.publish().await {
            Ok(_) => "signed",
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "there is no new checkpoint of the audit log"
                );
                match error {
                    PublishError::Inconsistent { .. } => "inconsistent",
                    PublishError::Database(_) | PublishError::Archive(_) => "failed",
                }
            }
        };
        counter!(AUDIT_CHECKPOINTS, "outcome" => outcome).increment(1);
    }

    /// Heads of kept checkpoints that are larger than `above`: those up to `most`, and the largest of all.
    pub async fn kept(&self, above: u64, most: u64) -> Result<Vec<TreeHead>, ArchiveError> {
        let (dir, key) = (self.dir.clone(), self.key.verifier().clone());
        let read = move || {
            let mut kept = archive::list(&dir)?;
            kept.retain(|kept| kept.size > above);
            let largest = kept.last().map(|kept| kept.size);
            kept.retain(|kept| kept.size <= most || Some(kept.size) == largest);
            archive::heads(&kept, &[key])
        };
        tokio::task::spawn_blocking(read)
            .await
            .expect("reading checkpoints does not panic")
    }

    /// Proves that an entry is in the newest checkpoint, or in a new one when it is younger. None when the tree has no
    /// such entry.
    pub async fn inclusion(&self, entry_no: i64) -> Result<Option<Inclusion>, PublishError> {
        let chain = store::audit::chain(&self.pool).await?;
        let Some(leaf_index) = entry_no
            .checked_sub(chain.entries)
            .and_then(|number| u64::try_from(number).ok()?.checked_sub(1))
        else {
            return Ok(None);
        };
        let newest = self.newest.lock().await.clone();
        let checkpoint = match newest {
            Some(newest) if newest.head.size > leaf_index => newest,
            _ => match self.publish().await? {
                Some(newest) if newest.head.size > leaf_index => newest,
                _ => return Ok(None),
            },
        };
        let size = checkpoint.head.size;
        let Some(path) = Path::of_leaf(leaf_index, size) else {
            return Ok(None);
        };
        let leaf = super::merkle::Node {
            level: 0,
            index: leaf_index,
        };
        let wanted = path.nodes().into_iter().chain([leaf]);
        let nodes = store::audit::nodes(&self.pool, &chain, wanted).await?;
        let inconsistent = PublishError::Inconsistent { signed: size };
        match (path.hashes(&nodes), nodes.get(&leaf)) {
            (Some(path), Some(&leaf_hash)) => Ok(Some(Inclusion {
                leaf_index,
                leaf_hash,
                path,
                checkpoint: checkpoint.note,
            })),
            _ => Err(inconsistent),
        }
    }

    /// Proves that the tree of `from` leaves is the beginning of the one of `to`. None when there are no such trees.
    pub async fn consistency(
        &self,
        from: u64,
        to: u64,
    ) -> Result<Option<Consistency>, PublishError> {
        let chain = store::audit::chain(&self.pool).await?;
        let Some(path) = Path::between(from, to) else {
            return Ok(None);
        };
        let peaks = super::merkle::peaks(from).chain(super::merkle::peaks(to));
        let wanted = path.nodes().into_iter().chain(peaks);
        let nodes = store::audit::nodes(&self.pool, &chain, wanted).await?;
        let head = |size| Edge::of(size, &nodes).map(|edge| edge.head());
        Ok(head(from).zip(head(to)).and_then(|(from, to)| {
            let path = path.hashes(&nodes)?;
            Some(Consistency { from, to, path })
        }))
    }
}
