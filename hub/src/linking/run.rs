//! Long actions of an operator about persons. One is under way at a time; each says how far it is, to whoever began it and in a row
//! that can be read from elsewhere. What it changes is one transaction: a run that is cut short changes nothing.

use std::num::NonZeroUsize;
use std::thread;

use serde::Serialize;
use sqlx::PgPool;

use super::LinkingError;
pub use crate::jobs::Step;
use crate::jobs::{Begun, UnderWay};

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
    tell: &'a (dyn Fn(Progress) + Send + Sync),
    job: UnderWay,
}

impl Runs<'_> {
    /// Does `work` while no other run is under way.
    pub(crate) async fn run<T: Serialize>(
        &self,
        begun: Begun,
        work: impl AsyncFnOnce(&Run<'_>) -> Result<T, LinkingError>,
    ) -> Result<T, LinkingError> {
        let job = UnderWay::begin(self.short, begun).await?;
        let run = Run {
            long: self.long,
            tell: self.tell,
            job: job.ok_or(LinkingError::RunUnderWay)?,
        };
        let done = work(&run).await;
        run.job.end(&done).await;
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
        Ok(self.job.at(step, done, total).await?)
    }
}

/// One thread for each processor.
pub(super) fn workers() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
