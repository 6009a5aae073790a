//! SQLite files, opened so that nothing can be written.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use encoding_rs::GB18030;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, InterruptHandle, OpenFlags, ToSql, params_from_iter};

use super::Cells;
use super::cursor::Value;
use super::keyset::{Dialect, Field, Statement, strip};
use crate::config::TextEncoding;
use crate::source::SourceError;

/// How long to wait for the office's own software to finish writing.
const BUSY_LIMIT: Duration = Duration::from_secs(10);

/// An open file. Everything here blocks: it is called where that does no harm.
pub(super) struct Sqlite {
    connection: Connection,
    path: PathBuf,
    /// Device and inode of the file that was opened.
    opened: Option<(u64, u64)>,
    encoding: TextEncoding,
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
    pub(super) fn connect(address: &str, encoding: TextEncoding) -> Result<Self, SourceError> {
        let path = address.strip_prefix("//").unwrap_or(address);
        let path = PathBuf::from(path.split('?').next().unwrap_or(path));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // Before it is opened: a file that takes its place meanwhile is another.
        let opened = identity(&path);
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
            path,
            opened,
            encoding,
        })
    }

    /// Whether another file has its place now: exports are renamed over the one before, which this would read for ever.
    pub(super) fn is_replaced(&self) -> bool {
        identity(&self.path) != self.opened
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
        let encoding = self.encoding;
        let found = self.with(what, move |connection| {
            let mut prepared = connection.prepare_cached(&statement.sql)?;
            let columns: Vec<String> = (prepared.column_names().into_iter())
                .map(str::to_owned)
                .collect();
            let parameters = statement.parameters.iter();
            let parameters = parameters.map(|value| Parameter::new(value, encoding));
            let mut rows = prepared.query(params_from_iter(parameters))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let mut cells = Cells::with_capacity(columns.len());
                for (index, column) in columns.iter().enumerate() {
                    match cell(row.get_ref(index)?, encoding) {
                        Ok(cell) => cells.push(cell),
                        Err(NotText) => return Ok(Err(column.clone())),
                    }
                }
                found.push(cells);
            }
            Ok(Ok(found))
        })?;
        found.map_err(|column| SourceError::NotText { column })
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

/// Device and inode of a file; `None` when it is not there.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let meta = fs::metadata(path).ok()?;
    Some((meta.dev(), meta.ino()))
}

/// A value as the file holds it.
enum Parameter {
    Integer(i64),
    Real(f64),
    /// In the file's own encoding.
    Text(Vec<u8>),
}

impl Parameter {
    fn new(value: &Value, encoding: TextEncoding) -> Self {
        match (value, encoding) {
            (Value::Integer(number), _) => Self::Integer(*number),
            (Value::Real(text), _) => Self::Real(text.parse().unwrap_or_default()),
            (Value::Text(text), TextEncoding::Utf8) => Self::Text(text.clone().into_bytes()),
            (Value::Text(text), TextEncoding::Gb18030) => {
                Self::Text(GB18030.encode(text).0.into_owned())
            }
        }
    }
}

impl ToSql for Parameter {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(bytes) => ValueRef::Text(bytes),
        }))
    }
}

/// A text that is not of the encoding.
struct NotText;

/// Bytes are left out: a column here has no type, a value has.
fn cell(value: ValueRef<'_>, encoding: TextEncoding) -> Result<Option<Value>, NotText> {
    Ok(match value {
        ValueRef::Null | ValueRef::Blob(_) => None,
        ValueRef::Integer(number) => Some(Value::Integer(number)),
        // Rust writes the shortest text that reads back the same, and never an exponent.
        ValueRef::Real(number) => Some(Value::Real(number.to_string())),
        ValueRef::Text(bytes) => Some(Value::Text(match encoding {
            TextEncoding::Utf8 => str::from_utf8(bytes).map_err(|_| NotText)?.to_owned(),
            TextEncoding::Gb18030 => {
                let text = GB18030.decode_without_bom_handling_and_without_replacement(bytes);
                text.ok_or(NotText)?.into_owned()
            }
        })),
    })
}
