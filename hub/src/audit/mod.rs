//! The audit log: who asked what, why, and what came of it. Append-only and hash-chained; an entry is durable
//! before the answer it speaks of, so that no answer leaves without one.
//!
//! chain_hash = SHA-256(previous chain_hash ‖ canonical bytes of the entry), see [`entry`]. Entries are numbered
//! from 1 without a gap. What was changed, put in or taken out between two entries shows when the chain is
//! walked ([`verify`]); what was cut off at its end shows against any receipt kept outside.

mod entry;
mod log;
mod verify;

pub use entry::{Action, Actor, ChainHash, Entry, GENESIS, Outcome, Recorded};
pub use log::{Audit, AuditError, AuditLog, Receipt};
pub use verify::{Break, Fault, Verification, verify};
