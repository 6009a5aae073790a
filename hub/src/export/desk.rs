//! Files that are made as jobs: begun, found again, taken and removed by the one account that asked for them.
//!
//! A job reads as that person, at one moment of the database. Its file stands in the database, so that any hub of it can
//! hand it over, until it expires. Starting and each taking has one audit entry, durable before it is answered.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use utoipa::ToSchema;
use uuid::Uuid;

use super::FileForm;
use super::run::{Making, run};
use super::subject::{Known, Subject, SubjectKind};
use crate::audit::{Action, Audit, AuditError, Entry, Outcome};
use crate::codes::codes;
use crate::identity::Person;
use crate::jobs::{Begun, JobState, Step, UnderWay};
use crate::store::job::export as store;
use crate::store::tx;

/// Of a hub's connections for everything else, those that one file takes while it is made, with as many left to others.
const SHARE: usize = 4;
/// Files that an account has at a time, those under way included.
const MOST_KEPT: usize = 20;
/// How often what has expired is removed.
const SWEPT_EVERY: Duration = Duration::from_secs(60);

/// A file as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    pub export_id: Uuid,
    pub subject: SubjectKind,
    pub form: FileForm,
    /// What is in it, in Chinese.
    pub name: String,
    /// Once it is whole.
    pub bytes: Option<u64>,
    /// Why there is none.
    pub refusal: Option<Refusal>,
    pub state: JobState,
    pub step: Step,
    /// Of the step.
    pub done: u64,
    /// 0 where it is not known.
    pub total: u64,
    pub started_at: OffsetDateTime,
    /// When it goes.
    pub expires_at: OffsetDateTime,
}

/// Why a file was not made, where whoever asked can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExportRefusal)]
pub enum Refusal {
    TooLarge,
}

codes!(Refusal {
    TooLarge = "too_large" "超出一次导出的上限，请缩小范围。",
});

/// Why nothing was begun, taken or removed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Or it is somebody else's, which looks the same from outside.
    #[error("there is no such file")]
    NotFound,
    #[error("the file is not whole")]
    NotDone,
    #[error("another file is being made for this account")]
    AnotherUnderWay,
    #[error("this account has {MOST_KEPT} files; remove some, or wait until they expire")]
    TooMany,
    #[error("this hub makes as many files at once as it can")]
    Busy,
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error("export: {0}")]
    Database(#[from] sqlx::Error),
}

/// What files are made with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Exports {
    pool: PgPool,
    audit: Audit,
    known: Known,
    /// How long a file stays.
    keep: Duration,
    room: Arc<Semaphore>,
    /// Ends with the hub; what is under way then is cut short.
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Exports {
    pub fn new(
        audit: Audit,
        known: Known,
        keep: Duration,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let connections = known.pool.options().get_max_connections() as usize;
        Self {
            pool: known.pool.clone(),
            audit,
            known,
            keep,
            room: Arc::new(Semaphore::new((connections / SHARE).max(1))),
            tasks,
            stop,
        }
    }

    /// Where names come from.
    pub const fn known(&self) -> &Known {
        &self.known
    }

    /// Begins to make a file; one at a time for an account.
    pub async fn start(
        &self,
        by: &Person,
        subject: Subject,
        form: FileForm,
    ) -> Result<Export, ExportError> {
        let own = self.list(by).await?;
        if own.iter().any(|one| one.state == JobState::UnderWay) {
            return Err(ExportError::AnotherUnderWay);
        }
        if own.len() >= MOST_KEPT {
            return Err(ExportError::TooMany);
        }
        let place = Arc::clone(&self.room).try_acquire_owned();
        let place = place.map_err(|_| ExportError::Busy)?;
        // Another hub may have begun one meanwhile.
        let begun = UnderWay::begin(&self.pool, Begun::ExportFor(by.account_id)).await?;
        let job = begun.ok_or(ExportError::AnotherUnderWay)?;
        let export_id = job.job_id();
        let mut detail = subject.detail();
        detail["export"] = json!(export_id);
        detail["subject"] = subject.kind().code().into();
        detail["form"] = form.code().into();
        self.record(by, Action::StartExport, Outcome::Done, detail)
            .await?;
        let new = store::NewExport {
            export_id,
            by,
            subject: subject.kind(),
            form,
            name: &subject.name_zh(),
            kept: self.keep,
        };
        store::insert(&self.pool, &new).await?;
        let begun = self.read(by, export_id).await?;
        let making = Making {
            pool: self.pool.clone(),
            known: self.known.clone(),
            by: by.clone(),
            subject,
            form,
            job,
            place,
        };
        let stop = self.stop.clone();
        self.tasks
            .spawn(async move { stop.run_until_cancelled(run(making)).await });
        Ok(begun)
    }

    /// The files of an account, the newest first.
    pub async fn list(&self, by: &Person) -> Result<Vec<Export>, ExportError> {
        let mut reading = by.scope().read(&self.pool).await?;
        Ok(store::list(&mut reading, None).await?)
    }

    /// One of them.
    pub async fn read(&self, by: &Person, export_id: Uuid) -> Result<Export, ExportError> {
        let mut reading = by.scope().read(&self.pool).await?;
        let found = store::list(&mut reading, Some(export_id)).await?;
        found.into_iter().next().ok_or(ExportError::NotFound)
    }

    /// Stops one that is being made, or removes it.
    pub async fn remove(&self, by: &Person, export_id: Uuid) -> Result<(), ExportError> {
        match self.read(by, export_id).await?.state {
            JobState::UnderWay => store::cancel(&self.pool, export_id).await?,
            _ => store::delete(&self.pool, export_id).await?,
        }
        Ok(())
    }

    /// Records that a file is taken, before it is.
    pub async fn take(&self, by: &Person, export_id: Uuid) -> Result<Export, ExportError> {
        let detail = json!({ "export": export_id });
        let export = match self.read(by, export_id).await {
            Err(ExportError::NotFound) => {
                self.record(by, Action::DownloadExport, Outcome::NoHit, detail)
                    .await?;
                return Err(ExportError::NotFound);
            }
            read => read?,
        };
        if export.state != JobState::Done {
            return Err(ExportError::NotDone);
        }
        self.record(by, Action::DownloadExport, Outcome::Done, detail)
            .await?;
        Ok(export)
    }

    /// A part of a file, from 0; `None` behind the last one.
    pub async fn chunk(
        &self,
        by: &Person,
        export_id: Uuid,
        ordinal: i32,
    ) -> Result<Option<Vec<u8>>, sqlx::Error> {
        let mut reading = by.scope().read(&self.pool).await?;
        store::chunk(&mut reading, export_id, ordinal).await
    }

    /// Removes what has expired, again and again until `stop`.
    pub async fn sweep(self, stop: CancellationToken) {
        let mut again = tokio::time::interval(SWEPT_EVERY);
        while stop.run_until_cancelled(again.tick()).await.is_some() {
            match store::sweep(&self.pool).await {
                Ok(0) => {}
                Ok(files) => tracing::info!(files, "exported files that had expired were removed"),
                Err(error) => {
                    let error = tx::describe(&error);
                    tracing::warn!(error, "exported files that had expired were not removed");
                }
            }
        }
    }

    async fn record(
        &self,
        by: &Person,
        action: Action,
        outcome: Outcome,
        detail: serde_json::Value,
    ) -> Result<(), AuditError> {
        let entry = Entry::by(by, action, outcome, detail);
        self.audit.append(entry).await?;
        Ok(())
    }
}
