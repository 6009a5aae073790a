//! Taking in cases, against a real PostgreSQL: what an office sends and what the hub then holds.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod city;
mod duplicate;
mod quarantine;
mod record;
mod revision;
mod sequence;
#[path = "../support/mod.rs"]
mod support;
