//! Verifying the log against checkpoints: entry by entry, with no more memory than one of them takes and the
//! checkpoints themselves.
//!
//! What was changed by somebody who did not recompute every hash shows at the entry itself. Who did recompute them shows
//! at the next checkpoint, and the fault is named by the entries between it and the one before.

use super::chain::{Chain, ChainHash, GENESIS};
use super::entry::Action;
use super::merkle::{Edge, Hash, TreeHead};
use super::recorded::Recorded;

/// Numbers tried on either side to tell whether an entry was given another number.
const NUMBERS_TRIED: i64 = 2000;

/// What does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// The first entry it can be.
    pub entry_no: i64,
    /// The last one it can be.
    pub through: i64,
    pub fault: Fault,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its content or its hashes are not what they were.
    Changed,
    /// It is not there, or what it said is gone without a pruning that was recorded.
    Missing,
    /// It was put in between others.
    Inserted,
    /// It stands in another's place.
    Reordered,
    /// The log ends before the largest checkpoint does.
    Truncated,
    /// Every hash fits the others, and not the checkpoint: this is another log than the one that was signed.
    Forked,
}

impl Fault {
    /// The form in which it is shown.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Inserted => "inserted",
            Self::Reordered => "reordered",
            Self::Truncated => "truncated",
            Self::Forked => "forked",
        }
    }
}

/// What a walk came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Number of the last entry that fits.
    pub through: i64,
    /// The tree up to it.
    pub head: TreeHead,
    /// Number of the last entry that a checkpoint vouches for.
    pub vouched: i64,
    pub broken: Option<Break>,
}

/// Why an entry does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    Broken(Break),
    /// Another number stands where `expected` should: it is missing, or comes later.
    Gap {
        expected: i64,
    },
    /// By its hash it had another number. What follows tells why.
    Renumbered {
        now: i64,
        was: i64,
    },
}

/// Walks a log.
#[derive(Debug)]
pub struct Verifier<'a> {
    chain: Chain,
    /// Of the last entry of the old chain that was walked.
    link: ChainHash,
    edge: Edge,
    /// Number of the last entry that fits.
    through: i64,
    /// By size; those the walk has passed are taken off.
    heads: &'a [TreeHead],
    vouched: i64,
    /// Whether an entry with content was walked.
    told: bool,
    /// Number of the last entry whose content is gone.
    pruned: i64,
    /// As far as the log itself says that it was pruned.
    prunable: i64,
}

impl<'a> Verifier<'a> {
    /// From the first entry on. `heads` are of checkpoints, by size.
    pub fn new(chain: Chain, heads: &'a [TreeHead]) -> Self {
        Self::behind(chain, 0, GENESIS, Edge::default(), heads)
    }

    /// From the entry behind `through` on, where the log before is taken for granted.
    pub fn behind(
        chain: Chain,
        through: i64,
        link: ChainHash,
        edge: Edge,
        heads: &'a [TreeHead],
    ) -> Self {
        let passed = heads.partition_point(|head| head.size <= edge.size());
        Self {
            chain,
            link,
            edge,
            through,
            heads: &heads[passed..],
            vouched: through,
            told: false,
            pruned: 0,
            prunable: 0,
        }
    }

    /// Takes the next entry.
    pub fn take(&mut self, recorded: &Recorded) -> Result<(), Misfit> {
        let expected = self.through + 1;
        if recorded.entry_no > expected {
            return Err(Misfit::Gap { expected });
        }
        if recorded.entry_no < expected {
            return Err(at(recorded.entry_no, Fault::Inserted));
        }
        self.take_content(recorded)?;
        match expected <= self.chain.entries {
            true => self.take_link(recorded)?,
            false => self.take_leaf(recorded)?,
        }
        self.through = expected;
        self.check_head()
    }

    /// Content goes from the beginning of the log on, or not at all.
    fn take_content(&mut self, recorded: &Recorded) -> Result<(), Misfit> {
        match (recorded.pruned, self.told) {
            (true, true) => return Err(at(recorded.entry_no, Fault::Missing)),
            (true, false) => self.pruned = recorded.entry_no,
            (false, _) => self.told = true,
        }
        let through = recorded.pruned_through().unwrap_or(0);
        self.prunable = self.prunable.max(through.min(self.through));
        Ok(())
    }

