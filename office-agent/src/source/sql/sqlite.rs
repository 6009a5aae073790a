//! SQLite files, opened so that nothing can be written.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, InterruptHandle, OpenFlags, params_from_iter};
use tokio::task::spawn_blocking;

use super::cursor::Value;
use super::keyset::{Dialect, Field, Statement, strip};
use super::{Cells, STATEMENT_LIMIT};
use crate::source::SourceError;

/// How long to wait for the office's own software to finish writing.
const BUSY_LIMIT: Duration = Duration::from_secs(10);

/// An open file.
pub(super) struct Sqlite {
    /// Away while a statement runs; a statement that was cut short does not bring it back.
    connection: Option<Connection>,
    interrupt: InterruptHandle,
}

impl Sqlite {
    /// `address` is what follows `sqlite:`.
    pub(super) async fn connect(address: &str) -> Result<Self, SourceError> {
        let path = address.strip_prefix("//").unwrap_or(address);
        let path = PathBuf::from(path.split('?').next().unwrap_or(path));
        spawn_blocking(move || {
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
                interrupt: connection.get_interrupt_handle(),
                connection: Some(connection),
            })
        })
        .await
        .map_err(|_| SourceError::CutShort)?
    }

    pub(super) async fn describe(
        &mut self,
        what: &str,
        query: &str,
    ) -> Result<Vec<Field>, SourceError> {
        let query = strip(query).to_owned();
        let names = self
            .with(what, move |connection| {
                let statement = connection.prepare(&query)?;
                Ok(statement
                    .column_names()
                    .into_iter()
                    .map(str::to_owned)
                    .collect::<Vec<_>>())
            })
            .await?;
        let field = |name: String| Field {
            read: Some(Dialect::Sqlite.column(&name)),
            name,
            bind: Default::default(),
            zero_is_absent: false,
        };
        Ok(names.into_iter().map(field).collect())
    }

    pub(super) async fn begin(&mut self) -> Result<(), SourceError> {
        self.with("a read transaction", |connection| {
            connection.execute_batch("BEGIN")
        })
        .await
    }

    pub(super) async fn end(&mut self) -> Result<(), SourceError> {
        self.with("the end of a transaction", |connection| {
            connection.execute_batch("ROLLBACK")
        })
        .await
    }

    pub(super) async fn rows(
        &mut self,
        what: &str,
        statement: Statement,
    ) -> Result<Vec<Cells>, SourceError> {
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
        .await
    }

    /// Runs `work` where it may block, and cuts it short after [`STATEMENT_LIMIT`].
    async fn with<T: Send + 'static>(
        &mut self,
        what: &str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, SourceError> {
        let connection = self.connection.take().ok_or(SourceError::CutShort)?;
        let running = spawn_blocking(move || {
            let result = work(&connection);
            (connection, result)
        });
        let Ok(done) = tokio::time::timeout(STATEMENT_LIMIT, running).await else {
            self.interrupt.interrupt();
            return Err(SourceError::TooSlow {
                seconds: STATEMENT_LIMIT.as_secs(),
            });
        };
        let (connection, result) = done.map_err(|_| SourceError::CutShort)?;
        self.connection = Some(connection);
        result.map_err(|error| SourceError::Refused {
            what: what.to_owned(),
            reason: error.to_string(),
        })
    }
}

/// A statement that nobody waits for any more would hold up the end of the program.
impl Drop for Sqlite {
    fn drop(&mut self) {
        self.interrupt.interrupt();
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
