//! Shape A in a PostgreSQL database of its own, filled with COPY.
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

use super::WriteError;
use super::layout::rows;
use super::schema::{Dialect, Table, tables};
use super::server::with_database;
use crate::case::Case;
use crate::city::City;
use crate::office::Office;

/// Cases that are encoded before they are sent.
const CHUNK: usize = 5_000;

/// Makes an office's database anew; `server` is the URL of any database there. Returns the new one's URL.
pub(super) async fn create(server: &str, database: &str) -> Result<String, WriteError> {
    let mut admin = PgConnection::connect(server).await?;
    // The name is an office id: lower-case letters and digits.
    run(
        &mut admin,
        format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"),
    )
    .await?;
    run(
        &mut admin,
        format!("CREATE DATABASE {database} ENCODING 'UTF8' TEMPLATE template0"),
    )
    .await?;
    admin.close().await?;
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
    let mut connection = PgConnection::connect(url).await?;
    let mut transaction = connection.begin().await?;
    for table in &tables {
        run(&mut transaction, table.create(Dialect::Postgres)).await?;
    }
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut cases = city.cases(office);
    loop {
        chunk.extend(cases.by_ref().take(CHUNK));
        if chunk.is_empty() {
            break;
        }
        copy(&mut transaction, &tables, house, &chunk).await?;
        done(chunk.len() as u64);
        chunk.clear();
    }
    for table in &tables {
        if let Some(index) = table.create_index() {
            run(&mut transaction, index).await?;
        }
    }
    transaction.commit().await?;
    connection.close().await?;
    Ok(())
}

/// Brings a written database to the city's step, in one transaction.
pub(super) async fn apply(city: &City, office: usize, url: &str) -> Result<u64, WriteError> {
    let house = &city.offices()[office];
    let tables = tables(house.vendor);
    let changed: Vec<Case> = city.changes(office).collect();
    let keys: Vec<String> = changed
        .iter()
        .map(|case| case.source_case_id.clone())
        .collect();
    let mut connection = PgConnection::connect(url).await?;
    let mut transaction = connection.begin().await?;
    for table in &tables {
        let delete = format!(
            "DELETE FROM {} WHERE {} = ANY($1)",
            table.name, table.key[0]
        );
        sqlx::query(AssertSqlSafe(delete))
            .bind(&keys)
            .execute(&mut *transaction)
            .await?;
    }
    copy(&mut transaction, &tables, house, &changed).await?;
    transaction.commit().await?;
    connection.close().await?;
    Ok(changed.len() as u64)
}

/// The schema's text is made of our own names only.
async fn run(connection: &mut PgConnection, sql: String) -> Result<(), WriteError> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await?;
    Ok(())
}

async fn copy(
    connection: &mut PgConnection,
    tables: &[Table],
    office: &Office,
    cases: &[Case],
) -> Result<(), WriteError> {
    let mut texts = vec![String::new(); tables.len()];
    for case in cases {
        for (position, row) in rows(case, office) {
            let text = &mut texts[position];
            for (index, cell) in row.iter().enumerate() {
                if index > 0 {
                    text.push('\t');
                }
                escape(cell, text);
            }
            text.push('\n');
        }
    }
    for (table, text) in tables.iter().zip(texts) {
        let mut copy = connection
            .copy_in_raw(&format!("COPY {} FROM STDIN", table.name))
            .await?;
        copy.send(text.into_bytes()).await?;
        copy.finish().await?;
    }
    Ok(())
}

/// COPY text format; an empty cell is NULL.
fn escape(cell: &str, text: &mut String) {
    if cell.is_empty() {
        text.push_str("\\N");
    }
    for c in cell.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            c => text.push(c),
        }
    }
}
