//! Isolates what is damaged: a new outbox is made of everything that is as it was written, the damaged file is put
//! aside, and the sources are read anew for the rest.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, Transaction, params, params_from_iter};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::check::{self, Checkup};
use super::seal::{self, ENTRY, KNOWN_CASE, STATE, Salvage, Table};
use super::{OutboxError, schema};
use crate::durable;

/// How often reading goes on behind a place that cannot be read; each time it leaps further.
const LEAPS: u32 = 40;

/// What mending came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mended {
    /// Records that were as written, and wait to be offered to the hub again.
    pub kept: u64,
    /// Cases whose records are lost here and have to come from the sources again.
    pub to_read_again: Vec<String>,
    /// Where the damaged file is now.
    pub aside: PathBuf,
}

/// Mends a damaged outbox that no agent uses; `None` when there is nothing to mend.
///
/// # Errors
/// When there is no room or no right to write; then everything is as before, and mending can be tried again.
pub fn mend(path: &Path, now: OffsetDateTime) -> Result<Option<Mended>, OutboxError> {
    settle(path)?;
    match Checkup::of(path)? {
        Some(checkup) if !checkup.is_sound() => {}
        _ => return Ok(None),
    }
    let making = beside(path, "mending");
    for file in files(&making) {
        let _ = fs::remove_file(file);
    }
    let mut made = schema::open(&making, now)?;
    let tx = made.transaction()?;
    // What cannot even be opened has nothing to keep.
    let (kept, to_read_again) = match check::open(path) {
        Ok(old) => salvage(&old, &tx, now)?,
        Err(_) => (0, Vec::new()),
    };
    tx.commit()?;
    made.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    made.close().map_err(|(_, error)| error)?;
    let failed = |source| OutboxError::Open {
        path: making.clone(),
        source,
    };
    File::open(&making)
        .and_then(|file| file.sync_all())
        .map_err(failed)?;
    fs::rename(&making, beside(path, "mended")).map_err(failed)?;
    let aside = settle(path)?.unwrap_or_default();
    Ok(Some(Mended {
        kept,
        to_read_again,
        aside,
    }))
}

/// Puts a mended outbox in the place of the damaged one, when there is one; also what an earlier attempt did not come
/// to. Returns where the damaged one is.
pub(super) fn settle(path: &Path) -> Result<Option<PathBuf>, OutboxError> {
    let mended = beside(path, "mended");
    if !mended.exists() {
        return Ok(None);
    }
    // Each step is on the disk before the next. After a power cut the damaged file must not be gone before the mended one
    // has its name, nor its log lie beside the mended one.
    let put_aside = || -> io::Result<PathBuf> {
        durable::name_of(&mended)?;
        let aside = free_folder(path)?;
        for file in files(path) {
            let name = file.file_name().unwrap_or_default();
            match fs::rename(&file, aside.join(name)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                done => done?,
            }
        }
        durable::names_in(&aside)?;
        durable::name_of(path)?;
        fs::rename(&mended, path)?;
        durable::name_of(path)?;
        Ok(aside)
    };
    put_aside().map(Some).map_err(|source| OutboxError::Open {
        path: path.to_owned(),
        source,
    })
}

/// The database, and what SQLite keeps beside it. The log goes first: it must never lie beside another database.
fn files(path: &Path) -> [PathBuf; 3] {
    ["-wal", "-shm", ""].map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    })
}

fn beside(path: &Path, what: &str) -> PathBuf {
    path.with_extension(what)
}

