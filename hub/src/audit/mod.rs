//! The audit log: who asked what, why, and what came of it. Append-only, and a Merkle tree; an entry is durable before
//! the answer it speaks of, so that no answer leaves without one. docs/audit.md describes the form for others.
//!
//! Each row holds the hash of its own leaf and of the perfect subtrees it completes ([`merkle`]): appending takes one
//! statement, a proof O(log n) reads. Signed checkpoints ([`checkpoint`]) are kept outside of the database
//! ([`archive`]): whatever is changed behind one of them shows ([`verify`]), even to somebody who has nothing but
//! checkpoints and an export.

pub mod archive;
pub mod chain;
pub mod checkpoint;
mod denials;
mod entry;
pub mod export;
pub mod key_file;
mod log;
pub mod merkle;
pub mod offline;
pub mod prune;
mod publish;
mod receipt;
mod recorded;
pub(crate) mod refusals;
pub mod verify;
pub mod walk;
pub mod window;

pub use checkpoint::{Checkpoint, CheckpointKey};
pub use entry::{Action, Actor, Entry, Existence, Outcome};
pub use log::{Audit, AuditError, AuditLog, append_once, for_once};
pub use publish::{Checkpoints, Consistency, PublishError};
pub use receipt::{Inclusion, Receipt};
pub use recorded::Recorded;
pub use verify::{Break, Fault, Verification, Verifier};
