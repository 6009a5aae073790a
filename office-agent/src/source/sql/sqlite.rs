//! SQLite files, opened so that nothing can be written.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, InterruptHandle, OpenFlags, params_from_iter};

use super::Cells;
use super::cursor::Value;
use super::keyset::{Dialect, Field, Statement, strip};
use crate::source::SourceError;

/// How long to wait for the office's own software to finish writing.
const BUSY_LIMIT: Duration = Duration::from_secs(10);

/// An open file. Everything here blocks: it is called where that does no harm.
pub(super) struct Sqlite {
    connection: Connection,
    interrupt: Arc<InterruptHandle>,
}

/// Cuts short what runs when it is dropped: a statement that nobody waits for any more would hold up the office's
/// software and the end of the program.
pub(super) struct Interrupt(Arc<InterruptHandle>);

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.0.interrupt();
    }
}

impl Sqlite {
    /// `address` is what follows `sqlite:`.
    pub(super) fn connect(address: &str) -> Result<Self, SourceError> {
        let path = address.strip_prefix("//").unwrap_or(address);
        let path = PathBuf::from(path.split('?').next().unwrap_or(path));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let connection = Connection::open_with_flags(&path, flags)?;
            connection.busy_timeout(BUSY_LIMIT)?;
            connection.pragma_update(None, "query_only", true)?;
            // Opening reads nothing; this says at once that a file is no database.
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            Ok(connection)
        };
        let connection = open().map_err(|error: rusqlite::Error| {
            SourceError::Unreachable(format!("{}: {error}", path.display()))
        })?;
        Ok(Self {
            interrupt: Arc::new(connection.get_interrupt_handle()),
            connection,
        })
    }

    pub(super) fn interrupt(&self) -> Interrupt {
        Interrupt(Arc::clone(&self.interrupt))
    }

    pub(super) fn describe(&self, what: &str, query: &str) -> Result<Vec<Field>, SourceError> {
        let query = strip(query).to_owned();
        let names = self.with(what, move |connection| {
            let statement = connection.prepare(&query)?;
            Ok(statement
                .column_names()
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>())
        })?;
        let field = |name: String| Field {
            read: Some(Dialect::Sqlite.column(&name)),
            name,
            bind: Default::default(),
            zero_is_absent: false,
        };
        Ok(names.into_iter().map(field).collect())
    }

    pub(super) fn begin(&self) -> Result<(), SourceError> {
        self.with("a read transaction", |connection| {
            connection.execute_batch("BEGIN")
        })
    }

    pub(super) fn end(&self) -> Result<(), SourceError> {
        self.with("the end of a transaction", |connection| {
            connection.execute_batch("ROLLBACK")
        })
    }

    pub(super) fn rows(&self, what: &str, statement: Statement) -> Result<Vec<Cells>, SourceError> {
        self.with(what, move |connection| {
            let mut prepared = connection.prepare_cached(&statement.sql)?;
            let width = prepared.column_count();
            let mut rows = prepared.query(params_from_iter(statement.parameters))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let cells = (0..width).map(|index| Ok(value(row.get_ref(index)?)));
                found.push(cells.collect::<rusqlite::Result<Cells>>()?);
            }
            Ok(found)
        })
    }

    fn with<T>(
        &self,
        what: &str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, SourceError> {
        work(&self.connection).map_err(|error| SourceError::Refused {
            what: what.to_owned(),
            reason: error.to_string(),
        })
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(match self {
            Self::Integer(number) => (*number).into(),
            Self::Real(text) => text.parse::<f64>().unwrap_or_default().into(),
            Self::Text(text) => text.as_str().into(),
        })
    }
}

/// Bytes are left out: a column here has no type, a value has.
fn value(value: ValueRef<'_>) -> Option<Value> {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => None,
        ValueRef::Integer(number) => Some(Value::Integer(number)),
        // Rust writes the shortest text that reads back the same, and never an exponent.
        ValueRef::Real(number) => Some(Value::Real(number.to_string())),
        ValueRef::Text(bytes) => Some(Value::Text(String::from_utf8_lossy(bytes).into_owned())),
    }
}
