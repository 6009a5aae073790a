//! Shape B in a MySQL or MariaDB database of its own.
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, Params, TxOpts, Value};

use super::WriteError;
use super::layout::rows;
use super::schema::{Dialect, Table, tables};
use super::server::with_database;
use crate::case::Case;
use crate::city::City;
use crate::office::Office;

/// Rows of one INSERT; a statement has room for 65,535 parameters.
const CHUNK: usize = 400;

/// Makes an office's database anew; `server` is the URL of any database there. Returns the new one's URL.
pub(super) async fn create(server: &str, database: &str) -> Result<String, WriteError> {
    let mut admin = connect(server).await?;
    // The name is an office id: lower-case letters and digits.
    admin
        .query_drop(format!("DROP DATABASE IF EXISTS {database}"))
        .await?;
    admin
        .query_drop(format!("CREATE DATABASE {database} CHARACTER SET utf8mb4"))
        .await?;
    admin.disconnect().await?;
    Ok(with_database(server, database))
}

/// Fills a new database.
pub(super) async fn write(
    city: &City,
    office: usize,
    url: &str,
    done: &(dyn Fn(u64) + Sync),
) -> Result<(), WriteError> {
    let house = &city.offices()[office];
    let tables = tables(house.vendor);
    let mut connection = connect(url).await?;
    for table in &tables {
        connection.query_drop(table.create(Dialect::MySql)).await?;
    }
    let mut transaction = connection.start_transaction(TxOpts::default()).await?;
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut cases = city.cases(office);
    loop {
        chunk.extend(cases.by_ref().take(CHUNK));
        if chunk.is_empty() {
            break;
        }
        insert(&mut transaction, &tables, house, &chunk).await?;
        done(chunk.len() as u64);
        chunk.clear();
    }
    transaction.commit().await?;
    for index in tables.iter().filter_map(Table::create_index) {
        connection.query_drop(index).await?;
    }
    connection.disconnect().await?;
    Ok(())
}

/// Brings a written database to the city's step, in one transaction.
pub(super) async fn apply(city: &City, office: usize, url: &str) -> Result<u64, WriteError> {
    let house = &city.offices()[office];
    let tables = tables(house.vendor);
    let changed: Vec<Case> = city.changes(office).collect();
    let mut connection = connect(url).await?;
    let mut transaction = connection.start_transaction(TxOpts::default()).await?;
    for table in &tables {
        let keys = changed.iter().map(|case| (&case.source_case_id,));
        transaction.exec_batch(table.delete(), keys).await?;
    }
    for chunk in changed.chunks(CHUNK) {
        insert(&mut transaction, &tables, house, chunk).await?;
    }
    transaction.commit().await?;
    connection.disconnect().await?;
    Ok(changed.len() as u64)
}

async fn connect(url: &str) -> Result<Conn, WriteError> {
    Ok(Conn::new(Opts::from_url(url)?).await?)
}

async fn insert(
    connection: &mut impl Queryable,
    tables: &[Table],
    office: &Office,
    cases: &[Case],
) -> Result<(), WriteError> {
    let mut values = vec![(0, Vec::new()); tables.len()];
    for case in cases {
        for (position, row) in rows(case, office) {
            let (count, cells) = &mut values[position];
            *count += 1;
            cells.extend(row.iter().map(|cell| match cell.as_bytes() {
                [] => Value::NULL,
                bytes => Value::Bytes(bytes.to_vec()),
            }));
        }
    }
    for (table, (count, cells)) in tables
        .iter()
        .zip(values)
        .filter(|(_, (count, _))| *count > 0)
    {
        connection
            .exec_drop(table.insert(count), Params::Positional(cells))
            .await?;
    }
    Ok(())
}
