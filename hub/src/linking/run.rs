//! Long actions of an operator. One is under way at a time; each says how far it is, to whoever began it and in a row
//! that can be read from elsewhere. What it changes is one transaction: a run that is cut short changes nothing.

use std::num::NonZeroUsize;
use std::thread;

use serde::Serialize;
use serde_json::Value;
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use super::LinkingError;
use crate::store::linking::run as store;
use crate::store::tx;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// All persons anew.
    Relink,
    /// Weights, from what the hub holds.
    Train,
}

impl Kind {
    /// The form in which it is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Relink => "relink",
            Self::Train => "train",
        }
    }
}

/// What a run is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// For linking under way to end.
    Wait,
    /// Parties.
    Read,
    /// Pairs of nodes, all at once.
    Compare,
    /// Names.
    Count,
    Train,
    /// How well the trained weights do.
    Measure,
    /// Rows.
    Write,
    /// What was written comes in place of what stood.
    Switch,
}

impl Step {
    /// The form in which it is stored and shown.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Read => "read",
            Self::Compare => "compare",
            Self::Count => "count",
            Self::Train => "train",
            Self::Measure => "measure",
            Self::Write => "write",
            Self::Switch => "switch",
        }
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub step: Step,
    /// Of the step.
    pub done: u64,
    /// 0 where it is not known.
    pub total: u64,
}

/// Where runs get their connections and whom they tell how far they are.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "it holds a function")]
pub struct Runs<'a> {
    /// One connection for as long as the run takes.
    pub long: &'a PgPool,
    /// Two more: one that holds the lock, one that reports.
    pub short: &'a PgPool,
    pub tell: &'a (dyn Fn(Progress) + Send + Sync),
}

/// A run under way.
pub(crate) struct Run<'a> {
    pub(super) long: &'a PgPool,
    short: &'a PgPool,
    tell: &'a (dyn Fn(Progress) + Send + Sync),
    run_id: Uuid,
    /// Held until the run ends, however it ends.
    lock: PgTransaction<'static>,
}

impl Runs<'_> {
    /// Does `work` while no other run is under way.
    pub(crate) async fn run<T: Serialize>(
        &self,
        kind: Kind,
        work: impl AsyncFnOnce(&Run<'_>) -> Result<T, LinkingError>,
    ) -> Result<T, LinkingError> {
        let mut lock = tx::begin(self.short).await?;
        if !store::lock(&mut lock).await? {
            return Err(LinkingError::RunUnderWay);
        }
        let run = Run {
            long: self.long,
            short: self.short,
            tell: self.tell,
            run_id: Uuid::now_v7(),
            lock,
        };
        store::begin(self.short, run.run_id, kind).await?;
        let done = work(&run).await;
        let result = done.as_ref().ok().map(figures);
        // A run that did what it was for has done so, even where that can no longer be written down.
        let written = store::end(self.short, run.run_id, result.as_ref()).await;
        if let Err(error) = written {
            tracing::warn!(
                error = crate::store::tx::describe(&error),
                "the end of a run was not written down"
            );
        }
        run.lock.rollback().await.ok();
        done
    }
}

impl Run<'_> {
    /// Where its one long transaction begins.
    pub(crate) fn pool(&self) -> &PgPool {
        self.long
    }

    /// Says how far it is.
    pub(super) async fn at(&self, step: Step, done: u64, total: u64) -> Result<(), LinkingError> {
        (self.tell)(Progress { step, done, total });
        store::report(self.short, self.run_id, step, done, total).await?;
        Ok(())
    }
}

fn figures<T: Serialize>(done: &T) -> Value {
    serde_json::to_value(done).expect("figures are numbers and names")
}

/// One thread for each processor.
pub(super) fn workers() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
