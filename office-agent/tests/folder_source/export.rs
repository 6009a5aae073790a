//! A folder of exports in the making, and a reader with what the outbox keeps for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use encoding_rs::GB18030;
use office_agent::config::FolderSource;
use office_agent::source::folder::FolderReader;
use office_agent::source::row::{Found, Row};

pub(crate) struct Export {
    pub(crate) folder: tempfile::TempDir,
    rest: &'static str,
}

impl Export {
    pub(crate) fn csv() -> Self {
        Self::new("pattern = '*.csv'\n")
    }

    pub(crate) fn xlsx() -> Self {
        Self::new(
            "pattern = '*.xlsx'\nsheet = '案件'\n[children.parties]\nsheet = '当事人'\nparent_key = '案件编号'\n",
        )
    }

    pub(crate) fn new(rest: &'static str) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            rest,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("written");
    }

    pub(crate) fn source(&self) -> FolderSource {
        let path = self.folder.path().display();
        let text = format!(
            "name = 'export'\nmapping = 'm.toml'\npath = '{path}'\nrescan = '10ms'\n{}",
            self.rest
        );
        toml::from_str(&text).expect("a source")
    }

    pub(crate) fn reader(&self) -> Office {
        Office {
            reader: FolderReader::new(self.source()).expect("a pattern"),
            cursor: None,
        }
    }
}

/// A reader with what the outbox keeps for it.
pub(crate) struct Office {
    pub(crate) reader: FolderReader,
    pub(crate) cursor: Option<String>,
}

impl Office {
    /// Looks, waits until files have settled, reads until nothing waits.
    pub(crate) async fn read(&mut self) -> Vec<Found> {
        let mut all = Vec::new();
        loop {
            let page = self
                .reader
                .page(self.cursor.as_deref())
                .await
                .expect("a page");
            all.extend(page.found);
            self.cursor = page.cursor.or(self.cursor.take());
            match (page.more, page.wait) {
                (true, _) => {}
                (false, Some(wait)) => tokio::time::sleep(wait).await,
                (false, None) => return all,
            }
        }
    }

    pub(crate) fn bad(&self) -> Vec<String> {
        self.reader
            .bad_files()
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}

pub(crate) fn rows(found: Vec<Found>) -> Vec<Row> {
    let row = |found| match found {
        Found::Row(row) => row,
        Found::Malformed { location, .. } => panic!("{location} is no row"),
    };
    found.into_iter().map(row).collect()
}

pub(crate) fn table(found: Vec<Found>) -> Vec<Vec<Option<String>>> {
    rows(found).into_iter().map(|row| row.cells).collect()
}

pub(crate) fn text(cells: &[&str]) -> Vec<Option<String>> {
    cells
        .iter()
        .map(|cell| (!cell.is_empty()).then(|| (*cell).to_owned()))
        .collect()
}

pub(crate) fn gb18030(text: &str) -> Vec<u8> {
    GB18030.encode(text).0.into_owned()
}

/// Gives a file another time of change, as a copy has.
pub(crate) fn touch(path: &Path, ahead: u64) {
    let file = fs::File::options().write(true).open(path).expect("open");
    file.set_modified(SystemTime::now() + Duration::from_secs(ahead))
        .expect("set");
}
