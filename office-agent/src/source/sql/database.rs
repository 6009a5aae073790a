//! One connection to whichever database it is.

use super::Cells;
use super::keyset::{Dialect, Field, Statement};
use super::mysql::MySql;
use super::postgres::Postgres;
use super::sqlite::{Interrupt, Sqlite};
use crate::config::TextEncoding;
use crate::source::SourceError;

/// What kind of database a url is of, and the url behind that.
pub(super) fn kind(url: &str) -> Result<(Dialect, &str), SourceError> {
    match url.split_once(':') {
        Some(("postgres" | "postgresql", rest)) => Ok((Dialect::Postgres, rest)),
        Some(("mysql" | "mariadb", rest)) => Ok((Dialect::MySql, rest)),
        Some(("sqlite", rest)) => Ok((Dialect::Sqlite, rest)),
        _ => Err(SourceError::Url("another kind of address".to_owned())),
    }
}

pub(super) enum Database {
    Postgres(Box<Postgres>),
    MySql(Box<MySql>),
    Sqlite(Sqlite),
}

impl Database {
    pub(super) async fn connect(url: &str, encoding: TextEncoding) -> Result<Self, SourceError> {
        let (kind, rest) = kind(url)?;
        Ok(match kind {
            Dialect::Postgres => Self::Postgres(Box::new(Postgres::connect(url).await?)),
            Dialect::MySql => {
                Self::MySql(Box::new(MySql::connect(&format!("mysql:{rest}")).await?))
            }
            Dialect::Sqlite => Self::Sqlite(Sqlite::connect(rest, encoding)?),
        })
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgres,
            Self::MySql(_) => Dialect::MySql,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// How to cut short what runs, for a database that is read by blocking.
    pub(super) fn interrupt(&self) -> Option<Interrupt> {
        match self {
            Self::Postgres(_) | Self::MySql(_) => None,
            Self::Sqlite(database) => Some(database.interrupt()),
        }
    }

    /// Whether what was opened is not what stands at the address now.
    pub(super) fn is_replaced(&self) -> bool {
        match self {
            Self::Postgres(_) | Self::MySql(_) => false,
            Self::Sqlite(database) => database.is_replaced(),
        }
    }

    /// Columns that a query gives. `what` names the query in errors.
    pub(super) async fn describe(
        &mut self,
        what: &str,
        query: &str,
    ) -> Result<Vec<Field>, SourceError> {
        match self {
            Self::Postgres(database) => database.describe(what, query).await,
            Self::MySql(database) => database.describe(what, query).await,
            Self::Sqlite(database) => database.describe(what, query),
        }
    }

    /// Begins a transaction that sees one moment of the database.
    pub(super) async fn begin(&mut self) -> Result<(), SourceError> {
        match self {
            Self::Postgres(database) => database.begin().await,
            Self::MySql(database) => database.begin().await,
            Self::Sqlite(database) => database.begin(),
        }
    }

    pub(super) async fn end(&mut self) -> Result<(), SourceError> {
        match self {
            Self::Postgres(database) => database.end().await,
            Self::MySql(database) => database.end().await,
            Self::Sqlite(database) => database.end(),
        }
    }

    pub(super) async fn rows(
        &mut self,
        what: &str,
        statement: Statement,
    ) -> Result<Vec<Cells>, SourceError> {
        match self {
            Self::Postgres(database) => database.rows(what, statement).await,
            Self::MySql(database) => database.rows(what, statement).await,
            Self::Sqlite(database) => database.rows(what, statement),
        }
    }
}
