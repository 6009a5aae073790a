//! How person linkage stands, in figures.

use serde::Serialize;
use sqlx::PgPool;

use super::LinkingError;
use crate::jobs::{Job, Kind};
use crate::store::job;
use crate::store::linking::state::{self as store, Counts};
use crate::store::linking::{model, work};

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
    /// The last ones.
    pub relink: Option<Job>,
    pub train: Option<Job>,
}

/// Reads it.
pub async fn state(pool: &PgPool) -> Result<State, LinkingError> {
    let waiting = work::waiting(pool).await?;
    let mut connection = pool.acquire().await?;
    let mut last = async |kind| {
        let jobs = job::list(&mut *connection, Some(kind), None, 1).await?;
        Ok::<_, LinkingError>(jobs.into_iter().next())
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
