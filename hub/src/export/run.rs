//! Makes one file as a job: reads what is in it, writes it down in parts, and stops when nobody wants it any more.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use serde::Serialize;
use sqlx::PgPool;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::desk::Refusal;
use super::subject::{Known, MOST, ReadError, Subject};
use super::{FileForm, WriteError, written};
use crate::identity::Person;
use crate::jobs::{Step, UnderWay};
use crate::store::job::export as store;
use crate::store::tx;

/// Bytes of a part: what a download holds in memory at a time.
const PART: usize = 512 * 1024;
/// Bytes of a file, above what as many rows as there may be come to.
const MOST_BYTES: usize = 128 << 20;
/// How often whoever makes a file looks whether it is still wanted.
const LOOKED_EVERY: Duration = Duration::from_secs(1);

/// A file that is to be made.
pub(super) struct Making {
    pub(super) pool: PgPool,
    pub(super) known: Known,
    pub(super) by: Person,
    pub(super) subject: Subject,
    pub(super) form: FileForm,
    pub(super) job: UnderWay,
    /// Among those that this hub makes at once.
    pub(super) place: OwnedSemaphorePermit,
}

/// What came of it.
#[derive(Serialize)]
struct Made {
    rows: usize,
    bytes: usize,
}

#[derive(Debug, thiserror::Error)]
enum MakeError {
    #[error("the file would be too large")]
    TooLarge,
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{}", tx::describe(.0))]
    Database(#[from] sqlx::Error),
}

impl From<ReadError> for MakeError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::TooLarge => Self::TooLarge,
            ReadError::Database(error) => Self::Database(error),
        }
    }
}

/// Makes it, and says how that ended.
pub(super) async fn run(making: Making) {
    let export_id = making.job.job_id();
    let made = tokio::select! {
        made = make(&making) => Some(made),
        () = cancelled(&making.pool, export_id) => None,
    };
    // Whoever sees the end can begin the next one.
    drop(making.place);
    let Some(made) = made else {
        return making.job.cancel().await;
    };
    if let Err(error) = &made {
        tracing::warn!(%export_id, %error, "a file was not made");
        if matches!(error, MakeError::TooLarge) {
            // The job says that it failed; why is told where it can be.
            let _ = store::refuse(&making.pool, export_id, Refusal::TooLarge).await;
        }
    }
    making.job.end(&made).await;
}

async fn make(making: &Making) -> Result<Made, MakeError> {
    let Making {
        pool, job, subject, ..
    } = making;
    let mut moment = making.by.scope().read(pool).await?;
    tx::take_minutes(&mut moment).await?;
    let total = subject.total(&mut moment).await?;
    let done = AtomicU64::default();
    let reading = subject.read(&mut moment, &making.known, MOST, &done);
    let page = job
        .while_counting(Step::Read, &done, total, reading)
        .await?;
    drop(moment);
    let rows = page.sheet.rows.len();
    job.at(Step::Write, 0, 0).await?;
    let file = written(making.form, vec![page]).await?;
    if file.len() > MOST_BYTES {
        return Err(MakeError::TooLarge);
    }
    let parts = file.chunks(PART);
    let total = parts.len() as u64;
    for (ordinal, part) in (0..).zip(parts) {
        store::append(pool, job.job_id(), ordinal, part).await?;
        job.at(Step::Write, u64::from(ordinal.unsigned_abs()) + 1, total)
            .await?;
    }
    store::complete(pool, job.job_id(), file.len()).await?;
    let bytes = file.len();
    Ok(Made { rows, bytes })
}

/// Ends when whoever asked for the file has removed it. A database that does not answer says nothing.
async fn cancelled(pool: &PgPool, export_id: Uuid) {
    let mut again = tokio::time::interval(LOOKED_EVERY);
    loop {
        again.tick().await;
        if store::is_cancelled(pool, export_id).await.unwrap_or(false) {
            return;
        }
    }
}
