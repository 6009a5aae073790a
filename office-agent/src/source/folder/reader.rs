//! Reading a folder page by page.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::mpsc::Receiver;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::bad::{BadFile, Why};
use super::cursor::{Current, FolderCursor, Known, Print};
use super::examine::{Kind, examine};
use super::rows::{Batch, Format, read};
use super::scan::{Scanned, Seen, look, scan};
use super::stability::Looks;
use super::watch::Watch;
use crate::config::FolderSource;
use crate::source::{Page, SourceError};

/// How long a file must look the same before it is read; never longer than the time between two looks.
const SETTLE: Duration = Duration::from_secs(2);
/// Looks at a file that does not open as a workbook before the office is told.
const PATIENCE: u32 = 3;
/// Notes kept of a look at the folder; a thousand of a kind help nobody.
const MOST_NOTES: usize = 20;

/// Which of several files is read first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Order {
    /// What was exported later has the last word, and the hub hears what came before it.
    OldestFirst,
    /// For reading again: the hub has heard it all, and need not hear the past once more.
    NewestFirst,
}

/// Reads one folder source.
pub struct FolderReader {
    source: FolderSource,
    kind: Kind,
    looks: Looks,
    watch: Watch,
    order: Order,
    /// Time of the file that is read, or was last.
    told_at: Option<i64>,
    /// Finished files of the last look that are still to be read.
    queue: VecDeque<Seen>,
    open: Option<Open>,
    bad: BTreeMap<String, Bad>,
    /// Files whose names are not UTF-8.
    misnamed: Vec<String>,
    notes: BTreeMap<String, Vec<String>>,
}

/// A file that is being read.
struct Open {
    seen: Seen,
    hash: String,
    rows: u64,
    batches: Receiver<Result<Batch, BadFile>>,
}

/// A file that could not be read as it looked then.
struct Bad {
    print: Print,
    file: BadFile,
    attempts: u32,
}

impl fmt::Debug for FolderReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FolderReader")
            .field("name", &self.source.name)
            .finish_non_exhaustive()
    }
}

impl FolderReader {
    /// A reader that has not looked yet.
    ///
    /// # Errors
    /// When the pattern names neither CSV nor XLSX files.
    pub fn new(source: FolderSource) -> Result<Self, SourceError> {
        let settle = SETTLE.min(source.rescan.get());
        Self::settling(source, settle)
    }

    /// A reader that takes every file as finished: for reading once, by hand.
    pub(in crate::source) fn at_once(source: FolderSource) -> Result<Self, SourceError> {
        Self::settling(source, Duration::ZERO)
    }

    fn settling(source: FolderSource, settle: Duration) -> Result<Self, SourceError> {
        Ok(Self {
            kind: Kind::of(&source.pattern)
                .ok_or_else(|| SourceError::Pattern(source.pattern.clone()))?,
            looks: Looks::new(settle),
            watch: Watch::new(&source.path),
            source,
            order: Order::OldestFirst,
            told_at: None,
            queue: VecDeque::new(),
            open: None,
            bad: BTreeMap::new(),
            misnamed: Vec::new(),
            notes: BTreeMap::new(),
        })
    }

    /// The same, reading several files in another order.
    pub(in crate::source) fn in_order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    /// Files that cannot be read as they are.
    #[must_use]
    pub fn bad_files(&self) -> Vec<BadFile> {
        let told = self
            .bad
            .values()
            .filter(|bad| !bad.file.passing || bad.attempts >= PATIENCE);
        let misnamed = self.misnamed.iter();
        let misnamed = misnamed.map(|name| BadFile::new(name, Why::NotUtf8Name));
        misnamed.chain(told.map(|bad| bad.file.clone())).collect()
    }

    /// Waits until the folder changes, `at_most` so long.
    pub async fn wait(&mut self, at_most: Duration) {
        self.watch.wait(at_most).await;
    }

    /// Reads the next page after `stored`, the cursor that the last page came with; a page without one leaves it as it
    /// is. Whoever could not keep a page's rows must not go on with this reader.
    ///
    /// # Errors
    /// When the folder cannot be read. A bad file is no error: see [`FolderReader::bad_files`].
    pub async fn page(&mut self, stored: Option<&str>) -> Result<Page, SourceError> {
        let mut cursor = FolderCursor::restore(stored);
        let mut looked = None;
        loop {
            if let Some(open) = self.open.take() {
                if let Some(found) = self.go_on(open, &mut cursor).await {
                    return Ok(self.page_of(found, Some(&cursor), None));
                }
                continue;
            }
            // One look a call: what could not be read a moment ago is not tried again before somebody has waited.
            if self.queue.is_empty() && looked.is_none() {
                looked = Some(self.look(&mut cursor).await?);
            }
            if self.queue.is_empty() {
                let wait = looked.flatten().or_else(|| self.patience());
                let changed = FolderCursor::restore(stored) != cursor;
                let mut page = self.page_of(Vec::new(), changed.then_some(&cursor), wait);
                page.more = false;
                return Ok(page);
            }
            while let Some(seen) = self.queue.pop_front() {
                if self.begin(seen, &mut cursor).await {
                    break;
                }
            }
        }
    }

    fn page_of(
        &self,
        found: Vec<crate::source::row::Found>,
        cursor: Option<&FolderCursor>,
        wait: Option<Duration>,
    ) -> Page {
        Page {
            found,
            cursor: cursor.map(FolderCursor::to_text),
            told_at: self.told_at,
            more: true,
            wait,
            notes: self
                .notes
                .values()
                .flatten()
                .take(MOST_NOTES)
                .cloned()
                .collect(),
        }
    }

