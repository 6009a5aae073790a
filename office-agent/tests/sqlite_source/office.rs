//! An office's SQLite database, and what the outbox keeps of it.

use std::collections::BTreeMap;

use office_agent::config::SqlSource;
use office_agent::source::Page;
use office_agent::source::row::{Found, Row};
use office_agent::source::sql::SqlReader;
use rusqlite::Connection;

const SCHEMA: &str = "CREATE TABLE gz_case (id TEXT PRIMARY KEY, title TEXT, updated_at TEXT);
    CREATE TABLE gz_party (case_id TEXT, no INTEGER, name TEXT);";

pub(crate) struct Office {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) db: Connection,
}

impl Office {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Connection::open(folder.path().join("cases.db")).expect("a database");
        db.execute_batch(SCHEMA).expect("tables");
        Self { folder, db }
    }

    pub(crate) fn path(&self) -> String {
        self.folder.path().join("cases.db").display().to_string()
    }

    pub(crate) fn source(&self, page_rows: u16, rest: &str) -> SqlSource {
        let text = format!(
            "name = 'cases'\nmapping = 'm.toml'\nurl = 'sqlite:{}'\npage_rows = {page_rows}\n{rest}",
            self.path()
        );
        toml::from_str(&text).expect("a source")
    }

    pub(crate) fn cases(&self, page_rows: u16) -> SqlSource {
        self.source(page_rows, CASES)
    }

    pub(crate) fn put(&self, id: &str, title: &str, updated_at: Option<&str>) {
        let sql = "INSERT OR REPLACE INTO gz_case VALUES (?, ?, ?)";
        self.db
            .execute(sql, (id, title, updated_at))
            .expect("written");
    }
}

pub(crate) const CASES: &str =
    "query = 'SELECT * FROM gz_case'\nwatermark = 'updated_at'\nkey = 'id'\n";

/// What the outbox knows: the last content by key, and the cursor.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) rows: BTreeMap<String, String>,
    pub(crate) cursor: Option<String>,
    pub(crate) read: usize,
}

impl Kept {
    pub(crate) fn take(&mut self, page: Page) -> bool {
        for found in page.found {
            let row = row(found);
            let title = row.get("title").unwrap_or_default().to_owned();
            self.rows
                .insert(row.get("id").expect("a key").to_owned(), title);
            self.read += 1;
        }
        self.cursor = page.cursor.or(self.cursor.take());
        page.more
    }

    /// Reads until nothing waits.
    pub(crate) async fn catch_up(&mut self, reader: &mut SqlReader) {
        while self.take(reader.page(self.cursor.as_deref()).await.expect("a page")) {}
    }
}

pub(crate) fn row(found: Found) -> Row {
    match found {
        Found::Row(row) => row,
        Found::Malformed { location, .. } => panic!("{location} is no row"),
    }
}
