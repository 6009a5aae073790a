//! A row as the office's own system holds it: columns of text, before any meaning is read into them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// Column names of a table, a sheet or a pushed row, shared by all its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns(Arc<[String]>);

impl Columns {
    /// Names in the source's order.
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        Self(names.into())
    }

    /// The names, in the source's order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Where a column stands.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|known| known == name)
    }
}

/// One row with its children. An absent cell (SQL's NULL, an empty cell) is `None`.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it came from, for people: `cases.csv:12`, `cases.xlsx:案件:12`, `sql:cases`. Holds no value of the row.
    pub location: String,
    /// Names of the cells.
    pub columns: Columns,
    /// Values in the order of `columns`.
    pub cells: Vec<Option<String>>,
    /// Child rows by the child's name in the configuration, e.g. `parties`, in the source's order.
    pub children: BTreeMap<String, Vec<Row>>,
}

impl Row {
    /// Value of a column; `None` when the column or the value is absent.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&str> {
        self.cells.get(self.columns.position(column)?)?.as_deref()
    }

    fn bytes(&self) -> usize {
        let cells: usize = self.cells.iter().flatten().map(String::len).sum();
        let children = self.children.values().flatten();
        cells + self.location.len() + children.map(Self::bytes).sum::<usize>()
    }
}

/// Cells hold names and numbers of people: only their place is shown.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}

/// What a source found where a row should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A row.
    Row(Row),
    /// A line that is no row: `ROW_MALFORMED`.
    Malformed {
        /// Where, as [`Row::location`].
        location: String,
    },
}

impl Found {
    /// About how much memory its values take.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Row(row) => row.bytes(),
            Self::Malformed { location } => location.len(),
        }
    }
}

/// SHA-256 of everything in some rows.
pub(super) fn digest(found: &[Found]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for found in found {
        match found {
            Found::Row(row) => add(&mut hash, row),
            Found::Malformed { location } => {
                hash.update(b"!");
                text(&mut hash, location);
            }
        }
    }
    hash.finalize().into()
}

fn add(hash: &mut Sha256, row: &Row) {
    hash.update(b"(");
    text(hash, &row.location);
    for (name, cell) in row.columns.names().iter().zip(&row.cells) {
        text(hash, name);
        match cell {
            Some(cell) => text(hash, cell),
            None => hash.update(b"-"),
        }
    }
    for (name, rows) in &row.children {
        text(hash, name);
        rows.iter().for_each(|row| add(hash, row));
    }
    hash.update(b")");
}

/// With its length, so that no two lists of texts look alike.
fn text(hash: &mut Sha256, text: &str) {
    hash.update(b"+");
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}
