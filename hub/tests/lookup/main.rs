//! Look-ups as a notary's case system makes them: a whole hub, real TLS, a real PostgreSQL.
#![allow(clippy::unwrap_used, unreachable_pub)]

#[path = "../sync/agent.rs"]
#[allow(dead_code)]
mod agent;
mod alarm;
mod answer;
mod batch;
mod chain;
mod crowd;
mod denial;
mod details;
mod intent;
mod lanes;
mod length;
mod notary;
mod person;
#[path = "../ingest/record.rs"]
#[allow(dead_code)]
mod record;
mod scope;
#[path = "../support/mod.rs"]
mod support;
mod timing;
mod watch;
