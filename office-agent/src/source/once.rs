//! Reading without keeping a cursor: `map --dry-run` reads a source, `import` a file.

use std::path::Path;

use super::SourceError;
use super::folder::{BadFile, FileRows};
use super::reader::Reader;
use super::row::Found;
use crate::config::{FolderSource, Source};

/// Everything in a source, page by page.
#[derive(Debug)]
pub struct ReadAll {
    reader: Option<Reader>,
    cursor: Option<String>,
    left: u64,
    bad_files: Vec<BadFile>,
    notes: Vec<String>,
}

/// Reads all rows of a source, or so many of the first; files are taken as finished. A push source has none.
///
/// # Errors
/// When the configuration of the source cannot be meant.
pub fn read_all(source: &Source, limit: Option<u64>) -> Result<ReadAll, SourceError> {
    Ok(ReadAll {
        reader: Reader::at_once(source)?,
        cursor: None,
        left: limit.unwrap_or(u64::MAX),
        bad_files: Vec::new(),
        notes: Vec::new(),
    })
}

impl ReadAll {
    /// The next rows; `None` after the last.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub async fn next(&mut self) -> Result<Option<Vec<Found>>, SourceError> {
        while self.left > 0
            && let Some(mut reader) = self.reader.take()
        {
            let page = reader.page(self.cursor.as_deref()).await?;
            self.cursor = page.cursor.or(self.cursor.take());
            self.bad_files = reader.bad_files();
            self.notes = page.notes;
            self.reader = page.more.then_some(reader);
            let mut found = page.found;
            found.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.left -= found.len() as u64;
            if !found.is_empty() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Files that could not be read.
    #[must_use]
    pub fn bad_files(&self) -> &[BadFile] {
        &self.bad_files
    }

    /// What the office should know beside the rows.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// Reads one CSV or XLSX file, wherever it lies, as a folder source would.
///
/// # Errors
/// When it is neither, or cannot be read.
pub async fn import_file(path: &Path, source: &FolderSource) -> Result<FileRows, BadFile> {
    FileRows::open(path, source).await
}
