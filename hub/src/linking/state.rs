//! How person linkage stands, in figures.

use serde::Serialize;
use serde_json::Value;
use sqlx::PgPool;
use time::OffsetDateTime;

use super::LinkingError;
use super::run::Kind;
use crate::store::linking::state::{self as store, Counts};
use crate::store::linking::{model, run, work};

/// How person linkage stands.
#[derive(Clone, Debug, Serialize)]
pub struct State {
    /// Of the weights in force; none where they are those that come with the program.
    pub weights: Option<String>,
    /// Of weights that wait to be put in force.
    pub candidate: Option<String>,
    /// Whether everything was linked under the weights in force; false: relink.
    pub is_linked_under_these: bool,
    pub waiting_cases: u64,
    /// Rows of work that failed again and again; tried again daily.
    pub set_aside: u64,
    /// Age of the oldest case that waits.
    pub lag_seconds: f64,
    pub counts: Counts,
    pub relink: Option<LastRun>,
    pub train: Option<LastRun>,
}

/// The last run of a kind.
#[derive(Clone, Debug, Serialize)]
pub struct LastRun {
    pub state: RunState,
    pub step: String,
    pub done: u64,
    /// 0 where it is not known.
    pub total: u64,
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// When it last said how far it is.
    #[serde(with = "time::serde::rfc3339")]
    pub reported_at: OffsetDateTime,
    /// Its figures, when it is done.
    pub result: Option<Value>,
}

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    UnderWay,
    Done,
    /// It said that it failed, and changed nothing.
    Failed,
    /// It ended without a word, and changed nothing.
    CutShort,
}

impl RunState {
    /// The form in which it is shown.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnderWay => "under way",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::CutShort => "cut short",
        }
    }
}

/// Reads it.
pub async fn state(pool: &PgPool) -> Result<State, LinkingError> {
    let is_under_way = run::is_under_way(pool).await?;
    let waiting = work::waiting(pool).await?;
    let mut connection = pool.acquire().await?;
    let mut last = async |kind| {
        let stored = run::last(&mut connection, kind).await?;
        Ok::<_, LinkingError>(stored.map(|stored| of_run(stored, is_under_way)))
    };
    let (relink, train) = (last(Kind::Relink).await?, last(Kind::Train).await?);
    let weights = model::version(&mut connection).await?;
    let linked_under = store::linked_under(&mut connection).await?;
    Ok(State {
        is_linked_under_these: weights.is_none() || linked_under == weights,
        candidate: model::candidate(&mut connection).await?,
        weights,
        waiting_cases: waiting.cases,
        set_aside: waiting.set_aside,
        lag_seconds: waiting.lag.as_secs_f64(),
        counts: store::counts(&mut connection).await?,
        relink,
        train,
    })
}

fn of_run(stored: run::Stored, is_under_way: bool) -> LastRun {
    let state = match stored.outcome.as_deref() {
        Some("done") => RunState::Done,
        Some(_) => RunState::Failed,
        // Only the latest of all runs can be the one that holds the lock; an earlier one has not ended either way.
        None if is_under_way => RunState::UnderWay,
        None => RunState::CutShort,
    };
    LastRun {
        state,
        step: stored.step,
        done: stored.done,
        total: stored.total,
        started_at: stored.started_at,
        reported_at: stored.reported_at,
        result: stored.result,
    }
}
