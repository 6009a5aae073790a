//! The REST interface as people's tools meet it: a whole hub, real TLS, a real PostgreSQL.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod audit;
mod client;
mod console;
mod documented;
mod duplicates;
mod exports;
mod jobs;
mod offices;
#[path = "../ingest/record.rs"]
#[allow(dead_code)]
mod record;
mod reports;
mod reviews;
mod roles;
mod schema;
mod scope;
mod sessions;
mod statistics;
mod supervision;
#[path = "../support/mod.rs"]
mod support;
mod work;
