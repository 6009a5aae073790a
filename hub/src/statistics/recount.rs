//! Everything counted anew, as a job: the cells of all cases, then the persons whom offices served.

use std::sync::atomic::AtomicU64;

use serde::Serialize;
use sqlx::PgPool;

use super::calendar::Calendar;
use super::verify;
use crate::jobs::{Begun, Step, UnderWay};
use crate::store::{duplicate::replay, figures::person_month};

/// What a counting came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Recounted {
    pub cells: usize,
    /// Of linkage, as it holds them.
    pub persons: i64,
}

/// Counts everything anew; `None` while that is under way already.
pub async fn recount(pool: &PgPool, calendar: &Calendar) -> Result<Option<Recounted>, sqlx::Error> {
    let Some(job) = UnderWay::begin(pool, Begun::Recount).await? else {
        return Ok(None);
    };
    let recounted = recount_as(&job, pool, calendar).await;
    job.end(&recounted).await;
    recounted.map(Some)
}

async fn recount_as(
    job: &UnderWay,
    pool: &PgPool,
    calendar: &Calendar,
) -> Result<Recounted, sqlx::Error> {
    let cases = replay::count(&mut *pool.acquire().await?).await?;
    let done = AtomicU64::default();
    let counting = verify::rebuild(pool, calendar, &done);
    let cells = job
        .while_counting(Step::Count, &done, cases.unsigned_abs(), counting)
        .await?;
    job.at(Step::Persons, 0, 0).await?;
    let persons = person_month::recount(pool).await?;
    Ok(Recounted { cells, persons })
}
