//! A small city from real processes over real mTLS: what must hold whatever happens on the way.
//!
//! One test executable, so that all tests share one PostgreSQL for the hubs' databases. Each has its own hub,
//! offices, agents and folder.
#![allow(clippy::unwrap_used)]

mod arrival;
mod crash;
mod drift;
mod dry_run;
mod full_disk;
mod identity;
mod life;
mod lookup;
mod network;
mod privacy;
mod quarantine;
mod renewal;
mod shutdown;
mod support;
mod token_key;
