//! MySQL and MariaDB. Numbers and times are turned into text by the server, which knows best how to write them exactly.

use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Params, Row};

use super::cursor::Value;
use super::keyset::{Dialect, Field, Statement, strip};
use super::{Cells, STATEMENT_LIMIT};
use crate::source::SourceError;

/// "Character set" of bytes.
const BINARY: u16 = 63;

/// Read only, the time of day that the office's clock on the wall shows, and of the SQL modes only those that change
/// what a query means: a date of zeros is to be comparable, and CHAR has no padding.
const SETTINGS: [&str; 3] = [
    "SET NAMES utf8mb4",
    "SET SESSION time_zone = '+08:00', sql_mode = CONCAT_WS(',', \
     IF(FIND_IN_SET('ANSI_QUOTES', @@sql_mode), 'ANSI_QUOTES', NULL), \
     IF(FIND_IN_SET('PIPES_AS_CONCAT', @@sql_mode), 'PIPES_AS_CONCAT', NULL), \
     IF(FIND_IN_SET('IGNORE_SPACE', @@sql_mode), 'IGNORE_SPACE', NULL), \
     IF(FIND_IN_SET('NO_BACKSLASH_ESCAPES', @@sql_mode), 'NO_BACKSLASH_ESCAPES', NULL))",
    "SET SESSION TRANSACTION READ ONLY",
];

pub(super) struct MySql {
    connection: Conn,
}

impl MySql {
    pub(super) async fn connect(url: &str) -> Result<Self, SourceError> {
        let opts = Opts::from_url(url).map_err(|error| SourceError::Url(error.to_string()))?;
        let opts = OptsBuilder::from_opts(opts).stmt_cache_size(16);
        let mut connection = Conn::new(opts).await.map_err(|error| unreachable(&error))?;
        let version: Option<String> = connection
            .query_first("SELECT VERSION()")
            .await
            .map_err(|error| refused("its version", &error))?;
        let limit = if version.is_some_and(|version| version.contains("MariaDB")) {
            format!(
                "SET SESSION max_statement_time = {}",
                STATEMENT_LIMIT.as_secs()
            )
        } else {
            format!(
                "SET SESSION max_execution_time = {}",
                STATEMENT_LIMIT.as_millis()
            )
        };
        for setting in SETTINGS.into_iter().chain([limit.as_str()]) {
            let done = connection.query_drop(setting).await;
            done.map_err(|error| refused("the session's settings", &error))?;
        }
        Ok(Self { connection })
    }

    pub(super) async fn describe(
        &mut self,
        what: &str,
        query: &str,
    ) -> Result<Vec<Field>, SourceError> {
        let prepared = self.connection.prep(strip(query)).await;
        let prepared = prepared.map_err(|error| refused(what, &error))?;
        let fields = prepared.columns().iter().map(field).collect();
        self.connection
            .close(prepared)
            .await
            .map_err(|error| refused(what, &error))?;
        Ok(fields)
    }

    pub(super) async fn begin(&mut self) -> Result<(), SourceError> {
        self.run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            .await
    }

    pub(super) async fn end(&mut self) -> Result<(), SourceError> {
        self.run("ROLLBACK").await
    }

    async fn run(&mut self, sql: &str) -> Result<(), SourceError> {
        let done = self.connection.query_drop(sql).await;
        done.map_err(|error| refused("a read transaction", &error))
    }

    pub(super) async fn rows(
        &mut self,
        what: &str,
        statement: Statement,
    ) -> Result<Vec<Cells>, SourceError> {
        let parameters = statement.parameters.iter().map(|value| value.text().into());
        let parameters = match parameters.collect::<Vec<_>>() {
            none if none.is_empty() => Params::Empty,
            some => Params::Positional(some),
        };
        let rows: Vec<Row> = self
            .connection
            .exec(statement.sql, parameters)
            .await
            .map_err(|error| refused(what, &error))?;
        rows.into_iter().map(cells).collect()
    }
}

