//! Walking the chain.

use sqlx::PgPool;

use super::entry::{ChainHash, GENESIS, Recorded};
use crate::store;

/// Entries read at once.
const PAGE: i64 = 5000;

/// What the walk came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Entries that fit, from the first on.
    pub entries: i64,
    /// Chain value of the last one that fits; a receipt kept outside must agree with its own entry.
    pub head: ChainHash,
    pub broken: Option<Break>,
}

/// The first entry that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// Number that should have stood there.
    pub entry_no: i64,
    pub fault: Fault,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not there, though later ones are.
    Missing,
    /// Its content is not what was hashed.
    Changed,
}

impl Fault {
    /// The form in which it is sent.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Changed => "changed",
        }
    }
}

/// Walks the whole log, page by page: it only grows, so that no snapshot is needed.
pub async fn verify(pool: &PgPool) -> Result<Verification, sqlx::Error> {
    let mut so_far = Verification {
        entries: 0,
        head: GENESIS,
        broken: None,
    };
    loop {
        let page = store::audit::after(pool, so_far.entries, PAGE).await?;
        if page.is_empty() {
            return Ok(so_far);
        }
        for recorded in &page {
            match fit(recorded, &so_far) {
                Ok(head) => {
                    so_far.head = head;
                    so_far.entries += 1;
                }
                Err(fault) => {
                    so_far.broken = Some(Break {
                        entry_no: so_far.entries + 1,
                        fault,
                    });
                    return Ok(so_far);
                }
            }
        }
    }
}

fn fit(recorded: &Recorded, so_far: &Verification) -> Result<ChainHash, Fault> {
    if recorded.entry_no != so_far.entries + 1 {
        return Err(Fault::Missing);
    }
    let expected = recorded.hash_behind(&so_far.head);
    match recorded.chain_hash == expected {
        true => Ok(expected),
        false => Err(Fault::Changed),
    }
}
