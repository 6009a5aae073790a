//! Being told of changes in a folder. Events are a hint: network shares lose them, so the folder is looked at from time
//! to time all the same.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

/// How long events are gathered.
const PIECES: Duration = Duration::from_millis(200);

/// Wakes up when something in a folder changes.
#[derive(Debug)]
pub(super) struct Watch {
    folder: PathBuf,
    changed: Arc<Notify>,
    /// `None` when the folder is not there or the system has no more watches.
    watcher: Option<RecommendedWatcher>,
}

impl Watch {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            changed: Arc::new(Notify::new()),
            watcher: None,
        }
    }

    /// Waits for a change, `at_most` so long.
    pub(super) async fn wait(&mut self, at_most: Duration) {
        self.begin();
        // Past the time is as good as an event.
        if tokio::time::timeout(at_most, self.changed.notified())
            .await
            .is_ok()
        {
            // Whoever writes a file writes it in many pieces, each of them an event.
            tokio::time::sleep(PIECES.min(at_most)).await;
        }
    }

    /// A folder that went away takes its watch with it, so a look that fails ends the watch.
    pub(super) fn forget(&mut self) {
        self.watcher = None;
    }

    /// Begins to watch; called before a look, so that no change falls between look and watch.
    pub(super) fn begin(&mut self) {
        if self.watcher.is_some() {
            return;
        }
        let changed = Arc::clone(&self.changed);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading files is an event too, and it is us.
            if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
                changed.notify_one();
            }
        });
        let watching = watcher.and_then(|mut watcher| {
            watcher.watch(&self.folder, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        match watching {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(error) => {
                tracing::debug!(folder = %self.folder.display(), %error, "the folder cannot be watched")
            }
        }
    }
}
