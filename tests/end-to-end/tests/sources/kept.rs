//! What the outbox would keep of a source.

use std::collections::BTreeMap;

use office_agent::config::{Source, SqlSource};
use office_agent::source::folder::FolderReader;
use office_agent::source::row::{Found, Row};
use office_agent::source::sql::SqlReader;
use office_agent::source::{Page, SourceError};

/// A reader of either kind.
pub(crate) enum Reader {
    Sql(Box<SqlReader>),
    Folder(Box<FolderReader>),
}

impl Reader {
    pub(crate) fn new(source: &Source) -> Self {
        match source {
            Source::Sql(source) => Self::Sql(Box::new(SqlReader::new(source.clone()))),
            Source::Folder(source) => Self::Folder(Box::new(
                FolderReader::new(source.clone()).expect("a pattern"),
            )),
            Source::Push(_) => panic!("a push source is not read"),
        }
    }

    async fn page(&mut self, stored: Option<&str>) -> Result<Page, SourceError> {
        match self {
            Self::Sql(reader) => reader.page(stored).await,
            Self::Folder(reader) => reader.page(stored).await,
        }
    }
}

/// Rows by key in their last form, and the cursor.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) rows: BTreeMap<String, Row>,
    pub(crate) cursor: Option<String>,
    /// Rows read so far, repeats included.
    pub(crate) read: usize,
    /// Rows without a key, and lines that are none.
    pub(crate) others: usize,
}

impl Kept {
    /// Reads one page; says whether there is more. Waits for what is known to come.
    pub(crate) async fn page(&mut self, reader: &mut Reader, key: &str) -> bool {
        let page = reader.page(self.cursor.as_deref()).await.expect("a page");
        for found in page.found {
            match found {
                Found::Row(row) => match row.get(key).map(str::to_owned) {
                    Some(key) => {
                        self.rows.insert(key, row);
                        self.read += 1;
                    }
                    None => self.others += 1,
                },
                Found::Malformed { .. } => self.others += 1,
            }
        }
        self.cursor = page.cursor.or(self.cursor.take());
        if let (false, Some(wait)) = (page.more, page.wait) {
            tokio::time::sleep(wait).await;
            return true;
        }
        page.more
    }

    /// Reads until nothing waits.
    pub(crate) async fn catch_up(&mut self, reader: &mut Reader, key: &str) {
        while self.page(reader, key).await {}
    }
}

/// A source of rows with the columns `id` and `at`.
pub(crate) fn sql_source(url: &str, query: &str, page_rows: u16, rest: &str) -> SqlSource {
    let text = format!(
        "name = 'cases'\nmapping = 'm.toml'\nurl = '{url}'\nquery = \"{query}\"\nwatermark = 'at'\nkey = 'id'\n\
         page_rows = {page_rows}\n{rest}"
    );
    toml::from_str(&text).expect("a source")
}

/// All rows of a source, in the order of reading.
pub(crate) async fn read_all(source: SqlSource) -> Result<Vec<Row>, SourceError> {
    let mut all = office_agent::source::read_all(&Source::Sql(source), None)?;
    let mut rows = Vec::new();
    while let Some(found) = all.next().await? {
        rows.extend(found.into_iter().map(|found| match found {
            Found::Row(row) => row,
            Found::Malformed { location, .. } => panic!("{location} is no row"),
        }));
    }
    Ok(rows)
}

pub(crate) fn cell<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).unwrap_or("NULL")
}
