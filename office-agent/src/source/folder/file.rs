//! Reading one file by hand.

use std::fmt;
use std::path::{Path, PathBuf};

use tokio::sync::mpsc::Receiver;
use tokio::task::spawn_blocking;

use super::bad::{BadFile, Why};
use super::examine::{Kind, examine};
use super::rows::{Batch, read};
use crate::config::FolderSource;
use crate::source::row::Found;

/// Rows of one file.
pub struct FileRows {
    batches: Receiver<Result<Batch, BadFile>>,
    notes: Vec<String>,
}

impl fmt::Debug for FileRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileRows").finish_non_exhaustive()
    }
}

impl FileRows {
    pub(in crate::source) async fn open(
        path: &Path,
        source: &FolderSource,
    ) -> Result<Self, BadFile> {
        let path: PathBuf = path.to_owned();
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        let kind = Kind::of(&name).ok_or_else(|| BadFile::new(&name, Why::Kind))?;
        let (encoding, at, file) = (source.encoding, path.clone(), name.clone());
        let examined = spawn_blocking(move || examine(kind, encoding, &at, &file)).await;
        let (_, format) = examined.unwrap_or_else(|_| Err(BadFile::new(&name, Why::CutShort)))?;
        Ok(Self {
            batches: read(path, name, format, source, 0),
            notes: Vec::new(),
        })
    }

    /// The next rows; `None` after the last.
    ///
    /// # Errors
    /// When the file is bad from here on.
    pub async fn next(&mut self) -> Result<Option<Vec<Found>>, BadFile> {
        let Some(batch) = self.batches.recv().await.transpose()? else {
            return Ok(None);
        };
        self.notes.extend(batch.notes);
        Ok(Some(batch.found))
    }

    /// What the office should know beside the rows.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}
