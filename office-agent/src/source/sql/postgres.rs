//! PostgreSQL. Every column is turned into text by the server, which knows best how to write it exactly.

use std::collections::HashMap;
use std::str::FromStr;

use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgDatabaseError};
use sqlx::{
    AssertSqlSafe, Column, ConnectOptions, Executor, Row, SqlSafeStr, Statement as _, TypeInfo,
};

use super::cursor::Value;
use super::keyset::{Dialect, Field, Statement, strip};
use super::{Cells, STATEMENT_LIMIT};
use crate::source::SourceError;

/// Read only, ISO dates, and the time of day that the office's clock on the wall shows.
const SETTINGS: &str = "SET default_transaction_read_only = on; SET datestyle = 'ISO, YMD'; \
     SET timezone = 'Asia/Shanghai'; SET idle_in_transaction_session_timeout = '10min'; SET statement_timeout = ";

pub(super) struct Postgres {
    connection: PgConnection,
}

impl Postgres {
    pub(super) async fn connect(url: &str) -> Result<Self, SourceError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| SourceError::Url(error.to_string()))?
            .application_name("office-agent")
            .disable_statement_logging();
        let mut connection = options
            .connect()
            .await
            .map_err(|error| unreachable(&error))?;
        let settings = format!("{SETTINGS}{}", STATEMENT_LIMIT.as_millis());
        sqlx::raw_sql(AssertSqlSafe(settings))
            .execute(&mut connection)
            .await
            .map_err(|error| refused("the session's settings", &error))?;
        Ok(Self { connection })
    }

    pub(super) async fn describe(
        &mut self,
        what: &str,
        query: &str,
    ) -> Result<Vec<Field>, SourceError> {
        let query = AssertSqlSafe(strip(query).to_owned()).into_sql_str();
        let prepared = (&mut self.connection).prepare(query).await;
        let prepared = prepared.map_err(|error| refused(what, &error))?;
        let columns: Vec<(String, String, Option<Oid>)> = (prepared.columns().iter())
            .map(|column| {
                let kind = column.type_info();
                (column.name().to_owned(), kind.name().to_owned(), kind.oid())
            })
            .collect();
        let types = self
            .type_names(columns.iter().filter_map(|(_, _, oid)| *oid).collect())
            .await?;
        Ok(columns
            .into_iter()
            .map(|(name, kind, oid)| {
                let column = Dialect::Postgres.column(&name);
                let read = match kind.as_str() {
                    "BYTEA" => None,
                    // The text of money depends on the server's language.
                    "MONEY" => Some(format!("CAST({column} AS numeric)::text")),
                    _ => Some(format!("CAST({column} AS text)")),
                };
                let kind = oid
                    .and_then(|oid| types.get(&oid))
                    .map_or("text", String::as_str);
                Field {
                    name,
                    read,
                    bind: ["CAST(CAST(".to_owned(), format!(" AS text) AS {kind})")],
                    zero_is_absent: false,
                }
            })
            .collect())
    }

    /// Names as CAST takes them, without length or precision.
    async fn type_names(&mut self, oids: Vec<Oid>) -> Result<HashMap<Oid, String>, SourceError> {
        let rows: Vec<(Oid, String)> = sqlx::query_as(
            "SELECT oid, format_type(oid, -1) FROM pg_catalog.pg_type WHERE oid = ANY($1)",
        )
        .bind(oids)
        .fetch_all(&mut self.connection)
        .await
        .map_err(|error| refused("a look at its types", &error))?;
        Ok(rows.into_iter().collect())
    }

    pub(super) async fn begin(&mut self) -> Result<(), SourceError> {
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await
    }

    pub(super) async fn end(&mut self) -> Result<(), SourceError> {
        self.run("ROLLBACK").await
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), SourceError> {
        let done = sqlx::raw_sql(sql).execute(&mut self.connection).await;
        done.map(|_| ())
            .map_err(|error| refused("a read transaction", &error))
    }

    pub(super) async fn rows(
        &mut self,
        what: &str,
        statement: Statement,
    ) -> Result<Vec<Cells>, SourceError> {
        let mut query = sqlx::query(AssertSqlSafe(statement.sql));
        for parameter in statement.parameters {
            query = query.bind(parameter.text());
        }
        let rows = query.fetch_all(&mut self.connection).await;
        let rows = rows.map_err(|error| refused(what, &error))?;
        rows.iter()
            .map(|row| {
                (0..row.len())
                    .map(|index| Ok(row.try_get::<Option<String>, _>(index)?.map(Value::Text)))
                    .collect::<Result<Cells, sqlx::Error>>()
            })
            .collect::<Result<_, _>>()
            .map_err(|error| refused(what, &error))
    }
}

fn unreachable(error: &sqlx::Error) -> SourceError {
    match error {
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            let reason = database.message().to_owned();
            match code.as_ref() {
                // Wrong password, unknown role, no entry in pg_hba.conf, no right to connect.
                "28P01" | "28000" | "42501" => SourceError::LoginRefused(reason),
                _ => SourceError::Unreachable(reason),
            }
        }
        other => SourceError::Unreachable(other.to_string()),
    }
}

fn refused(what: &str, error: &sqlx::Error) -> SourceError {
    let reason = match error {
        sqlx::Error::Database(database) => {
            let code = database.downcast_ref::<PgDatabaseError>().code();
            match code {
                "57014" => {
                    return SourceError::TooSlow {
                        seconds: STATEMENT_LIMIT.as_secs(),
                    };
                }
                // Data exceptions quote the value.
                code if code.starts_with("22") => {
                    format!("a value has another form than its column (SQLSTATE {code})")
                }
                _ => database.message().to_owned(),
            }
        }
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => {
            return SourceError::Unreachable(error.to_string());
        }
        other => other.to_string(),
    };
    SourceError::Refused {
        what: what.to_owned(),
        reason,
    }
}
