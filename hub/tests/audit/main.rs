//! The audit log as an auditor meets it: checkpoints that were kept, an export, and a database that somebody owns.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod chain;
mod defect;
mod guard;
mod kill;
mod ledger;
mod prune;
#[path = "../support/mod.rs"]
mod support;
mod tamper;
