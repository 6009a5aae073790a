//! Retention: what was recorded goes, its hashes stay. Only what a kept checkpoint vouches for is pruned, only after
//! everything was found to fit, and only after the log itself says so.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use sqlx::PgPool;
use time::Date;

use super::checkpoint::CheckpointKey;
use super::entry::{Action, Actor, Entry, Outcome};
use super::log::{AuditError, append_once};
use super::offline::{self, Evidence, EvidenceError};
use crate::store;

/// What was pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// Number of the last entry without content.
    pub through: i64,
    pub entries: u64,
}

/// Why nothing was pruned.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error("read the audit log: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error("the log does not fit; see: notary-hub audit verify")]
    AtFault,
    #[error("no kept checkpoint covers entry {0}; see: notary-hub audit checkpoint")]
    NotCovered(i64),
}

/// Prunes the entries recorded before a day (UTC). `writing` is the pool of the log, `pool` that of everything else.
pub async fn before(
    pool: &PgPool,
    writing: PgPool,
    key: Arc<CheckpointKey>,
    checkpoints: &Path,
    day: Date,
) -> Result<Pruned, PruneError> {
    let through = store::audit::last_before(pool, day.midnight().assume_utc()).await?;
    if through == 0 {
        return Ok(Pruned {
            through,
            entries: 0,
        });
    }
    let evidence = Evidence::read(checkpoints, &[key.verifier().clone()])?;
    let verdict = offline::verify_database(pool, &evidence).await?;
    if !verdict.is_intact() {
        return Err(PruneError::AtFault);
    }
    if verdict.log.vouched < through {
        return Err(PruneError::NotCovered(through));
    }
    let detail = json!({ "before": day.to_string(), "through": through });
    let entry = |outcome, detail| Entry::of(Actor::Operator, Action::PruneAudit, outcome, detail);
    let begun = append_once(
        writing.clone(),
        Arc::clone(&key),
        entry(Outcome::Begun, detail),
    );
    let begun = begun.await?.entry_no;
    let entries = store::audit::prune(pool, through).await?;
    let detail = json!({ "begun": begun, "entries": entries });
    append_once(writing, key, entry(Outcome::Done, detail)).await?;
    Ok(Pruned { through, entries })
}
