//! `office-agent` runs at a notary office: it reads the office's own system, turns identity numbers into tokens,
//! keeps what it read in a durable outbox and hands it to the hub until the hub has committed it.
//!
//! source (rows) → mapping (cases or rejects) → minimise (tokens) → outbox → sync → hub

pub mod app;
pub mod cli;
pub mod config;
pub mod dial;
pub mod dry_run;
mod durable;
pub mod filing;
pub mod identity;
pub mod lookup;
pub mod mapping;
pub mod minimise;
pub mod outbox;
pub mod pipeline;
pub mod quality;
pub mod reconcile;
pub mod source;
pub mod status;
pub mod sync;
pub mod telemetry;
mod under_key;
