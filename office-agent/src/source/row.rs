//! A row as the office's own system holds it: columns of text, before any meaning is read into them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

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