    fn take_link(&mut self, recorded: &Recorded) -> Result<(), Misfit> {
        let changed = at(recorded.entry_no, Fault::Changed);
        let stored = recorded.chain_hash.as_deref().ok_or(changed)?;
        let stored: ChainHash = stored.try_into().map_err(|_| changed)?;
        if recorded.tree.is_some() || recorded.salt.is_some() {
            return Err(changed);
        }
        if !recorded.pruned && recorded.hash_behind(&self.link) != stored {
            return Err(changed);
        }
        self.link = stored;
        match recorded.entry_no == self.chain.entries && stored != self.chain.head {
            true => Err(changed),
            false => Ok(()),
        }
    }

    fn take_leaf(&mut self, recorded: &Recorded) -> Result<(), Misfit> {
        let number = recorded.entry_no;
        let changed = at(number, Fault::Changed);
        let stored = recorded.leaf_hash().ok_or(changed)?;
        if recorded.chain_hash.is_some() {
            return Err(changed);
        }
        if !recorded.pruned && recorded.hash() != stored {
            return Err(
                number_of(recorded).map_or(changed, |was| Misfit::Renumbered { now: number, was })
            );
        }
        if self.edge.size() == 0 && !self.begins_behind_the_chain(recorded) {
            return Err(changed);
        }
        let completed = self.edge.push(stored);
        let subtrees = recorded.tree.as_deref().unwrap_or_default();
        let differs = |(level, hash): (usize, &Hash)| {
            let stored = subtrees.chunks(32).nth(level);
            (stored != Some(hash.as_slice())).then_some(level)
        };
        if let Some(level) = completed.iter().enumerate().find_map(differs) {
            return Err(Misfit::Broken(Break {
                entry_no: number + 1 - (1 << level),
                through: number,
                fault: Fault::Changed,
            }));
        }
        match subtrees.len() == completed.len() * 32 {
            true => Ok(()),
            false => Err(changed),
        }
    }

    /// The first leaf of a tree that follows a chain names the chain's end.
    fn begins_behind_the_chain(&self, recorded: &Recorded) -> bool {
        let Chain { entries, head } = self.chain;
        let names_it = || {
            recorded.action == Action::BeginTree.code()
                && recorded.detail["entries"].as_i64() == Some(entries)
                && recorded.detail["head"] == data_encoding::HEXLOWER.encode(&head)
        };
        entries == 0 || recorded.pruned || names_it()
    }

    fn check_head(&mut self) -> Result<(), Misfit> {
        let size = self.edge.size();
        let here = self.heads.iter().take_while(|head| head.size <= size);
        let here = here.count();
        let (here, others) = self.heads.split_at(here);
        self.heads = others;
        if here.is_empty() {
            return Ok(());
        }
        let head = self.edge.head();
        if here.iter().any(|signed| *signed != head) {
            return Err(Misfit::Broken(Break {
                entry_no: self.vouched + 1,
                through: self.through,
                fault: Fault::Forked,
            }));
        }
        self.vouched = self.through;
        Ok(())
    }

    /// Where the walk is.
    pub fn so_far(&self) -> Verification {
        Verification {
            through: self.through,
            head: self.edge.head(),
            vouched: self.vouched,
            broken: None,
        }
    }

    /// The walk has come to the end of the log.
    pub fn finish(self) -> Verification {
        let broken = match self.heads.last() {
            Some(head) => Some(Break {
                entry_no: self.through + 1,
                through: self.chain.entries.saturating_add_unsigned(head.size),
                fault: Fault::Truncated,
            }),
            None if self.pruned > self.prunable => Some(Break {
                entry_no: self.prunable + 1,
                through: self.pruned,
                fault: Fault::Missing,
            }),
            None => None,
        };
        Verification {
            broken,
            ..self.so_far()
        }
    }
}

fn at(entry_no: i64, fault: Fault) -> Misfit {
    Misfit::Broken(Break {
        entry_no,
        through: entry_no,
        fault,
    })
}

/// The number under which the stored hash is the entry's own.
pub(super) fn number_of(recorded: &Recorded) -> Option<i64> {
    let stored = recorded.leaf_hash()?;
    let mut moved = recorded.clone();
    let mut fits = |number: i64| {
        moved.entry_no = number;
        moved.hash() == stored
    };
    let now = recorded.entry_no;
    (0..=NUMBERS_TRIED)
        .flat_map(|distance| [now + distance, now - distance])
        .find(|&number| number > 0 && fits(number))
}
