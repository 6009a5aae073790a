//! The outbox's file: one SQLite database, its own to its owner alone.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use time::OffsetDateTime;
use uuid::{NoContext, Timestamp, Uuid};

use super::{OutboxError, mend, seal};

/// Layout of the tables that was released first. Below it are those of builds that were never released.
const FIRST: i64 = 6;
/// What makes each layout since then out of the one before it; a new outbox takes them as well, so that both are made alike.
/// A step that adds a table adds the triggers of [`seal`] to it.
const STEPS: &[Step] = &[];
/// Layout of this version.
pub(super) const LAYOUT: i64 = FIRST + STEPS.len() as i64;

/// Changes the tables within the transaction that opens the outbox.
type Step = fn(&Connection) -> rusqlite::Result<()>;

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
-- What is added for the hub to the revisions that the office's system gives a case: the hub had one that the system had
-- not given.
CREATE TABLE lift (
    source_case_id TEXT    PRIMARY KEY,
    raised         INTEGER NOT NULL,
    seal           BLOB
) STRICT, WITHOUT ROWID;
-- What a change of the city's token key has come to here.
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
-- How sources are read, and how old what they say is.
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
        0 => {
            make(connection)?;
            connection.execute(
                "INSERT INTO state (one, epoch, hub_epoch, base, last_position, acked, offered)
                 VALUES (1, ?1, '', 0, 0, 0, 0)",
                params![new_epoch(None, now).to_string()],
            )?;
        }
        found => upgrade(connection, found, STEPS)?,
    }
    connection.execute_batch("COMMIT")?;
    Ok(())
}

pub(super) fn layout(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn make(connection: &Connection) -> Result<(), OutboxError> {
    connection.execute_batch(TABLES)?;
    for table in seal::TABLES {
        connection.execute_batch(&table.triggers())?;
    }
    connection.pragma_update(None, "user_version", FIRST)?;
    upgrade(connection, FIRST, STEPS)
}

/// Brings an outbox of layout `found` to the one behind the last step.
fn upgrade(connection: &Connection, found: i64, steps: &[Step]) -> Result<(), OutboxError> {
    let taken = usize::try_from(found - FIRST).map_err(|_| OutboxError::TooOld { found })?;
    let to_take = steps.get(taken..).ok_or(OutboxError::TooNew { found })?;
    for (step, layout) in to_take.iter().zip(found + 1..) {
        step(connection)?;
        connection.pragma_update(None, "user_version", layout)?;
    }
    Ok(())
}

/// Whether the tables, and what belongs to them, are those that this version makes.
pub(super) fn is_as_made(connection: &Connection) -> Result<bool, OutboxError> {
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
    use std::path::PathBuf;

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

    /// An outbox with a notice in it, in a folder of its own.
    fn outbox() -> (tempfile::TempDir, PathBuf, Connection) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("outbox.sqlite");
        let connection = open(&path, OffsetDateTime::now_utc()).expect("opened");
        connection
            .execute("INSERT INTO notice VALUES ('a','b','','c',0,NULL)", [])
            .expect("written");
        (folder, path, connection)
    }

    fn notices(connection: &Connection) -> i64 {
        connection
            .query_row("SELECT count(*) FROM notice", [], |row| row.get(0))
            .expect("there")
    }

    /// As a later version may have one.
    fn add_reader(connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch("ALTER TABLE notice ADD COLUMN reader TEXT")
    }

    #[test]
    fn an_outbox_takes_each_step_since_its_layout_once_and_keeps_what_is_in_it() {
        let (_folder, _, connection) = outbox();
        let steps: [Step; 2] = [|_| panic!("it was taken before"), add_reader];
        let before = FIRST + 1;
        for found in [before, before + 1] {
            upgrade(&connection, found, &steps).expect("upgraded");
            assert_eq!(layout(&connection).expect("read"), before + 1);
        }
        let reader: Option<String> = connection
            .query_row("SELECT reader FROM notice", [], |row| row.get(0))
            .expect("the new column");
        assert_eq!((reader, notices(&connection)), (None, 1));
    }

    #[test]
    fn an_outbox_of_a_later_version_is_left_as_it_is() {
        let (_folder, path, connection) = outbox();
        let steps: Vec<Step> = STEPS.iter().copied().chain([add_reader as Step]).collect();
        upgrade(&connection, LAYOUT, &steps).expect("upgraded");
        drop(connection);
        let error = open(&path, OffsetDateTime::now_utc()).expect_err("newer");
        assert!(matches!(error, OutboxError::TooNew { found } if found == LAYOUT + 1));
        let connection = Connection::open(&path).expect("opened");
        assert_eq!(layout(&connection).expect("read"), LAYOUT + 1);
        assert_eq!(notices(&connection), 1);
    }

    #[test]
    fn an_outbox_of_a_build_of_before_is_not_opened_and_mended_keeps_what_is_in_it() {
        let (_folder, path, connection) = outbox();
        let older = "DROP TABLE reading; DROP TABLE age; PRAGMA user_version = 5";
        connection.execute_batch(older).expect("made older");
        drop(connection);
        let now = OffsetDateTime::now_utc();
        let error = open(&path, now).expect_err("older");
        assert!(error.to_string().contains("outbox check --mend"), "{error}");
        assert!(mend::mend(&path, now).expect("mended").is_some());
        assert_eq!(notices(&open(&path, now).expect("opened")), 1);
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
