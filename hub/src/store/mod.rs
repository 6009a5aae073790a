//! All SQL of the hub: a room or a file for each aggregate, and the pools and transactions they run in.
//!
//! | module | holds |
//! |---|---|
//! | [`pool`], [`tx`], [`scope`] | connections for each kind of work, transactions, and on whose behalf they read |
//! | [`reserved`] | what is the hub's alone |
//! | [`migrate()`], `copy`, `decode` | the schema, rows written by COPY, stored codes to types |
//! | [`office`], [`account`], [`token_key`] | who takes part, and the key that tokens are made with |
//! | [`feed`], [`case`], [`filing`] | what offices send, and how far they have come |
//! | [`duplicate`], [`linking`], [`review`] | equal matters, equal persons, and what people decide of them |
//! | [`lookup`], [`supervision`], [`figures`] | what is asked, what the rules find, what is counted |
//! | [`rules`] | the rules texts, and which is in force |
//! | [`audit`], [`alarm`] | who did what, and what looks wrong |
//! | [`job`], [`slot`] | long actions, and what the database keeps for a backup or a standby |

pub mod account;
pub mod alarm;
pub mod audit;
pub mod case;
pub(crate) mod copy;
pub(crate) mod decode;
pub mod duplicate;
pub mod feed;
pub mod figures;
pub mod filing;
pub mod job;
pub mod linking;
pub mod lookup;
mod migrate;
pub mod office;
pub mod pool;
pub mod reserved;
pub mod review;
pub mod rules;
pub mod scope;
pub mod slot;
pub mod supervision;
pub mod token_key;
pub mod tx;

use linkage::office::OfficeId;

pub use migrate::{SchemaError, migrate};

/// Pairs that begin with an office as two columns.
fn columns<'a>(pairs: &'a [(OfficeId, &'a str)]) -> (Vec<&'a str>, Vec<&'a str>) {
    pairs
        .iter()
        .map(|(office_id, other)| (office_id.as_str(), *other))
        .unzip()
}
