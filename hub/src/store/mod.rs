//! All SQL of the hub: one file for each aggregate, and the pools and transactions they run in.

pub mod account;
pub mod alarm;
pub mod assessment;
pub mod audit;
pub mod case;
pub mod certificate;
pub mod child;
pub(crate) mod copy;
pub(crate) mod decode;
pub mod details;
pub mod digest;
pub mod duplicate;
pub mod export;
pub mod feed;
pub mod feed_day;
pub mod figures;
pub mod filing;
pub mod filing_missing;
pub mod filing_record;
pub mod finding;
pub mod intent;
pub mod job;
pub mod linking;
pub mod lookup;
mod migrate;
pub mod next_tokens;
pub mod notice;
pub mod office;
pub mod overview;
pub mod own_account;
pub mod person_month;
pub mod pool;
pub mod quality;
pub mod reject;
pub mod replay;
pub mod report;
pub mod review;
pub mod revocation;
pub mod rollup;
pub mod rules;
pub mod scope;
pub mod second_factor;
pub mod set_aside;
pub mod slot;
pub mod structure;
pub mod supervision;
pub mod sync;
pub mod token_key;
pub mod token_key_move;
pub mod tx;
pub mod watch;

use linkage::office::OfficeId;

pub use migrate::{SchemaError, migrate};

/// Pairs that begin with an office as two columns.
fn columns<'a>(pairs: &'a [(OfficeId, &'a str)]) -> (Vec<&'a str>, Vec<&'a str>) {
    pairs
        .iter()
        .map(|(office_id, other)| (office_id.as_str(), *other))
        .unzip()
}
