//! Long actions: what is under way, how far it is and how it ended, in rows that can be read from elsewhere. Whoever began
//! one may go away and find it again. A job changes what it does by whole transactions: one that is cut short leaves nothing
//! half done.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use sqlx::{PgPool, PgTransaction};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::audit::Actor;
use crate::codes::codes;
use crate::store::{job as store, tx};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JobKind)]
pub enum Kind {
    /// All persons anew.
    Relink,
    /// Weights, from what the hub holds.
    Train,
    /// All figures anew.
    Recount,
    /// A large file that a person asked for.
    Export,
}

/// What jobs are about. Of one lane no two are under way at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    Persons,
    Figures,
    /// Files of one account.
    ExportsOf(Uuid),
}

/// How often a job says how far it is while it counts.
const SAID_EVERY: Duration = Duration::from_secs(1);

codes!(Kind {
    Relink = "relink" "人员重新归并",
    Train = "train" "训练比对权重",
    Recount = "recount" "统计重算",
    Export = "export" "导出",
});

/// What a job is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JobStep)]
pub enum Step {
    /// For what is under way to end.
    Wait,
    /// Parties.
    Read,
    /// Pairs of nodes, all at once.
    Compare,
    /// Names, or cases.
    Count,
    /// Whom each office served.
    Persons,
    Train,
    /// How well the trained weights do.
    Measure,
    /// Rows.
    Write,
    /// What was written comes in place of what stood.
    Switch,
}

codes!(Step {
    Wait = "wait" "等待",
    Read = "read" "读取",
    Compare = "compare" "比对",
    Count = "count" "统计",
    Persons = "persons" "统计服务人数",
    Train = "train" "训练",
    Measure = "measure" "评估",
    Write = "write" "写入",
    Switch = "switch" "切换",
});

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    UnderWay,
    Done,
    /// It said that it failed.
    Failed,
    /// Whoever began it wanted it no more.
    Cancelled,
    /// It ended without a word: it was killed, or the database was.
    CutShort,
}

/// How a job says that it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Failed,
    Cancelled,
}

codes!(Outcome { Done = "done", Failed = "failed", Cancelled = "cancelled" });

/// A long action that somebody begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    Relink,
    Train,
    Recount,
    ExportFor(Uuid),
}

impl Begun {
    const fn kind(self) -> Kind {
        match self {
            Self::Relink => Kind::Relink,
            Self::Train => Kind::Train,
            Self::Recount => Kind::Recount,
            Self::ExportFor(_) => Kind::Export,
        }
    }

    const fn lane(self) -> Lane {
        match self {
            Self::Relink | Self::Train => Lane::Persons,
            Self::Recount => Lane::Figures,
            Self::ExportFor(account_id) => Lane::ExportsOf(account_id),
        }
    }

    const fn by(self) -> Actor {
        match self {
            Self::Relink | Self::Train | Self::Recount => Actor::Operator,
            Self::ExportFor(account_id) => Actor::Account(account_id),
        }
    }
}

impl JobState {
    /// `held`: whether somebody still does it.
    pub const fn of(outcome: Option<Outcome>, held: bool) -> Self {
        match outcome {
            Some(Outcome::Done) => Self::Done,
            Some(Outcome::Failed) => Self::Failed,
            Some(Outcome::Cancelled) => Self::Cancelled,
            None if held => Self::UnderWay,
            None => Self::CutShort,
        }
    }

    /// The form in which it is shown.
    pub const fn text(self) -> &'static str {
        match self {
            Self::UnderWay => "under way",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::CutShort => "cut short",
        }
    }

    pub const fn label_zh(self) -> &'static str {
        match self {
            Self::UnderWay => "进行中",
            Self::Done => "已完成",
            Self::Failed => "失败",
            Self::Cancelled => "已取消",
            Self::CutShort => "中断",
        }
    }
}

/// A job as it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Job {
    pub job_id: Uuid,
    pub kind: Kind,
    pub state: JobState,
    pub step: Step,
    /// Of the step.
    pub done: u64,
    /// 0 where it is not known.
    pub total: u64,
    /// As the audit log names whoever did it.
    pub started_by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// When it last said how far it is.
    #[serde(with = "time::serde::rfc3339")]
    pub reported_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub ended_at: Option<OffsetDateTime>,
    /// Its figures, when it is done.
    pub result: Option<Value>,
}

/// A job under way.
#[derive(Debug)]
pub struct UnderWay {
    pool: PgPool,
    job_id: Uuid,
    /// Held until the job ends, however it ends.
    held: PgTransaction<'static>,
}

impl UnderWay {
    /// Begins a job; `None` while another one of its lane is under way.
    pub async fn begin(pool: &PgPool, begun: Begun) -> Result<Option<Self>, sqlx::Error> {
        let mut held = tx::begin(pool).await?;
        if !store::enter(&mut held, begun.lane()).await? {
            return Ok(None);
        }
        let job_id = Uuid::now_v7();
        store::hold(&mut held, job_id).await?;
        store::begin(pool, job_id, begun.kind(), &begun.by().code()).await?;
        Ok(Some(Self {
            pool: pool.clone(),
            job_id,
            held,
        }))
    }

    /// By what it is found again.
    pub const fn job_id(&self) -> Uuid {
        self.job_id
    }

    /// Says how far it is.
    pub async fn at(&self, step: Step, done: u64, total: u64) -> Result<(), sqlx::Error> {
        store::report(&self.pool, self.job_id, step, done, total).await
    }

    /// Does `work`, and says every second how far `done` is.
    pub async fn while_counting<T, E: From<sqlx::Error>>(
        &self,
        step: Step,
        done: &AtomicU64,
        total: u64,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let mut work = pin!(work);
        let mut again = tokio::time::interval(SAID_EVERY);
        loop {
            tokio::select! {
                worked = &mut work => return worked,
                _ = again.tick() => self.at(step, done.load(Ordering::Relaxed), total).await?,
            }
        }
    }

    /// Says how it ended. A job that did what it was for has done so, even where that can no longer be written down.
    pub async fn end<T: Serialize, E>(self, done: &Result<T, E>) {
        match done {
            Ok(done) => self.end_as(Outcome::Done, Some(figures(done))).await,
            Err(_) => self.end_as(Outcome::Failed, None).await,
        }
    }

    /// The same of one that nobody wants any more.
    pub async fn cancel(self) {
        self.end_as(Outcome::Cancelled, None).await;
    }

    /// Says so in the very transaction that holds the lane, so that whoever sees the end can begin the next job. Where that
    /// connection was lost, the lane is free and the end is still to be told.
    async fn end_as(mut self, outcome: Outcome, result: Option<Value>) {
        let (job_id, result) = (self.job_id, result.as_ref());
        let ended = async {
            store::end(&mut *self.held, job_id, outcome, result).await?;
            self.held.commit().await
        };
        if ended.await.is_ok() {
            return;
        }
        if let Err(error) = store::end(&self.pool, job_id, outcome, result).await {
            let error = tx::describe(&error);
            tracing::warn!(error, "the end of a job was not written down");
        }
    }
}

fn figures<T: Serialize>(done: &T) -> Value {
    serde_json::to_value(done).expect("figures are numbers and names")
}
