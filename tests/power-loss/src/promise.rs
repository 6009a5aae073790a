//! What the agent has promised at a moment of its life: to its source, to the hub and to whoever enrolled it.

use std::io::Write;

use anyhow::Context;
use notary_proto::hub::v1::CaseRecord;
use serde::{Deserialize, Serialize};

/// Cases that records are about: each changes again and again.
const CASES: u64 = 300;

/// What the recorded agent says, so that it stands among its system calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mark {
    /// An identity has been stored.
    Enrolled,
    /// The append of this number begins.
    Begins(u64),
    /// It has returned: the source may go on.
    Keeps(u64),
    /// What was acknowledged of the appends up to this one has been kept for long enough.
    LetsGo(u64),
    /// The hub hears of an epoch, in which sequences begin behind so many records.
    Speaks { epoch: String, behind: u64 },
    /// The outbox is damaged from now on, though no record of it.
    Damaged,
    /// It has been mended.
    Mended,
}

impl Mark {
    /// # Errors
    /// When nobody listens.
    pub(crate) fn say(&self) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        // One call, not one for each part.
        Ok(std::io::stdout().lock().write_all(&line)?)
    }

    pub(crate) fn heard(line: &[u8]) -> anyhow::Result<Self> {
        serde_json::from_slice(line).context("a mark")
    }
}

/// All that was promised up to a moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Promises {
    pub(crate) begun: u64,
    pub(crate) kept: u64,
    let_go: u64,
    /// What the hub heard last: epoch, and behind how many records its sequences begin.
    pub(crate) spoken: Option<(String, u64)>,
    pub(crate) damaged: bool,
    /// Mending forgets where sources stand, so that they are read anew.
    pub(crate) read_anew: bool,
}

impl Promises {
    pub(crate) fn hear(&mut self, mark: Mark) {
        match mark {
            Mark::Enrolled => {}
            Mark::Begins(append) => self.begun = append,
            Mark::Keeps(append) => (self.kept, self.read_anew) = (append, false),
            Mark::LetsGo(append) => self.let_go = self.let_go.max(append),
            Mark::Speaks { epoch, behind } => self.spoken = Some((epoch, behind)),
            Mark::Damaged => (self.damaged, self.read_anew) = (true, true),
            Mark::Mended => self.damaged = false,
        }
    }

    /// Records that must be there.
    pub(crate) fn records(&self) -> std::ops::RangeInclusive<u64> {
        total(self.let_go) + 1..=total(self.kept)
    }
}

/// Records of an append, from which everything else about them follows.
pub(crate) fn records_of(append: u64) -> std::ops::RangeInclusive<u64> {
    total(append - 1) + 1..=total(append)
}

/// Records of all appends up to this one.
pub(crate) fn total(append: u64) -> u64 {
    (1..=append).map(|append| 1 + append * 7 % 12).sum()
}

/// The append that a record is the last of.
pub(crate) fn append_up_to(record: u64) -> Option<u64> {
    let append = (0..).find(|append| total(*append) >= record)?;
    (total(append) == record).then_some(append)
}

/// A record of that number, but for its revision. Some need several pages of the file.
pub(crate) fn case(record: u64) -> CaseRecord {
    let long = if record.is_multiple_of(40) {
        6000
    } else {
        record * 37 % 500
    };
    CaseRecord {
        source_case_id: format!("case-{}", record % CASES),
        fee_charged_fen: record.cast_signed(),
        notary_name: "n".repeat(usize::try_from(long).unwrap_or_default()),
        ..CaseRecord::default()
    }
}
