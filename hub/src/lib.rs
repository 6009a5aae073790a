//! The citywide hub: takes in cases from offices, finds duplicate applications, answers look-ups and
//! counts for the bureau.
//!
//! Calls go one way: transport → use cases → store and `linkage`.
//!
//! | modules | hold |
//! |---|---|
//! | [`cli`], [`config`], [`app`] | commands, settings, and a running hub: what is built in which order |
//! | [`transport`], `arrival`, `departure`, `gate` | connections and TLS, bodies on their way in and out, how many at a time |
//! | [`grpc`], [`http`], [`refusal`] | what offices' agents and people call, and what both are refused with |
//! | [`identity`], [`entrance`] | who speaks, and coming in |
//! | [`sync`], [`ingest`], [`case`] | offices' feeds, and taking their cases in |
//! | [`duplicates`], [`linking`], [`review`] | equal matters, equal persons, and what people decide of them |
//! | [`lookup`], [`details`], [`alarm`] | asking before accepting, verification between offices, and what looks wrong in it |
//! | [`filing`], [`supervision`] | what offices hand in that is no case, and what the rules find |
//! | [`statistics`], [`reports`], [`export`] | figures, what is published of them, and files |
//! | [`rules`], [`rekey`], [`jobs`] | the rules in force, another token key, and long actions |
//! | [`audit`], [`telemetry`] | who did what, and how the hub does |
//! | [`background`], [`traffic`] | work beside requests, and who goes first |
//! | [`store`], [`embedded`] | all SQL, and a PostgreSQL of the hub's own |
//! | [`codes`], `local_time`, `recent` | codes of enums, the time that people here live by, and what is read once for many |

pub mod alarm;
pub mod app;
mod arrival;
pub mod audit;
pub mod background;
pub mod case;
pub mod cli;
pub mod codes;
pub mod config;
mod departure;
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
mod recent;
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
