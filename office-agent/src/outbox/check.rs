//! Whether the outbox reads as it was written: its structure, every row's seal, no entry missing.
//!
//! What this cannot see is an older but whole state of the file, such as a copy put back: the hub's `Welcome` shows that.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

use super::OutboxError;
use super::schema;
use super::seal::{self, Table};

/// Findings told at most; one broken page may spoil hundreds of rows.
const TOLD: usize = 100;

/// What is wrong at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A table's row, or `file`.
    pub place: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What the check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checkup {
    /// Records kept.
    pub entries: u64,
    /// Rows looked at, of all tables.
    pub rows: u64,
    /// Places that are not as they were written.
    pub damaged: u64,
    /// The first of them.
    pub findings: Vec<Finding>,
}

impl Checkup {
    /// Whether everything is as it was written.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damaged == 0
    }

    fn add(&mut self, place: impl fmt::Display, problem: impl fmt::Display) {
        self.damaged += 1;
        if self.findings.len() < TOLD {
            self.findings.push(Finding {
                place: place.to_string(),
                problem: problem.to_string(),
            });
        }
    }

    /// Looks through an outbox, beside a running agent or without one; `None` when there is none. Changes nothing.
    ///
    /// # Errors
    /// When the file belongs to another version, or cannot be read for another reason than damage.
    pub fn of(path: &Path) -> Result<Option<Self>, OutboxError> {
        if !path.exists() {
            return Ok(None);
        }
        let mut checkup = Self::default();
        match checkup.look(path) {
            Ok(()) => Ok(Some(checkup)),
            Err(OutboxError::Sqlite(error)) if speaks_of_damage(&error) => {
                checkup.add("file", error);
                Ok(Some(checkup))
            }
            Err(error) => Err(error),
        }
    }

    fn look(&mut self, path: &Path) -> Result<(), OutboxError> {
        self.header(path)?;
        let connection = open(path)?;
        match schema::layout(&connection)? {
            schema::LAYOUT => {}
            // Made by another version, unless there is damage besides.
            found if found > schema::LAYOUT && self.is_sound() => {
                self.structure(&connection)?;
                return match self.is_sound() {
                    true => Err(OutboxError::TooNew { found }),
                    false => Ok(()),
                };
            }
            found => self.add("file", format!("layout {found}")),
        }
        self.structure(&connection)?;
        if !schema::is_as_made(&connection)? {
            self.add("file", "its tables are not as they were made");
        }
        for table in seal::TABLES {
            if let Err(error) = self.rows(&connection, table) {
                self.add(table.name, error);
            }
        }
        self.gaps(&connection)
    }

    /// Both bytes say WAL; others would make the file unwritable without anything else being wrong.
    fn header(&mut self, path: &Path) -> Result<(), OutboxError> {
        let mut header = [0; 20];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
        match read {
            Ok(()) if header[18..] == [2, 2] => {}
            Ok(()) => self.add("file", "its header is not that of an outbox"),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                self.add("file", "it is cut short");
            }
            Err(source) => {
                return Err(OutboxError::Open {
                    path: path.to_owned(),
                    source,
                });
            }
        }
        Ok(())
    }

    fn structure(&mut self, connection: &Connection) -> Result<(), OutboxError> {
        let mut statement = connection.prepare("PRAGMA integrity_check")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let verdict: String = row.get(0)?;
            if verdict != "ok" {
                self.add("file", verdict);
            }
        }
        Ok(())
    }

    fn rows(&mut self, connection: &Connection, table: Table) -> rusqlite::Result<()> {
        let mut statement = connection.prepare(&format!(
            "SELECT {}, seal FROM {}",
            table.columns(),
            table.name
        ))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            self.rows += 1;
            if table.whole(row)?.is_none() {
                self.add(table.name_of(row), "not as it was written");
            }
        }
        Ok(())
    }

    /// Entries follow one another up to the last position given out.
    fn gaps(&mut self, connection: &Connection) -> Result<(), OutboxError> {
        let (count, first, last): (i64, Option<i64>, Option<i64>) = connection.query_row(
            "SELECT count(*), min(position), max(position) FROM entry",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        self.entries = count.unsigned_abs();
        let states: i64 = connection.query_row("SELECT count(*) FROM state", [], |r| r.get(0))?;
        if states != 1 {
            self.add("state", "missing");
            return Ok(());
        }
        let (given_out, acked): (i64, i64) =
            connection.query_row("SELECT last_position, acked FROM state", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let missing = match (first, last) {
            (Some(first), Some(last)) => (last - first + 1 - count) + (given_out - last),
            // All may have been let go, once acknowledged.
            _ => given_out - acked,
        };
        if missing != 0 {
            self.add("entry", format!("{missing} missing"));
        }
        Ok(())
    }
}

/// For looking only, whatever is wrong with it.
pub(super) fn open(path: &Path) -> Result<Connection, OutboxError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    Ok(connection)
}

/// Whatever SQLite says of a file that it can open and read.
fn speaks_of_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseLocked, OutOfMemory, PermissionDenied,
    };
    !matches!(
        error.sqlite_error_code(),
        Some(CannotOpen | DatabaseBusy | DatabaseLocked | OutOfMemory | PermissionDenied)
    )
}
