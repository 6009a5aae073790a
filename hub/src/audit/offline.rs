//! Verifying a whole log with nothing but checkpoints that were kept, and the public key.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use sqlx::PgPool;

use super::archive::{self, ArchiveError};
use super::checkpoint::{CheckpointError, VerifierKey};
use super::export::{ExportError, Exported, Stored};
use super::merkle::TreeHead;
use super::verify::{Verification, Verifier};
use super::walk;
use crate::store;

/// Why nothing could be verified.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("{} holds no checkpoint; without one nothing can be verified", .0.display())]
    NoCheckpoint(PathBuf),
}

/// Checkpoints that were kept.
#[derive(Debug)]
pub struct Evidence {
    /// By size, each size once.
    heads: Vec<TreeHead>,
    flaws: Vec<Flaw>,
}

/// A checkpoint that cannot be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    pub path: PathBuf,
    pub fault: CheckpointFault,
}

/// What is wrong with a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointFault {
    Forged(CheckpointError),
    /// The key has signed another tree of the same size.
    Forked,
}

/// What verifying came to.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub log: Verification,
    /// Checkpoints that can be believed.
    pub agreed: usize,
    pub checkpoints: Vec<Flaw>,
}

impl CheckpointFault {
    /// The form in which it is shown.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Forged(_) => "forged_checkpoint",
            Self::Forked => "forked_checkpoint",
        }
    }
}

impl Flaw {
    /// What people read about it.
    pub fn problem(&self) -> String {
        match self.fault {
            CheckpointFault::Forged(error) => error.to_string(),
            CheckpointFault::Forked => "another tree of the same size was signed as well".into(),
        }
    }
}

impl Verdict {
    pub fn is_intact(&self) -> bool {
        self.log.broken.is_none() && self.checkpoints.is_empty()
    }
}

impl Evidence {
    /// Reads every checkpoint in a folder.
    pub fn read(dir: &Path, keys: &[VerifierKey]) -> Result<Self, EvidenceError> {
        let kept = archive::list(dir)?;
        if kept.is_empty() {
            return Err(EvidenceError::NoCheckpoint(dir.to_owned()));
        }
        let mut evidence = Self {
            heads: Vec::with_capacity(kept.len()),
            flaws: Vec::new(),
        };
        for kept in kept {
            let fault = match kept.open(keys)? {
                Err(error) => CheckpointFault::Forged(error),
                Ok(checkpoint) => match evidence.heads.last() {
                    Some(last) if *last == checkpoint.head => continue,
                    Some(last) if last.size == checkpoint.head.size => CheckpointFault::Forked,
                    _ => {
                        evidence.heads.push(checkpoint.head);
                        continue;
                    }
                },
            };
            let path = kept.path;
            evidence.flaws.push(Flaw { path, fault });
        }
        Ok(evidence)
    }

    fn verdict(&self, log: Verification) -> Verdict {
        Verdict {
            log,
            agreed: self.heads.len(),
            checkpoints: self.flaws.clone(),
        }
    }

    /// Heads of the checkpoints that can be believed, by size.
    pub fn heads(&self) -> &[TreeHead] {
        &self.heads
    }
}

/// Verifies an export.
pub async fn verify_export(
    lines: impl BufRead,
    evidence: &Evidence,
) -> Result<Verdict, ExportError> {
    let mut export = Exported::open(lines)?;
    let verifier = Verifier::new(export.chain(), &evidence.heads);
    let log = walk::walk(&mut export, verifier).await?;
    Ok(evidence.verdict(log))
}

/// Verifies the log in the database.
pub async fn verify_database(pool: &PgPool, evidence: &Evidence) -> Result<Verdict, sqlx::Error> {
    let chain = store::audit::chain(pool).await?;
    let verifier = Verifier::new(chain, &evidence.heads);
    let log = walk::walk(&mut Stored::after(pool, 0), verifier).await?;
    Ok(evidence.verdict(log))
}
