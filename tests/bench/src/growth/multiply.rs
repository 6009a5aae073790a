//! A city many times over: the cases of a database again and again, every copy with numbers of its own, in the offices
//! and on the days of the first. Tables grow and cells do not.

use anyhow::ensure;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, Row};

/// Tables that grow, and what tells the copies of a row apart.
const TABLES: [(&str, &[(&str, Apart)]); 4] = [
    (
        "case_record",
        &[("source_case_id", Apart::Text), ("case_no", Apart::Text)],
    ),
    (
        "party",
        &[
            ("source_case_id", Apart::Text),
            ("id_token", Apart::Token),
            ("id_unverified", Apart::Token),
        ],
    ),
    (
        "subject",
        &[("source_case_id", Apart::Text), ("token", Apart::Token)],
    ),
    (
        "matter_key",
        &[("source_case_id", Apart::Text), ("key", Apart::Token)],
    ),
];

/// How a column of the n-th copy differs from the first's.
#[derive(Clone, Copy)]
enum Apart {
    Text,
    Token,
}

impl Apart {
    fn of(self, column: &str) -> String {
        match self {
            Self::Text => format!("r.{column} || '-' || n"),
            Self::Token => {
                format!("substring(sha256(r.{column} || int4send(n)) FROM 1 FOR 16)")
            }
        }
    }
}

/// Makes the database hold `times` as many cases. Indexes are made anew at the end, as one would to load so much.
pub(crate) async fn multiply(url: &str, times: u32) -> anyhow::Result<()> {
    ensure!(times >= 1, "a city is there once at least");
    let mut connection = PgConnection::connect(url).await?;
    for setting in [
        "SET statement_timeout = 0",
        "SET maintenance_work_mem = '1GB'",
        "SET synchronous_commit = off",
    ] {
        sqlx::query(setting).execute(&mut connection).await?;
    }
    for (table, apart) in TABLES {
        let again = drop_indexes(&mut connection, table).await?;
        let copy = copies(&mut connection, table, apart).await?;
        sqlx::query(AssertSqlSafe(copy))
            .bind(i32::try_from(times)? - 1)
            .execute(&mut connection)
            .await?;
        for make in again {
            execute(&mut connection, make).await?;
        }
    }
    sqlx::query("VACUUM ANALYZE")
        .execute(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

/// What the tables that grow and their indexes take on disk.
pub(super) async fn bytes(pool: &PgPool) -> anyhow::Result<i64> {
    let tables: Vec<&str> = TABLES.iter().map(|(table, _)| *table).collect();
    let bytes = sqlx::query_scalar(
        "SELECT sum(pg_total_relation_size(name::regclass))::bigint FROM unnest($1::text[]) AS name",
    )
    .bind(tables);
    Ok(bytes.fetch_one(pool).await?)
}

/// The statement that copies a table `$1` times. Cases go in by the day of acceptance, as they come in life: a BRIN
/// index is of no use otherwise.
async fn copies(
    connection: &mut PgConnection,
    table: &str,
    apart: &[(&str, Apart)],
) -> anyhow::Result<String> {
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT attname::text FROM pg_attribute
          WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    let values: Vec<String> = columns
        .iter()
        .map(
            |column| match apart.iter().find(|(name, _)| name == column) {
                Some((_, apart)) => apart.of(column),
                None => format!("r.{column}"),
            },
        )
        .collect();
    let order = match table {
        "case_record" => "ORDER BY accepted_on",
        _ => "",
    };
    Ok(format!(
        "INSERT INTO {table} ({}) SELECT {} FROM (SELECT * FROM {table} {order}) AS r, generate_series(1, $1) AS n",
        columns.join(", "),
        values.join(", "),
    ))
}

/// Drops a table's keys and indexes; returns the statements that make them again.
async fn drop_indexes(connection: &mut PgConnection, table: &str) -> anyhow::Result<Vec<String>> {
    let rows = sqlx::query(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), c.conname::text, pg_get_constraintdef(c.oid)
           FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
          WHERE i.indrelid = $1::text::regclass",
    )
    .bind(table)
    .fetch_all(&mut *connection)
    .await?;
    let mut again = Vec::with_capacity(rows.len());
    for row in rows {
        let (index, made): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let constraint: Option<String> = row.try_get(2)?;
        match constraint {
            Some(name) => {
                let key: String = row.try_get(3)?;
                again.push(format!("ALTER TABLE {table} ADD CONSTRAINT {name} {key}"));
                execute(
                    connection,
                    format!("ALTER TABLE {table} DROP CONSTRAINT {name}"),
                )
                .await?;
            }
            None => {
                again.push(made);
                execute(connection, format!("DROP INDEX {index}")).await?;
            }
        }
    }
    Ok(again)
}

async fn execute(connection: &mut PgConnection, sql: String) -> anyhow::Result<()> {
    sqlx::query(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}
