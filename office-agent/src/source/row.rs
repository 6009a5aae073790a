//! A row as the office's own system holds it: columns of text, before any meaning is read into them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// Column names of a table, a sheet or a pushed row, shared by all its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    names: Arc<[String]>,
    are_all: bool,
}

impl Columns {
    /// Names in the source's order: there are no others.
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        Self {
            names: names.into(),
            are_all: true,
        }
    }

    /// Names of the columns that a row fills, as it is pushed: those that it does not name are empty.
    #[must_use]
    pub fn of_filled(names: Vec<String>) -> Self {
        Self {
            names: names.into(),
            are_all: false,
        }
    }

    /// The names, in the source's order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether the source has no such column, so that no row can fill it.
    #[must_use]
    pub fn lack(&self, name: &str) -> bool {
        self.are_all && self.position(name).is_none()
    }

    /// Where a column stands.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
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
        /// How it is none.
        fields: FieldCount,
    },
}

/// Numbers of fields that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldCount {
    /// In the head.
    pub expected: usize,
    /// In the line.
    pub found: usize,
}

impl Found {
    /// About how much memory its values take.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Row(row) => row.bytes(),
            Self::Malformed { location, .. } => location.len(),
        }
    }
}

/// SHA-256 of everything in some rows.
pub(super) fn digest(found: &[Found]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for found in found {
        match found {
            Found::Row(row) => add(&mut hash, row),
            Found::Malformed { location, .. } => {
                hash.update(b"!");
                text(&mut hash, location);
            }
        }
    }
    hash.finalize().into()
}

/// The file, sheet or table that a location is in: it without its line.
pub(crate) fn place(location: &str) -> &str {
    match location.rsplit_once(':') {
        Some((place, line)) if line.bytes().all(|b| b.is_ascii_digit()) => place,
        _ => location,
    }
}

/// SHA-256 of what a row says, wherever it stands.
pub(crate) fn content(row: &Row) -> [u8; 32] {
    let mut hash = Sha256::new();
    add_content(&mut hash, row);
    hash.finalize().into()
}

fn add(hash: &mut Sha256, row: &Row) {
    hash.update(b"(");
    text(hash, &row.location);
    add_cells(hash, row);
    for (name, rows) in &row.children {
        text(hash, name);
        rows.iter().for_each(|row| add(hash, row));
    }
    hash.update(b")");
}

fn add_content(hash: &mut Sha256, row: &Row) {
    hash.update(b"(");
    add_cells(hash, row);
    for (name, rows) in &row.children {
        text(hash, name);
        rows.iter().for_each(|row| add_content(hash, row));
    }
    hash.update(b")");
}

fn add_cells(hash: &mut Sha256, row: &Row) {
    for (name, cell) in row.columns.names().iter().zip(&row.cells) {
        text(hash, name);
        match cell {
            Some(cell) => text(hash, cell),
            None => hash.update(b"-"),
        }
    }
}

/// With its length, so that no two lists of texts look alike.
fn text(hash: &mut Sha256, text: &str) {
    hash.update(b"+");
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}
