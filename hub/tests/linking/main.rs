//! Persons out of parties, against a real PostgreSQL: what stands when all work is done.
#![allow(clippy::unwrap_used, unreachable_pub)]

#[path = "../ingest/city.rs"]
#[allow(dead_code)]
mod city;

mod order;
#[path = "../ingest/record.rs"]
#[allow(dead_code)]
mod record;

#[path = "../support/mod.rs"]
mod support;
mod town;
