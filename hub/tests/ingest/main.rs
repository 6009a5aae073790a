//! Taking in cases, against a real PostgreSQL: what an office sends and what the hub then holds.
#![allow(clippy::unwrap_used, unreachable_pub)]

// The tests of linkage use it as well, and more of it.
#[allow(dead_code)]
mod city;
mod copied;
mod damage;
mod defect;
mod duplicate;
mod figures;
mod quarantine;
mod record;
mod revision;
mod rules;
mod sequence;
#[path = "../support/mod.rs"]
mod support;
