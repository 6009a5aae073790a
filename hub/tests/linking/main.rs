//! Persons out of parties, against a real PostgreSQL: what stands when all work is done.
#![allow(clippy::unwrap_used, unreachable_pub)]

#[path = "../ingest/city.rs"]
#[allow(dead_code)]
mod city;

mod findings;
mod hostile;
mod interleave;
mod kill;
mod moved;
mod order;
mod program;
#[path = "../ingest/record.rs"]
#[allow(dead_code)]
mod record;

mod relink;
#[path = "../support/mod.rs"]
mod support;
mod town;