fn cells(row: Row) -> Result<Cells, SourceError> {
    let columns = row.columns();
    let text = |(index, value): (usize, mysql_async::Value)| match value {
        mysql_async::Value::NULL => Ok(None),
        mysql_async::Value::Bytes(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(Value::Text(text))),
            Err(_) => Err(SourceError::NotText {
                column: columns[index].name_str().into_owned(),
            }),
        },
        // Everything is read as text; a server that sends another type all the same is taken at its word.
        other => Ok(Some(Value::Text(
            other.as_sql(true).trim_matches('\'').to_owned(),
        ))),
    };
    row.unwrap().into_iter().enumerate().map(text).collect()
}

fn field(column: &mysql_async::Column) -> Field {
    use ColumnType as T;
    let name = column.name_str().into_owned();
    let place = Dialect::MySql.column(&name);
    let as_text = || Some(format!("CAST({place} AS CHAR)"));
    let bytes = column.character_set() == BINARY;
    let (read, bind) = match column.column_type() {
        T::MYSQL_TYPE_GEOMETRY => (None, ["", ""]),
        T::MYSQL_TYPE_BIT => (
            Some(format!("CAST({place} + 0 AS CHAR)")),
            ["CAST(", " AS UNSIGNED)"],
        ),
        T::MYSQL_TYPE_TINY
        | T::MYSQL_TYPE_SHORT
        | T::MYSQL_TYPE_INT24
        | T::MYSQL_TYPE_LONG
        | T::MYSQL_TYPE_LONGLONG
        | T::MYSQL_TYPE_YEAR => match column.flags().contains(ColumnFlags::UNSIGNED_FLAG) {
            true => (as_text(), ["CAST(", " AS UNSIGNED)"]),
            false => (as_text(), ["CAST(", " AS SIGNED)"]),
        },
        T::MYSQL_TYPE_DECIMAL | T::MYSQL_TYPE_NEWDECIMAL => {
            (as_text(), ["CAST(", " AS DECIMAL(65,30))"])
        }
        T::MYSQL_TYPE_FLOAT | T::MYSQL_TYPE_DOUBLE => (as_text(), ["(", " + 0e0)"]),
        T::MYSQL_TYPE_DATE | T::MYSQL_TYPE_NEWDATE => (as_text(), ["CAST(", " AS DATE)"]),
        T::MYSQL_TYPE_TIME | T::MYSQL_TYPE_TIME2 => (as_text(), ["CAST(", " AS TIME(6))"]),
        T::MYSQL_TYPE_DATETIME
        | T::MYSQL_TYPE_DATETIME2
        | T::MYSQL_TYPE_TIMESTAMP
        | T::MYSQL_TYPE_TIMESTAMP2 => (as_text(), ["CAST(", " AS DATETIME(6))"]),
        T::MYSQL_TYPE_JSON => (as_text(), ["", ""]),
        _ if bytes => (None, ["", ""]),
        _ => (Some(place.clone()), ["", ""]),
    };
    let zero_is_absent = bind[1].ends_with("DATE)") || bind[1].ends_with("DATETIME(6))");
    Field {
        name,
        read,
        bind: bind.map(str::to_owned),
        zero_is_absent,
    }
}

fn unreachable(error: &mysql_async::Error) -> SourceError {
    match error {
        // Access denied, to the server or to the database; unknown authentication.
        mysql_async::Error::Server(server)
            if matches!(server.code, 1044 | 1045 | 1130 | 1251 | 1698) =>
        {
            SourceError::LoginRefused(server.message.clone())
        }
        mysql_async::Error::Server(server) => SourceError::Unreachable(server.message.clone()),
        other => SourceError::Unreachable(other.to_string()),
    }
}

fn refused(what: &str, error: &mysql_async::Error) -> SourceError {
    let reason = match error {
        mysql_async::Error::Server(server) => match server.code {
            // ER_STATEMENT_TIMEOUT of MariaDB, ER_QUERY_TIMEOUT of MySQL.
            1969 | 3024 => {
                return SourceError::TooSlow {
                    seconds: STATEMENT_LIMIT.as_secs(),
                };
            }
            // These quote the value.
            code @ (1292 | 1366 | 1411 | 1525) => {
                format!("a value has another form than its column (error {code})")
            }
            _ => server.message.clone(),
        },
        other => return SourceError::Unreachable(other.to_string()),
    };
    SourceError::Refused {
        what: what.to_owned(),
        reason,
    }
}
