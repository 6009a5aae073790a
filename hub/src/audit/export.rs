//! The log as a file: JSON lines, so that others can verify it as well; docs/audit.md has the form. The first line says
//! where the old chain ended, each other one is an entry: its leaf as the very text that is hashed, and its hashes.

use std::io::{self, BufRead, Read, Write};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgPool;
use time::OffsetDateTime;

use super::chain::Chain;
use super::recorded::Recorded;
use super::walk::Source;
use crate::store;

/// Entries read at once.
const PAGE: i64 = 1000;
/// An entry is far shorter.
const LONGEST_LINE: u64 = 1024 * 1024;

/// Why an export cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("read the audit log: {0}")]
    Database(#[from] sqlx::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("line {line} of the export is not of its form")]
    Malformed { line: u64 },
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Header {
    audit_export: u8,
    chain_entries: i64,
    chain_head: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Line {
    entry_no: i64,
    /// None once it was pruned.
    leaf: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tree: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_hash: Option<String>,
}

/// A leaf as it is read back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Leaf {
    action: String,
    actor: String,
    case_reference: Option<String>,
    detail: Value,
    entry_no: i64,
    office_id: Option<String>,
    outcome: String,
    purpose: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    recorded_at: OffsetDateTime,
    salt: String,
    v: u8,
}

/// The log in the database, page by page: it only grows, so that no snapshot is needed.
#[derive(Debug)]
pub struct Stored<'a> {
    pool: &'a PgPool,
    page: std::vec::IntoIter<Recorded>,
    through: i64,
}

impl<'a> Stored<'a> {
    /// The entries behind number `through`.
    pub fn after(pool: &'a PgPool, through: i64) -> Self {
        Self {
            pool,
            page: Vec::new().into_iter(),
            through,
        }
    }
}

impl Source for Stored<'_> {
    type Error = sqlx::Error;

    async fn next(&mut self) -> Result<Option<Recorded>, sqlx::Error> {
        if self.page.len() == 0 {
            self.page = store::audit::after(self.pool, self.through, PAGE)
                .await?
                .into_iter();
        }
        let next = self.page.next();
        self.through = next.as_ref().map_or(self.through, |next| next.entry_no);
        Ok(next)
    }
}

/// Writes the whole log. Returns the number of its last entry.
pub async fn write(pool: &PgPool, mut out: impl Write) -> Result<i64, ExportError> {
    let chain = store::audit::chain(pool).await?;
    let header = Header {
        audit_export: 1,
        chain_entries: chain.entries,
        chain_head: HEXLOWER.encode(&chain.head),
    };
    line(&mut out, &header)?;
    let mut stored = Stored::after(pool, 0);
    while let Some(recorded) = stored.next().await? {
        line(&mut out, &Line::of(&recorded))?;
    }
    out.flush()?;
    Ok(stored.through)
}

fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

impl Line {
    fn of(recorded: &Recorded) -> Self {
        let hex = |bytes: &Option<Vec<u8>>| bytes.as_deref().map(|bytes| HEXLOWER.encode(bytes));
        let leaf = String::from_utf8(recorded.leaf()).expect("JSON is UTF-8");
        Self {
            entry_no: recorded.entry_no,
            leaf: (!recorded.pruned).then_some(leaf),
            tree: hex(&recorded.tree),
            chain_hash: hex(&recorded.chain_hash),
        }
    }

    /// None when the leaf is not the canonical text of an entry of this number.
    fn recorded(self) -> Option<Recorded> {
        let bytes = |hex: Option<String>| match hex {
            None => Some(None),
            Some(hex) => HEXLOWER.decode(hex.as_bytes()).ok().map(Some),
        };
        let hashes = Recorded {
            entry_no: self.entry_no,
            tree: bytes(self.tree)?,
            chain_hash: bytes(self.chain_hash)?,
            ..Recorded::pruned()
        };
        let Some(text) = self.leaf else {
            return Some(hashes);
        };
        let leaf: Leaf = serde_json::from_str(&text).ok()?;
        let recorded = Recorded {
            recorded_at: leaf.recorded_at,
            actor: leaf.actor,
            office_id: leaf.office_id,
            action: leaf.action,
            outcome: leaf.outcome,
            purpose: leaf.purpose,
            case_reference: leaf.case_reference,
            detail: leaf.detail,
            salt: bytes(Some(leaf.salt).filter(|salt| !salt.is_empty()))?,
            pruned: false,
            ..hashes
        };
        let canonical = leaf.v == 1 && leaf.entry_no == self.entry_no;
        (canonical && recorded.leaf() == text.as_bytes()).then_some(recorded)
    }
}

/// An export as it is read.
#[derive(Debug)]
pub struct Exported<R> {
    lines: R,
    line: u64,
    chain: Chain,
}

impl<R: BufRead> Exported<R> {
    /// Reads the first line.
    pub fn open(lines: R) -> Result<Self, ExportError> {
        let none = Chain {
            entries: 0,
            head: super::chain::GENESIS,
        };
        let mut export = Self {
            lines,
            line: 0,
            chain: none,
        };
        let malformed = ExportError::Malformed { line: 1 };
        let header: Header = match export.read()? {
            Some(header) => header,
            None => return Err(malformed),
        };
        let head = HEXLOWER.decode(header.chain_head.as_bytes()).ok();
        match head.and_then(|head| head.try_into().ok()) {
            Some(head) if header.audit_export == 1 && header.chain_entries >= 0 => {
                export.chain = Chain {
                    entries: header.chain_entries,
                    head,
                };
                Ok(export)
            }
            _ => Err(malformed),
        }
    }

    /// Where it says that the old chain ended.
    pub fn chain(&self) -> Chain {
        self.chain
    }

    fn read<T: for<'de> Deserialize<'de>>(&mut self) -> Result<Option<T>, ExportError> {
        let mut text = Vec::new();
        let mut limited = (&mut self.lines).take(LONGEST_LINE);
        if limited.read_until(b'\n', &mut text)? == 0 {
            return Ok(None);
        }
        self.line += 1;
        let malformed = ExportError::Malformed { line: self.line };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|_| malformed)
    }
}

impl<R: BufRead> Source for Exported<R> {
    type Error = ExportError;

    async fn next(&mut self) -> Result<Option<Recorded>, ExportError> {
        let Some(line) = self.read::<Line>()? else {
            return Ok(None);
        };
        let malformed = ExportError::Malformed { line: self.line };
        line.recorded().map(Some).ok_or(malformed)
    }
}
