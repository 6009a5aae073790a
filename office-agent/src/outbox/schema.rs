//! The outbox's file: one SQLite database, its own to its owner alone.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use time::OffsetDateTime;
use uuid::{NoContext, Timestamp, Uuid};

use super::{OutboxError, mend, seal};

/// Layout of the tables; 1 had no seals, 2 no `lift`, 3 nothing about a next token key, 4 no key that records are under,
/// 5 nothing about how sources are read.
pub(super) const LAYOUT: i64 = 6;

/// `entry.position` never changes; the sequence the hub sees is `position - base`. So a new epoch, in which
/// sequences begin at 1 again, moves no row. Each `seal` is a trigger's work, see [`seal`].
const TABLES: &str = "
CREATE TABLE state (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    epoch         TEXT    NOT NULL,
    hub_epoch     TEXT    NOT NULL,
    base          INTEGER NOT NULL,
    last_position INTEGER NOT NULL,
    acked         INTEGER NOT NULL,
    -- Nothing behind it was ever sent. What the hub has beyond it came from another copy of this file.
    offered       INTEGER NOT NULL,
    -- Cases that the hub had and this outbox did not know when they were last compared.
    only_at_hub   INTEGER NOT NULL DEFAULT 0,
    seal          BLOB
) STRICT;
CREATE TABLE entry (
    position INTEGER PRIMARY KEY,
    record   BLOB    NOT NULL,
    seal     BLOB
) STRICT;
-- Up to which position everything was acknowledged at what time; one row an hour.
CREATE TABLE ack (
    hour     INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    seal     BLOB
) STRICT;
CREATE TABLE source (
    name       TEXT    PRIMARY KEY,
    cursor     TEXT,
    written_at INTEGER NOT NULL,
    stored     INTEGER NOT NULL,
    -- 1: the cursor is to be forgotten.
    read_again INTEGER NOT NULL DEFAULT 0,
    seal       BLOB
) STRICT, WITHOUT ROWID;
CREATE TABLE known_case (
    source_case_id TEXT    PRIMARY KEY,
    content_hash   BLOB    NOT NULL,
    revision       INTEGER NOT NULL,
    refused_at     INTEGER,
    -- Of the newest record of the case; NULL when it was put in before this column was.
    position       INTEGER,
    -- In which the hub counts it: days since 1970-01-01 of the month's first day; NULL as with position.
    month          INTEGER,
    seal           BLOB
) STRICT, WITHOUT ROWID;
-- What is refused now. `place` is the case's key, or the location of a row that has none.
CREATE TABLE reject (
    origin         TEXT    NOT NULL,
    source         TEXT    NOT NULL,
    place          TEXT    NOT NULL,
    source_case_id TEXT    NOT NULL,
    location       TEXT    NOT NULL,
    rule_id        TEXT    NOT NULL,
    field          TEXT    NOT NULL,
    value_shape    TEXT    NOT NULL,
    message_zh     TEXT    NOT NULL,
    rejected_at    INTEGER NOT NULL,
    seal           BLOB,
    PRIMARY KEY (origin, source, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX reject_case ON reject (source_case_id);
CREATE TABLE notice (
    notice_id      TEXT    PRIMARY KEY,
    kind           TEXT    NOT NULL,
    source_case_id TEXT    NOT NULL,
    text_zh        TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    seal           BLOB
) STRICT, WITHOUT ROWID;
";

/// What is added for the hub to the revisions that the office's system gives a case: the hub had one that the system
/// had not given.
const LIFT: &str = "
CREATE TABLE lift (
    source_case_id TEXT    PRIMARY KEY,
    raised         INTEGER NOT NULL,
    seal           BLOB
) STRICT, WITHOUT ROWID;
";

/// What a change of the city's token key has come to here.
const NEXT_KEY: &str = "
-- The key for which the sources were last begun again.
CREATE TABLE next_key (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    key_id INTEGER NOT NULL,
    seal   BLOB
) STRICT;
-- Cases of which the newest record has tokens under a next key, with the content's hash once they are its only ones.
CREATE TABLE next_tokens (
    source_case_id TEXT    PRIMARY KEY,
    key_id         INTEGER NOT NULL,
    content_hash   BLOB    NOT NULL,
    seal           BLOB
) STRICT, WITHOUT ROWID;
-- The key that the outbox went over to last; none: the city's first.
CREATE TABLE token_key (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    key_id INTEGER NOT NULL,
    seal   BLOB
) STRICT;
";

/// How sources are read, and how old what they say is.
const READING: &str = "
CREATE TABLE reading (
    source    TEXT    PRIMARY KEY,
    -- Tells mapping and query: rows are understood by them.
    made_from TEXT    NOT NULL,
    -- When it was last begun to be read from its beginning, seconds since 1970.
    begun_at  INTEGER NOT NULL,
    seal      BLOB
) STRICT, WITHOUT ROWID;
-- Of cases that came from files.
CREATE TABLE age (
    source_case_id TEXT    PRIMARY KEY,
    -- Time of the file that the content came from, nanoseconds since 1970.
    told_at        INTEGER NOT NULL,
    -- When the office's system changed it, where that is mapped, seconds since 1970.
    modified_at    INTEGER,
    seal           BLOB
) STRICT, WITHOUT ROWID;
";

/// Opens the file, making it when it is not there, and checks that it is sound.
pub(super) fn open(path: &Path, now: OffsetDateTime) -> Result<Connection, OutboxError> {
    // What a mending has not come to before its end.
    mend::settle(path)?;
    // Made here so that it is never open to others, not even for a moment; -wal and -shm take its mode.
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|source| OutboxError::Open {
            path: path.to_owned(),
            source,
        })?;
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    seal::teach(&connection)?;
    prepare(&connection, now).map_err(|error| damaged(path, error))?;
    check(&connection, path)?;
    Ok(connection)
}

/// Opens an outbox for looking only; `None` when there is none.
pub(super) fn open_read_only(path: &Path) -> Result<Option<Connection>, OutboxError> {
    if !path.exists() {
        return Ok(None);
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    let layout = layout(&connection).map_err(|error| damaged(path, error.into()))?;
    Ok((layout == LAYOUT).then_some(connection))
}

fn prepare(connection: &Connection, now: OffsetDateTime) -> Result<(), OutboxError> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What append returned for must survive a power cut, not only a killed process.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", 16 << 20)?;
    connection.pragma_update(None, "cache_size", -2048)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    match layout(connection)? {
        LAYOUT => {}
        1 => seal_everything(connection)?,
        2 => add_lift(connection)?,
        3 => add_next_key(connection)?,
        // No hub asked for tokens under a next key by then.
        4 => {
            connection.execute_batch("DROP TABLE next_key; DROP TABLE next_tokens")?;
            add_next_key(connection)?;
        }
        5 => add_reading(connection)?,
        0 => {
            make(connection)?;
            connection.execute(
                "INSERT INTO state (one, epoch, hub_epoch, base, last_position, acked, offered)
                 VALUES (1, ?1, '', 0, 0, 0, 0)",
                params![new_epoch(None, now).to_string()],
            )?;
        }
        found => {
            connection.execute_batch("ROLLBACK")?;
            return Err(OutboxError::TooNew { found });
        }
    }
    connection.execute_batch("COMMIT")?;
    Ok(())
}

pub(super) fn layout(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn make(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    for table in seal::of_layout_1() {
        connection.execute_batch(&table.triggers())?;
    }
    add_lift(connection)
}

/// What layout 2 did not have.
fn add_lift(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(LIFT)?;
    connection.execute_batch(&seal::LIFT.triggers())?;
    add_next_key(connection)
}

/// What layouts 3 and 4 did not have.
fn add_next_key(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(NEXT_KEY)?;
    for table in [seal::NEXT_KEY, seal::NEXT_TOKENS, seal::TOKEN_KEY] {
        connection.execute_batch(&table.triggers())?;
    }
    add_reading(connection)
}

/// What layout 5 did not have.
fn add_reading(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(READING)?;
    for table in [seal::READING, seal::AGE] {
        connection.execute_batch(&table.triggers())?;
    }
    connection.pragma_update(None, "user_version", LAYOUT)
}

/// Whether the tables, and what belongs to them, are those that this version makes.
pub(super) fn is_as_made(connection: &Connection) -> rusqlite::Result<bool> {
    let made = |connection: &Connection| -> rusqlite::Result<Vec<String>> {
        let mut statement = connection
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    let model = Connection::open_in_memory()?;
    seal::teach(&model)?;
    make(&model)?;
    Ok(made(connection)? == made(&model)?)
}

/// Makes every row of layout 1 anew, sealed.
fn seal_everything(connection: &Connection) -> Result<(), OutboxError> {
    add_columns(connection)?;
    connection.execute_batch("DROP INDEX reject_case")?;
    for table in seal::of_layout_1() {
        let name = table.name;
        connection.execute_batch(&format!("ALTER TABLE {name} RENAME TO old_{name}"))?;
    }
    make(connection)?;
    for table in seal::of_layout_1() {
        let (name, columns) = (table.name, table.columns());
        connection.execute_batch(&format!(
            "INSERT INTO {name} ({columns}) SELECT {columns} FROM old_{name};
             DROP TABLE old_{name}"
        ))?;
    }
    Ok(())
}

/// Columns that layout 1 did not have, or not at first.
fn add_columns(connection: &Connection) -> Result<(), OutboxError> {
    let there: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM pragma_table_info('known_case') WHERE name = 'position')",
        [],
        |row| row.get(0),
    )?;
    if !there {
        connection.execute_batch("ALTER TABLE known_case ADD COLUMN position INTEGER")?;
    }
    connection.execute_batch(
        "ALTER TABLE known_case ADD COLUMN month INTEGER;
         ALTER TABLE state ADD COLUMN only_at_hub INTEGER NOT NULL DEFAULT 0;
         ALTER TABLE source ADD COLUMN read_again INTEGER NOT NULL DEFAULT 0",
    )?;
    Ok(())
}

fn check(connection: &Connection, path: &Path) -> Result<(), OutboxError> {
    let verdict: Option<String> = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .optional()
        .map_err(|error| damaged(path, error.into()))?;
    match verdict.as_deref() {
        Some("ok") => Ok(()),
        other => Err(OutboxError::Damaged {
            path: path.to_owned(),
            problem: other.unwrap_or("no verdict").to_owned(),
        }),
    }
}

fn damaged(path: &Path, error: OutboxError) -> OutboxError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match error {
        OutboxError::Sqlite(error)
            if matches!(
                error.sqlite_error_code(),
                Some(DatabaseCorrupt | NotADatabase)
            ) =>
        {
            OutboxError::Damaged {
                path: path.to_owned(),
                problem: error.to_string(),
            }
        }
        other => other,
    }
}

