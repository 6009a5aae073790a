//! Person linkage: which parties of the city's cases are one person, kept up to date as cases come.
//!
//! Ingest puts a case down in `link_work` and knows nothing more of it. Workers take that work up under a lease, each
//! chunk in three steps:
//!
//! 1. [`intake`] (a transaction): the parties of the chunk's cases become mentions, nodes and blocking keys.
//! 2. [`compare`] (reads alone, of one moment): the nodes that share a key with a touched one are scored with it.
//! 3. [`conclude`] (a transaction, one at a time): links are written, the connected components that they touch are
//!    clustered, the work is taken off.
//!
//! **No pair is missed.** Step 1 commits before step 2 reads. Of two workers whose nodes share a key, the one that
//! reads later sees the other's, so that at least one of them scores the pair.
//!
//! **No pair is written from what is past.** A node's revision changes whenever its representatives do, in step 1.
//! Step 3 writes or removes a link only while both nodes have the revision that was scored; otherwise somebody else
//! has touched one of them since, has it down as work, and scores the pair from what is there now.
//!
//! **Work is bounded.** A node is compared by [`linkage::node::MOST_REPRESENTATIVES`] mentions, whoever bears its
//! number; a key that more than [`MOST_IN_BLOCK`](crate::store::linking::block::MOST_IN_BLOCK) nodes have compares
//! nothing; a component of more than [`component::MOST_NODES`] nodes is left to numbers and people. Of a chunk whose
//! parties meet more than is compared at once, steps 2 and 3 are done part by part. When a key comes
//! to have too many nodes, or no longer has, the nodes concerned are compared again. So what stands when all work is
//! done follows from the cases, the decisions and the weights alone, never from the order in which they came.
//!
//! **Decisions follow persons.** Where a revision puts somebody else at a mention's place, [`decided`] has what people
//! decided follow who stood there.
//!
//! After a first load, or under other weights, [`relink`] does the same for everything at once;
//! [`train`] makes the weights from what the hub holds.
//!
//! A worker that dies leaves its lease to run out; what it touched is noted in the work itself, so that the next one
//! compares it again.

pub mod candidates;
pub(crate) mod compare;
mod component;
mod conclude;
mod contest;
mod decided;
mod everyone;
mod intake;
pub mod model;
pub mod relink;
pub mod rework;
pub mod run;
pub mod state;
pub mod train;
mod worker;

use std::collections::BTreeSet;

use linkage::node::NodeId;
use linkage::office::OfficeId;
use linkage::weights::WeightsError;

use crate::store::tx::Retryable;

pub use worker::{Linking, Workers};

/// A person is named by the least of its nodes.
pub type PersonId = NodeId;

/// Whose persons a transaction changed, for whatever follows from persons within it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Persons that gained or lost a node, or whose nodes gained or lost mentions.
    pub persons: BTreeSet<PersonId>,
    /// Cases that were taken in, and cases with mentions that are another person's now.
    pub cases: BTreeSet<(OfficeId, String)>,
}

/// Why persons could not be linked.
#[derive(Debug, thiserror::Error)]
pub enum LinkingError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error("the weights in force cannot be used: {0}")]
    Weights(#[from] WeightsError),
    /// A node went while a mention came to it.
    #[error("a node vanished meanwhile")]
    Vanished,
    /// Other weights came in force while pairs were scored.
    #[error("the weights changed meanwhile")]
    OtherWeights,
    /// People hold two of more mentions with one number apart than can be told apart one by one.
    #[error("too many mentions have this number: correct it where it was written")]
    TooManyMentions,
    /// All persons are being linked anew: nothing else may change them.
    #[error("all persons are being linked anew; try again when that is done")]
    Relinking,
    /// Another long action is under way.
    #[error("another run is under way; see how far it is with: notary-hub jobs")]
    RunUnderWay,
    #[error("scoring was cut short")]
    Scoring(#[from] tokio::task::JoinError),
}

impl Retryable for LinkingError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Database(error) => error.is_retryable(),
            Self::Vanished => true,
            Self::Weights(_)
            | Self::OtherWeights
            | Self::TooManyMentions
            | Self::Relinking
            | Self::RunUnderWay
            | Self::Scoring(_) => false,
        }
    }
}
