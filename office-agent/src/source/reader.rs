//! The reader of whichever kind of source it is.

use std::time::Duration;

use super::folder::{BadFile, FolderReader, Order};
use super::sql::SqlReader;
use super::{Page, SourceError};
use crate::config::Source;

#[derive(Debug)]
pub(super) enum Reader {
    Sql {
        reader: Box<SqlReader>,
        poll: Duration,
    },
    Folder {
        reader: Box<FolderReader>,
        rescan: Duration,
    },
}

impl Reader {
    /// `None` for a source that is not read but calls.
    pub(super) fn new(source: &Source, order: Order) -> Result<Option<Self>, SourceError> {
        Ok(Some(match source {
            Source::Sql(source) => Self::sql(source),
            Source::Folder(source) => Self::Folder {
                reader: Box::new(FolderReader::new(source.clone())?.in_order(order)),
                rescan: source.rescan.get(),
            },
            Source::Push(_) => return Ok(None),
        }))
    }

    /// One that takes every file as finished.
    pub(super) fn at_once(source: &Source) -> Result<Option<Self>, SourceError> {
        Ok(Some(match source {
            Source::Sql(source) => Self::sql(source),
            Source::Folder(source) => Self::Folder {
                reader: Box::new(FolderReader::at_once(source.clone())?),
                rescan: source.rescan.get(),
            },
            Source::Push(_) => return Ok(None),
        }))
    }

    fn sql(source: &crate::config::SqlSource) -> Self {
        Self::Sql {
            reader: Box::new(SqlReader::new(source.clone())),
            poll: source.poll.get(),
        }
    }

    pub(super) async fn page(&mut self, stored: Option<&str>) -> Result<Page, SourceError> {
        match self {
            Self::Sql { reader, .. } => reader.page(stored).await,
            Self::Folder { reader, .. } => reader.page(stored).await,
        }
    }

    /// Waits until it is worth looking again.
    pub(super) async fn wait(&mut self, hint: Option<Duration>) {
        match self {
            Self::Sql { poll, .. } => tokio::time::sleep(hint.unwrap_or(*poll)).await,
            Self::Folder { reader, rescan } => {
                reader.wait(hint.unwrap_or(*rescan).min(*rescan)).await
            }
        }
    }

    pub(super) fn bad_files(&self) -> Vec<BadFile> {
        match self {
            Self::Sql { .. } => Vec::new(),
            Self::Folder { reader, .. } => reader.bad_files(),
        }
    }

    /// Whether it may be used after a failure. A reader of a database may count rows of a lost page as known; one of a
    /// folder fails only where it has no rows in hand, and remembers what files looked like.
    pub(super) fn survives_failure(&self) -> bool {
        matches!(self, Self::Folder { .. })
    }

    /// Whether a row's location names one row for good.
    pub(super) fn has_lines(&self) -> bool {
        matches!(self, Self::Folder { .. })
    }
}