fn free_folder(path: &Path) -> io::Result<PathBuf> {
    let mut nth = 1;
    loop {
        let folder = beside(path, &format!("damaged-{nth}"));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => nth += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Copies what is as it was written into a new outbox, all of it to be offered under a new epoch. Returns how many
/// records that are, and the cases that are not among them although the hub has not acknowledged them.
fn salvage(
    old: &Connection,
    tx: &Transaction<'_>,
    now: OffsetDateTime,
) -> Result<(u64, Vec<String>), OutboxError> {
    let mut done = Salvaged::default();
    for table in seal::TABLES {
        match table.salvage {
            Salvage::State => done.acked = salvage_state(old, tx, now)?,
            Salvage::Entries => done.places = salvage_entries(old, tx)?,
            Salvage::Nothing => {}
            Salvage::KnownCase => done.to_read_again = salvage_cases(old, tx, &done)?,
            Salvage::Source => each(old, table, |mut row| {
                // Without a cursor it is read anew.
                row[1] = Value::Null;
                copy(tx, table, row)
            })?,
            Salvage::Reject => each(old, table, |row| {
                // Own refusals are found again while the sources are read, and those without a key are the hub's by
                // sequences that end here.
                let of_hub = row[0] == Value::Text("hub".to_owned());
                match of_hub && row[3] != Value::Text(String::new()) {
                    true => copy(tx, table, row),
                    false => Ok(()),
                }
            })?,
            Salvage::Whole => each(old, table, |row| copy(tx, table, row))?,
        }
    }
    Ok((done.places.len() as u64, done.to_read_again))
}

/// What has been salvaged so far.
#[derive(Default)]
struct Salvaged {
    /// Up to which position the hub has everything.
    acked: i64,
    /// Where the entries are now, by where they were.
    places: HashMap<i64, i64>,
    to_read_again: Vec<String>,
}

fn salvage_entries(
    old: &Connection,
    tx: &Transaction<'_>,
) -> Result<HashMap<i64, i64>, OutboxError> {
    let mut places = HashMap::new();
    each_entry(old, |position, record| {
        let place = places.len() as i64 + 1;
        tx.prepare_cached("INSERT INTO entry (position, record) VALUES (?1, ?2)")?
            .execute(params![place, record])?;
        places.insert(position, place);
        Ok(())
    })?;
    let kept = places.len() as i64;
    tx.execute("UPDATE state SET last_position = ?1", params![kept])?;
    Ok(places)
}

/// Returns the cases whose records are neither kept nor at the hub.
fn salvage_cases(
    old: &Connection,
    tx: &Transaction<'_>,
    done: &Salvaged,
) -> Result<Vec<String>, OutboxError> {
    let mut to_read_again = Vec::new();
    each(old, KNOWN_CASE, |mut row| {
        let position = match row[4] {
            Value::Integer(position) => Some(position),
            _ => None,
        };
        let place = position.and_then(|position| done.places.get(&position));
        match (place, position) {
            (Some(place), _) => row[4] = Value::Integer(*place),
            // The hub has it, or it is wanted from its source already.
            (None, None) => {}
            (None, Some(position)) if position <= done.acked => row[4] = Value::Null,
            _ => {
                if let Value::Text(id) = row.swap_remove(0) {
                    to_read_again.push(id);
                }
                return Ok(());
            }
        }
        copy(tx, KNOWN_CASE, row)
    })?;
    Ok(to_read_again)
}

/// Gives the new outbox an epoch behind the old one's; returns up to which position the hub has everything.
fn salvage_state(
    old: &Connection,
    tx: &Transaction<'_>,
    now: OffsetDateTime,
) -> Result<i64, OutboxError> {
    let mut acked = 0;
    each(old, STATE, |row| {
        if let (Value::Text(epoch), Value::Text(hub_epoch), Value::Integer(to)) =
            (&row[1], &row[2], &row[5])
        {
            let epoch = schema::new_epoch(epoch.parse::<Uuid>().ok(), now);
            tx.execute(
                "UPDATE state SET epoch = ?1, hub_epoch = ?2",
                params![epoch.to_string(), hub_epoch],
            )?;
            acked = *to;
        }
        Ok(())
    })?;
    Ok(acked)
}

fn copy(tx: &Transaction<'_>, table: Table, row: Vec<Value>) -> Result<(), OutboxError> {
    let places: Vec<_> = (1..=row.len()).map(|nth| format!("?{nth}")).collect();
    tx.prepare_cached(&format!(
        "INSERT INTO {} ({}) VALUES ({})",
        table.name,
        table.columns(),
        places.join(", ")
    ))?
    .execute(params_from_iter(row))?;
    Ok(())
}

/// The whole rows of a table, up to a place that cannot be read.
fn each(
    old: &Connection,
    table: Table,
    mut take: impl FnMut(Vec<Value>) -> Result<(), OutboxError>,
) -> Result<(), OutboxError> {
    let (columns, key) = (table.columns(), table.key());
    let sql = format!("SELECT {columns}, seal FROM {} ORDER BY {key}", table.name);
    let Ok(mut statement) = old.prepare(&sql) else {
        return Ok(());
    };
    let mut rows = statement.query([])?;
    while let Ok(Some(row)) = rows.next() {
        if let Ok(Some(row)) = table.whole(row) {
            take(row)?;
        }
    }
    Ok(())
}

/// The whole entries in order, also those behind places that cannot be read.
fn each_entry(
    old: &Connection,
    mut take: impl FnMut(i64, &[u8]) -> Result<(), OutboxError>,
) -> Result<(), OutboxError> {
    let sql = "SELECT position, record, seal FROM entry WHERE position > ?1 ORDER BY position";
    let Ok(mut statement) = old.prepare(sql) else {
        return Ok(());
    };
    let mut behind = i64::MIN;
    for leap in 0..LEAPS {
        let mut rows = statement.query(params![behind])?;
        loop {
            match rows.next() {
                Ok(None) => return Ok(()),
                Ok(Some(row)) => {
                    let position: i64 = row.get(0).unwrap_or(behind);
                    if position <= behind {
                        break;
                    }
                    behind = position;
                    if let Ok(Some(values)) = ENTRY.whole(row)
                        && let Value::Blob(record) = &values[1]
                    {
                        take(position, record)?;
                    }
                }
                Err(_) => break,
            }
        }
        behind = behind.max(0).saturating_add(1 << leap);
    }
    Ok(())
}