    /// Looks which files are finished and not known. Returns how long to wait for the others.
    async fn look(&mut self, cursor: &mut FolderCursor) -> Result<Option<Duration>, SourceError> {
        self.watch.begin();
        let (folder, pattern) = (self.source.path.clone(), self.source.pattern.clone());
        let scanned = spawn_blocking(move || scan(&folder, &pattern)).await;
        let Scanned {
            files,
            misnamed,
            others,
        } = scanned
            .map_err(|_| SourceError::CutShort)?
            .map_err(|source| {
                self.watch.forget();
                SourceError::Folder {
                    path: self.source.path.clone(),
                    source,
                }
            })?;
        let there: HashSet<String> = files.iter().map(|file| file.name.clone()).collect();
        let now = OffsetDateTime::now_utc().unix_timestamp();
        cursor.see(|name| there.contains(name), now);
        self.bad.retain(|name, _| there.contains(name));
        self.notes.retain(|name, _| there.contains(name));
        self.misnamed = misnamed;
        if there.is_empty() && others > 0 {
            let pattern = &self.source.pattern;
            let note = format!(
                "目录中有 {others} 个文件，没有一个符合 pattern「{pattern}」 ({others} files, and none matches the pattern)"
            );
            self.notes.insert(String::new(), vec![note]);
        }
        let (mut finished, wait) = self.looks.look(files, Instant::now());
        if self.order == Order::NewestFirst {
            finished.reverse();
        }
        for file in finished {
            let known = cursor
                .files
                .get(&file.name)
                .is_some_and(|known| known.print == file.print);
            let is_bad = (self.bad.get(&file.name))
                .is_some_and(|bad| bad.print == file.print && !bad.file.passing);
            if !known && !is_bad {
                self.queue.push_back(file);
            }
        }
        Ok(wait)
    }

    /// How soon to try again what may have been a moment's trouble.
    fn patience(&self) -> Option<Duration> {
        let young = self
            .bad
            .values()
            .any(|bad| bad.file.passing && bad.attempts < PATIENCE);
        young.then(|| SETTLE.min(self.source.rescan.get()))
    }

    /// Opens a file, unless only its time has changed or it is bad. Returns whether it is open.
    async fn begin(&mut self, seen: Seen, cursor: &mut FolderCursor) -> bool {
        let (hash, format) = match self.examine(&seen).await {
            Ok(examined) => examined,
            Err(bad) => {
                self.give_up(&seen, bad);
                return false;
            }
        };
        if let Some(known) = cursor.files.get_mut(&seen.name)
            && known.hash == hash
        {
            known.print = seen.print;
            return false;
        }
        // What replaces a file is not older than what it replaces, whatever the clock that wrote it says.
        let before = (cursor.files.get(&seen.name)).map_or(i64::MIN, |known| known.print.changed);
        self.told_at = Some(seen.print.changed.max(before));
        let current = cursor.current.take();
        let rows = current
            .filter(|current| current.file == seen.name && current.known.hash == hash)
            .map_or(0, |current| current.rows);
        self.notes.remove(&seen.name);
        let batches = read(
            seen.path.clone(),
            seen.name.clone(),
            format,
            &self.source,
            rows,
        );
        self.open = Some(Open {
            seen,
            hash,
            rows,
            batches,
        });
        true
    }

    async fn examine(&self, seen: &Seen) -> Result<(String, Format), BadFile> {
        let (kind, encoding, seen) = (self.kind, self.source.encoding, seen.clone());
        let name = seen.name.clone();
        let examined =
            spawn_blocking(move || examine(kind, encoding, &seen.path, &seen.name)).await;
        examined.unwrap_or_else(|_| Err(BadFile::new(&name, Why::CutShort)))
    }

    /// The next rows of an open file; `None` when there are none because the file is bad.
    async fn go_on(
        &mut self,
        mut open: Open,
        cursor: &mut FolderCursor,
    ) -> Option<Vec<crate::source::row::Found>> {
        match open.batches.recv().await {
            Some(Ok(batch)) => {
                open.rows += batch.found.len() as u64;
                cursor.current = Some(open.current());
                self.notes
                    .entry(open.seen.name.clone())
                    .or_default()
                    .extend(batch.notes);
                self.open = Some(open);
                Some(batch.found)
            }
            Some(Err(bad)) => {
                cursor.current = None;
                self.give_up(&open.seen, bad);
                None
            }
            None => {
                cursor.current = None;
                // A file that changed while it was read is read again when it has settled.
                if look(&open.seen.path).is_ok_and(|print| print == Some(open.seen.print)) {
                    cursor.files.insert(open.seen.name.clone(), open.known());
                }
                self.bad.remove(&open.seen.name);
                Some(Vec::new())
            }
        }
    }

    fn give_up(&mut self, seen: &Seen, file: BadFile) {
        let before = self
            .bad
            .get(&seen.name)
            .filter(|bad| bad.print == seen.print);
        let attempts = before.map_or(0, |bad| bad.attempts) + 1;
        let print = seen.print;
        self.bad.insert(
            seen.name.clone(),
            Bad {
                print,
                file,
                attempts,
            },
        );
    }
}

impl Open {
    fn known(&self) -> Known {
        Known {
            print: self.seen.print,
            hash: self.hash.clone(),
            gone_since: None,
        }
    }

    fn current(&self) -> Current {
        Current {
            file: self.seen.name.clone(),
            known: self.known(),
            rows: self.rows,
        }
    }
}
