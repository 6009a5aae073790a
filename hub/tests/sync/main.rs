//! The sync stream as an agent meets it: a whole hub, real TLS, a real PostgreSQL.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod acknowledge;
mod agent;
mod digest;
mod ending;
mod filing;
mod greeting;
mod kill;
mod limits;
mod next_tokens;
mod notice;
#[path = "../ingest/record.rs"]
#[allow(dead_code)]
mod record;
mod reminder;
#[path = "../support/mod.rs"]
mod support;
mod upgrade;
