//! Shapes A and B in an SQLite file.
use std::path::Path;

use rusqlite::{Connection, Transaction, params_from_iter};

use super::WriteError;
use super::layout::rows;
use super::schema::{Dialect, Table, tables};
use crate::case::Case;
use crate::city::City;
use crate::office::Office;

/// Writes an office's database anew.
pub(super) fn write(
    city: &City,
    office: usize,
    file: &Path,
    done: &(dyn Fn(u64) + Sync),
) -> Result<(), WriteError> {
    if file.exists() {
        std::fs::remove_file(file)?;
    }
    let mut connection = Connection::open(file)?;
    // A crash while writing means starting over, so nothing needs to be durable in between.
    connection.execute_batch("PRAGMA synchronous = OFF")?;
    let tables = tables(city.offices()[office].vendor);
    let transaction = connection.transaction()?;
    for table in &tables {
        transaction.execute_batch(&table.create(Dialect::Sqlite))?;
    }
    insert(
        &transaction,
        &tables,
        &city.offices()[office],
        city.cases(office),
        done,
    )?;
    for table in &tables {
        if let Some(index) = table.create_index() {
            transaction.execute_batch(&index)?;
        }
    }
    transaction.commit()?;
    Ok(())
}

/// Brings a written database to the city's step, in one transaction.
pub(super) fn apply(city: &City, office: usize, file: &Path) -> Result<u64, WriteError> {
    let mut connection = Connection::open(file)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    let house = &city.offices()[office];
    let tables = tables(house.vendor);
    let changed: Vec<Case> = city.changes(office).collect();
    let transaction = connection.transaction()?;
    for table in &tables {
        let mut delete = transaction.prepare(&table.delete())?;
        for case in &changed {
            delete.execute([&case.source_case_id])?;
        }
    }
    let count = changed.len() as u64;
    insert(&transaction, &tables, house, changed.into_iter(), &|_| {})?;
    transaction.commit()?;
    Ok(count)
}

fn insert(
    transaction: &Transaction<'_>,
    tables: &[Table],
    office: &Office,
    cases: impl Iterator<Item = Case>,
    done: &(dyn Fn(u64) + Sync),
) -> Result<(), WriteError> {
    let mut statements = tables
        .iter()
        .map(|table| transaction.prepare(&table.insert(1)))
        .collect::<Result<Vec<_>, _>>()?;
    for case in cases {
        for (position, row) in rows(&case, office) {
            statements[position]
                .execute(params_from_iter(row.iter().map(|cell| null_if_empty(cell))))?;
        }
        done(1);
    }
    Ok(())
}

fn null_if_empty(cell: &str) -> Option<&str> {
    Some(cell).filter(|cell| !cell.is_empty())
}
