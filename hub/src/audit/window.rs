//! Verifying a part of the log, in bounded time.

use sqlx::PgPool;

use super::chain::{Chain, GENESIS};
use super::export::Stored;
use super::merkle::{Edge, TreeHead};
use super::publish::{Checkpoints, PublishError};
use super::recorded::Recorded;
use super::verify::{Break, Fault, Verification, Verifier};
use super::walk::{self, Source};
use crate::store;

/// Entries of one part.
const WINDOW: u32 = 20_000;

/// What a part came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The part begins behind this entry.
    pub after: i64,
    /// Number of the log's last entry.
    pub entries: i64,
    pub verification: Verification,
}

/// Verifies what follows entry `after`, against the checkpoints this hub keeps.
pub async fn verify(
    pool: &PgPool,
    checkpoints: &Checkpoints,
    after: i64,
) -> Result<Window, PublishError> {
    let chain = store::audit::chain(pool).await?;
    let last = store::audit::last(pool).await?;
    let after = after.clamp(0, last);
    let leaves = u64::try_from(after - chain.entries).unwrap_or(0);
    let kept = checkpoints
        .kept(leaves, leaves.saturating_add(WINDOW.into()))
        .await?;
    let verification = match store::audit::edge_at(pool, &chain, leaves).await? {
        None => nothing_to_begin_with(after),
        Some(edge) => verify_behind(pool, chain, edge, after, last, &kept).await?,
    };
    Ok(Window {
        after,
        entries: last.max(verification.through),
        verification,
    })
}

async fn verify_behind(
    pool: &PgPool,
    chain: Chain,
    edge: Edge,
    after: i64,
    last: i64,
    kept: &[TreeHead],
) -> Result<Verification, sqlx::Error> {
    let before = store::audit::after(pool, after - 1, 1).await?;
    let link = before
        .first()
        .and_then(|before| before.chain_hash.as_deref()?.try_into().ok());
    let mut verifier = Verifier::behind(chain, after, link.unwrap_or(GENESIS), edge, kept);
    let mut part = Part {
        stored: Stored::after(pool, after),
        left: WINDOW,
    };
    let broken = walk::advance(&mut part, &mut verifier).await?;
    let so_far = verifier.so_far();
    Ok(match broken {
        None if so_far.through >= last => verifier.finish(),
        broken => Verification { broken, ..so_far },
    })
}

/// Entries that hold the tree up to `after` are not there.
fn nothing_to_begin_with(after: i64) -> Verification {
    Verification {
        broken: Some(Break {
            entry_no: 1,
            through: after,
            fault: Fault::Missing,
        }),
        ..Verification::default()
    }
}

/// The first entries of a source.
struct Part<'a> {
    stored: Stored<'a>,
    left: u32,
}

impl Source for Part<'_> {
    type Error = sqlx::Error;

    async fn next(&mut self) -> Result<Option<Recorded>, sqlx::Error> {
        match self.left.checked_sub(1) {
            None => Ok(None),
            Some(left) => {
                self.left = left;
                self.stored.next().await
            }
        }
    }
}
