//! How the sources stand, for `office-agent status`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::sync::watch;

use super::folder::BadFile;
use crate::config::SourceName;

/// What a source does now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// Has not read anything yet.
    #[default]
    Starting,
    /// More waits to be read.
    Reading,
    /// Everything is read; looks again from time to time.
    Waiting,
    /// Cannot read; tries again by itself.
    Failing,
}

/// How one source stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    /// What it does.
    pub doing: Doing,
    /// When it last read without a failure, seconds since 1970.
    pub last_read_at: Option<i64>,
    /// Rows and malformed lines read since the agent began.
    pub rows: u64,
    /// What keeps it from being read now.
    pub problem: Option<String>,
    /// What the office should know although the rest is read.
    pub notes: Vec<String>,
    /// Files that cannot be read as they are.
    pub bad_files: Vec<BadFile>,
    /// Cases found to differ from what was sent, under a lower revision, since the agent began or the source was last
    /// begun anew; none is sent.
    #[serde(default)]
    pub behind: u64,
}

/// How all sources stand. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct SourceStates(Arc<watch::Sender<BTreeMap<SourceName, SourceState>>>);

impl SourceStates {
    /// How they stand now.
    #[must_use]
    pub fn all(&self) -> BTreeMap<SourceName, SourceState> {
        self.0.borrow().clone()
    }

    /// How one stands now.
    #[must_use]
    pub fn of(&self, source: &SourceName) -> SourceState {
        self.0.borrow().get(source).cloned().unwrap_or_default()
    }

    /// Waits until one stands as wanted, and returns how.
    pub async fn wait_for(
        &self,
        source: &SourceName,
        mut wanted: impl FnMut(&SourceState) -> bool,
    ) -> SourceState {
        let mut changes = self.0.subscribe();
        loop {
            let state = changes.borrow_and_update().get(source).cloned();
            if let Some(state) = state.filter(|state| wanted(state)) {
                return state;
            }
            if changes.changed().await.is_err() {
                // Not while we hold a clone of the sender.
                return self.of(source);
            }
        }
    }

    /// Takes in a page; returns the problem that is over with it.
    pub(super) fn read(
        &self,
        source: &SourceName,
        rows: u64,
        more: bool,
        told: Told,
    ) -> Option<String> {
        let mut over = None;
        self.change(source, |state| {
            state.doing = if more { Doing::Reading } else { Doing::Waiting };
            state.last_read_at = Some(OffsetDateTime::now_utc().unix_timestamp());
            state.rows += rows;
            state.notes = told.notes;
            state.bad_files = told.bad_files;
            over = state.problem.take();
        });
        over
    }

    /// Takes in how many cases of a page are behind what was sent; says whether they are the first.
    pub(super) fn behind(&self, source: &SourceName, cases: u64) -> bool {
        let mut is_first = false;
        self.change(source, |state| {
            is_first = state.behind == 0 && cases > 0;
            state.behind += cases;
        });
        is_first
    }

    /// The source is read from its beginning: what is still behind is found again.
    pub(super) fn begins_again(&self, source: &SourceName) {
        self.change(source, |state| state.behind = 0);
    }

    /// Takes in a failure; says whether it is another one than before.
    pub(super) fn failed(&self, source: &SourceName, problem: &str) -> bool {
        let mut is_new = false;
        self.change(source, |state| {
            state.doing = Doing::Failing;
            is_new = state.problem.replace(problem.to_owned()).as_deref() != Some(problem);
        });
        is_new
    }

    fn change(&self, source: &SourceName, change: impl FnOnce(&mut SourceState)) {
        self.0
            .send_modify(|states| change(states.entry(source.clone()).or_default()));
    }
}

/// What a reader tells beside its rows.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) notes: Vec<String>,
    pub(super) bad_files: Vec<BadFile>,
}
