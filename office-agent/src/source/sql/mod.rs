//! Databases, read page by page in the order of (watermark, key), never written.
//!
//! Rows without a watermark cannot be waited for: they are read whole when the reader starts and every ten minutes from
//! then on, and a note says how many there are. Rows without a key are not read, and a note says so.

mod cursor;
mod database;
mod keyset;
mod link;
mod mysql;
mod passes;
mod postgres;
mod sqlite;

use std::fmt;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use self::cursor::Value;
use self::link::Link;
use self::passes::Passes;
use self::sqlite::Interrupt;
use super::{Page, SourceError};
use crate::config::SqlSource;

/// One row as the database gave it.
type Cells = Vec<Option<Value>>;

/// How long one statement may take: the first page of millions of rows without an index is a long sort.
const STATEMENT_LIMIT: Duration = Duration::from_secs(300);
/// How long a connection may take to come about.
const CONNECT_LIMIT: Duration = Duration::from_secs(20);
/// How long a page may take altogether; longer than the database's own limit, for a connection that is dead.
const PAGE_LIMIT: Duration = Duration::from_secs(900);

/// Whether the configured address is one of a database that can be read; nothing is connected.
///
/// # Errors
/// Why it is none.
pub fn can_be_meant(source: &SqlSource) -> Result<(), SourceError> {
    database::kind(&source.url.reveal()?).map(|_| ())
}

/// Reads one database source. Connects when needed, and anew after every failure.
pub struct SqlReader {
    passes: Passes,
    link: Option<Link>,
}

impl fmt::Debug for SqlReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlReader")
            .field("name", &self.passes.source.name)
            .finish_non_exhaustive()
    }
}

impl SqlReader {
    /// A reader that has not connected yet.
    #[must_use]
    pub fn new(source: SqlSource) -> Self {
        Self {
            passes: Passes::new(source),
            link: None,
        }
    }

    /// Reads the next page after `stored`, the cursor that the last page came with; a page without one leaves it as it
    /// is. Whoever could not keep a page's rows must not go on with this reader: it knows them already.
    ///
    /// # Errors
    /// When the database is away or refuses; the next call connects anew.
    pub async fn page(&mut self, stored: Option<&str>) -> Result<Page, SourceError> {
        // Taken out, so that a call that fails or is dropped half-way leaves no link in an unknown state behind.
        let mut link = match self.link.take().filter(|link| !link.is_replaced()) {
            Some(link) => link,
            None => connect(self.passes.source.clone()).await?,
        };
        if let Some(interrupt) = link.interrupt() {
            return self.page_of_a_file(link, interrupt, stored).await;
        }
        let page = tokio::time::timeout(PAGE_LIMIT, self.passes.read(&mut link, stored))
            .await
            .map_err(|_| SourceError::TooSlow {
                seconds: PAGE_LIMIT.as_secs(),
            })??;
        self.link = Some(link);
        Ok(page)
    }

    /// The whole page on one thread that waits for nobody else. Between its first read and the end of its transaction
    /// an SQLite reader holds the file's shared lock, and the office's software cannot commit: no part of that time may
    /// be spent waiting for our own turn.
    async fn page_of_a_file(
        &mut self,
        mut link: Link,
        interrupt: Interrupt,
        stored: Option<&str>,
    ) -> Result<Page, SourceError> {
        let fresh = Passes::new(self.passes.source.clone());
        let mut passes = std::mem::replace(&mut self.passes, fresh);
        let stored = stored.map(str::to_owned);
        let reading = where_it_may_block(async move {
            let page = passes.read(&mut link, stored.as_deref()).await;
            (passes, link, page)
        });
        let done = tokio::time::timeout(STATEMENT_LIMIT, reading).await;
        // After its end this cuts nothing short.
        drop(interrupt);
        let (passes, link, page) = done.map_err(|_| SourceError::TooSlow {
            seconds: STATEMENT_LIMIT.as_secs(),
        })??;
        self.passes = passes;
        let page = page?;
        self.link = Some(link);
        Ok(page)
    }
}

async fn connect(source: SqlSource) -> Result<Link, SourceError> {
    let is_file = source.url.reveal()?.starts_with("sqlite:");
    let opening = async move { Link::open(&source).await };
    let opened = match is_file {
        true => tokio::time::timeout(CONNECT_LIMIT, where_it_may_block(opening)).await,
        false => tokio::time::timeout(CONNECT_LIMIT, async { Ok(opening.await) }).await,
    };
    opened.map_err(|_| SourceError::Unreachable("no answer to the connection".to_owned()))??
}

/// Drives `work`, which never waits for anything but the disk, on a thread that may block.
async fn where_it_may_block<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, SourceError> {
    let runtime = Handle::current();
    spawn_blocking(move || runtime.block_on(work))
        .await
        .map_err(|_| SourceError::CutShort)
}