/// An epoch newer than `before`, even when the clock went back.
pub(super) fn new_epoch(before: Option<Uuid>, now: OffsetDateTime) -> Uuid {
    let nanoseconds = u64::try_from(now.unix_timestamp_nanos()).unwrap_or(0);
    let fresh = at(nanoseconds / 1_000_000);
    match before {
        Some(before) if fresh <= before => {
            let milliseconds = (before.as_u128() >> 80) as u64;
            at(milliseconds + 1)
        }
        _ => fresh,
    }
}

fn at(milliseconds: u64) -> Uuid {
    let nanoseconds = u32::try_from(milliseconds % 1000 * 1_000_000).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(
        NoContext,
        milliseconds / 1000,
        nanoseconds,
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::outbox::Checkup;

    /// Operators decide by the document whether they can go back.
    #[test]
    fn the_document_on_upgrading_tells_the_layout_of_this_version() {
        let document = include_str!("../../../docs/upgrading.md");
        let (major, minor) = (
            env!("CARGO_PKG_VERSION_MAJOR"),
            env!("CARGO_PKG_VERSION_MINOR"),
        );
        let row = document
            .lines()
            .find(|line| line.starts_with(&format!("| {major}.{minor} |")))
            .expect("a row of this version");
        let layout = row.split('|').nth(3).map(str::trim);
        assert_eq!(layout, Some(LAYOUT.to_string().as_str()), "{row}");
    }

    #[test]
    fn the_file_is_its_owners_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("outbox.sqlite");
        let connection = open(&path, OffsetDateTime::now_utc()).expect("opened");
        connection
            .execute("INSERT INTO notice VALUES ('a','b','','c',0,NULL)", [])
            .expect("written");
        for suffix in ["", "-wal", "-shm"] {
            let file = folder.path().join(format!("outbox.sqlite{suffix}"));
            let mode = fs::metadata(&file).expect("there").mode();
            assert_eq!(mode & 0o777, 0o600, "{suffix}");
        }
    }

    /// What an outbox is found to be that was made an older one and opened again.
    fn opened_from(older: &str) -> Checkup {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("outbox.sqlite");
        let connection = open(&path, OffsetDateTime::now_utc()).expect("opened");
        connection.execute_batch(older).expect("made older");
        drop(connection);
        drop(open(&path, OffsetDateTime::now_utc()).expect("opened"));
        Checkup::of(&path).expect("read").expect("there")
    }

    #[test]
    fn an_outbox_of_before_raised_revisions_gets_their_table() {
        let checkup = opened_from(
            "DROP TABLE reading; DROP TABLE age;
             DROP TABLE lift; DROP TABLE next_key; DROP TABLE next_tokens; DROP TABLE token_key; PRAGMA user_version = 2",
        );
        assert!(checkup.is_sound(), "{checkup:?}");
    }

    #[test]
    fn an_outbox_of_before_a_next_token_key_gets_its_tables() {
        let checkup = opened_from(
            "DROP TABLE reading; DROP TABLE age;
             DROP TABLE next_key; DROP TABLE next_tokens; DROP TABLE token_key; PRAGMA user_version = 3",
        );
        assert!(checkup.is_sound(), "{checkup:?}");
    }

    #[test]
    fn an_outbox_of_before_its_records_key_gets_a_place_for_it() {
        let checkup = opened_from(
            "DROP TABLE reading; DROP TABLE age;
             DROP TABLE token_key; DROP TABLE next_tokens; PRAGMA user_version = 4;
             CREATE TABLE next_tokens (source_case_id TEXT PRIMARY KEY, key_id INTEGER NOT NULL, seal BLOB)",
        );
        assert!(checkup.is_sound(), "{checkup:?}");
    }

    #[test]
    fn an_outbox_of_before_how_sources_are_read_gets_its_tables() {
        let checkup = opened_from("DROP TABLE reading; DROP TABLE age; PRAGMA user_version = 5");
        assert!(checkup.is_sound(), "{checkup:?}");
    }

    #[test]
    fn an_outbox_of_before_columns_and_seals_gets_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("outbox.sqlite");
        let connection = open(&path, OffsetDateTime::now_utc()).expect("opened");
        connection
            .execute_batch(
                "DROP TABLE reading; DROP TABLE age;
                 DROP TABLE lift; DROP TABLE next_key; DROP TABLE next_tokens; DROP TABLE token_key",
            )
            .expect("made older");
        for table in seal::of_layout_1() {
            let name = table.name;
            let older = format!(
                "DROP TRIGGER {name}_written; DROP TRIGGER {name}_changed; ALTER TABLE {name} DROP COLUMN seal"
            );
            connection.execute_batch(&older).expect("made older");
        }
        let older = "ALTER TABLE known_case DROP COLUMN month;
                     ALTER TABLE state DROP COLUMN only_at_hub;
                     ALTER TABLE source DROP COLUMN read_again;
                     ALTER TABLE known_case DROP COLUMN position;
                     INSERT INTO known_case VALUES ('a', x'00', 1, NULL);
                     PRAGMA user_version = 1";
        connection.execute_batch(older).expect("made older");
        drop(connection);
        let connection = open(&path, OffsetDateTime::now_utc()).expect("opened");
        let position: Option<i64> = connection
            .query_row("SELECT position FROM known_case", [], |row| row.get(0))
            .expect("there");
        assert_eq!(position, None);
        let checkup = Checkup::of(&path).expect("read").expect("there");
        assert!(checkup.is_sound(), "{checkup:?}");
    }

    #[test]
    fn what_is_no_outbox_is_said_to_be_damaged() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("outbox.sqlite");
        fs::write(&path, "x".repeat(8192)).expect("written");
        let error = open(&path, OffsetDateTime::now_utc()).expect_err("no database");
        assert!(matches!(error, OutboxError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("outbox check --mend"));
    }

    #[test]
    fn a_new_epoch_is_newer_even_when_the_clock_went_back() {
        let now = OffsetDateTime::now_utc();
        let first = new_epoch(None, now);
        let second = new_epoch(Some(first), now - time::Duration::days(400));
        assert!(first < second);
        assert!(first.to_string() < second.to_string());
    }
}
