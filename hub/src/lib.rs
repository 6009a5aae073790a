//! The citywide hub: takes in cases from offices, finds duplicate applications, answers look-ups and
//! counts for the bureau.
//!
//! Calls go one way: transport ([`transport`], [`grpc`]) → use cases ([`identity`] and its siblings) →
//! [`store`] (all SQL) and `linkage`.

pub mod alarm;
pub mod app;
mod arrival;
pub mod audit;
pub mod background;
pub mod case;
pub mod cli;
pub mod codes;
pub mod config;
pub mod details;
pub mod duplicates;
pub mod embedded;
pub mod entrance;
pub mod export;
pub mod filing;
mod gate;
pub mod grpc;
pub mod http;
pub mod identity;
pub mod ingest;
pub mod jobs;
pub mod linking;
mod local_time;
pub mod lookup;
pub mod refusal;
pub mod rekey;
pub mod reports;
pub mod review;
pub mod rules;
pub mod statistics;
pub mod store;
pub mod supervision;
pub mod sync;
pub mod telemetry;
pub mod traffic;
pub mod transport;
