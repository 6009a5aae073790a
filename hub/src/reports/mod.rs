//! Period reports (月报、季报、半年报、年报): fixed tables with a text, of which a frozen issue stays for ever as it was
//! published (刊发口径), beside what the same tables come to now.
//!
//! Nothing that is published gives a few cases away, by itself or together with everything else that is published:
//! [`suppress`] leaves cells out until [`attack`] finds nothing. `docs/statistics.md` says what that covers.

pub mod attack;
pub mod column;
pub mod document;
mod draft;
pub mod period;
pub(crate) mod print;
mod share;
pub mod summary;
pub mod suppress;
pub(crate) mod workbook;
mod year;

pub use draft::{Published, draft};
pub use year::Year;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use tokio::task::{JoinError, spawn_blocking};
use uuid::Uuid;

use crate::audit::{Action, Actor, Audit, AuditError, Entry, Outcome};
use crate::identity::Person;
use crate::local_time::local_day;
use crate::review::Grounds;
use crate::store::{figures::report as store, scope, tx};
use document::Document;
use period::ReportPeriod;

/// A frozen issue, without its content.
#[derive(Clone, Debug)]
pub struct Issue {
    pub period: ReportPeriod,
    /// 1 for the first.
    pub number: i32,
    pub frozen_at: OffsetDateTime,
    pub frozen_by: Uuid,
    /// As the account was called then.
    pub frozen_by_name: Option<String>,
    /// Why it was published again.
    pub reason: Option<String>,
    /// SHA-256 of the content.
    pub digest: [u8; 32],
}

/// A report as it would be published now.
#[derive(Clone, Debug)]
pub struct Draft {
    pub document: Document,
    /// Whether its period is over, so that it may be frozen.
    pub is_over: bool,
    /// The newest first.
    pub issues: Vec<Issue>,
}

/// What is to be published.
#[derive(Clone, Debug)]
pub enum Publication {
    /// For the first time.
    First,
    /// In place of the issue that was the newest when it was read.
    InPlaceOf { number: i32, grounds: Grounds },
}

/// Why nothing was published or read.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("there is no such issue")]
    NotFound,
    #[error("the period is not over yet")]
    NotOver,
    #[error("somebody has published another issue meanwhile; read it again")]
    NotTheNewest,
    #[error("issue {number} of {period} is not what its digest says")]
    Damaged { period: ReportPeriod, number: i32 },
    #[error("put the report together: {0}")]
    Ended(#[from] JoinError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// The person, who signed in.
    Own,
    /// An operator at the hub's machine, for the person; the audit log names both.
    Operator,
}

/// Reports on somebody's behalf.
#[derive(Clone, Copy, Debug)]
pub struct Reports<'a> {
    pub pool: &'a PgPool,
    pub audit: &'a Audit,
    pub by: &'a Person,
    pub hand: Hand,
}

impl Reports<'_> {
    /// Every issue of every period, the newest period first.
    pub async fn list(&self) -> Result<Vec<Issue>, ReportError> {
        let mut reading = self.by.scope().read(self.pool).await?;
        Ok(store::issues(&mut reading, None).await?)
    }

    /// A report as known now, and what was published of it.
    pub async fn draft(&self, period: ReportPeriod) -> Result<Draft, ReportError> {
        let mut reading = self.by.scope().read(self.pool).await?;
        drafted(&mut reading, period).await
    }

    /// An issue as it was published.
    pub async fn issue(
        &self,
        period: ReportPeriod,
        number: i32,
    ) -> Result<(Issue, Document), ReportError> {
        let mut reading = self.by.scope().read(self.pool).await?;
        let found = store::content(&mut reading, period, number).await?;
        let (issue, content) = found.ok_or(ReportError::NotFound)?;
        let damaged = ReportError::Damaged { period, number };
        if document::digest(&content) != issue.digest {
            return Err(damaged);
        }
        let document = serde_json::from_str(&content).map_err(|_| damaged)?;
        Ok((issue, document))
    }

    /// Freezes a report (封账). One after another, so that each knows what all others have published; the audit entry
    /// stands before the issue does.
    pub async fn publish(
        &self,
        period: ReportPeriod,
        publication: &Publication,
    ) -> Result<(Issue, Document), ReportError> {
        let mut transaction = store::begin_publishing(self.pool).await?;
        self.by.scope().narrow(&mut transaction).await?;
        let draft = drafted(&mut transaction, period).await?;
        scope::widen(&mut transaction).await?;
        if !draft.is_over {
            return Err(ReportError::NotOver);
        }
        let newest = draft.issues.first().map(|issue| issue.number);
        let (read, reason, action) = match publication {
            Publication::First => (None, None, Action::FreezeReport),
            Publication::InPlaceOf { number, grounds } => {
                (Some(*number), Some(grounds), Action::ReissueReport)
            }
        };
        if read != newest {
            return Err(ReportError::NotTheNewest);
        }
        let content = draft.document.content();
        let new = store::NewIssue {
            period,
            number: newest.unwrap_or(0) + 1,
            frozen_at: draft.document.as_of,
            frozen_by: self.by.account_id,
            reason: reason.map(Grounds::as_str),
            digest: document::digest(&content),
            content: &content,
        };
        let issue = store::insert(&mut transaction, &new).await?;
        let detail = json!({
            "period": period.to_string(), "issue": issue.number, "digest": HEXLOWER.encode(&issue.digest),
        });
        self.audit.append(self.entry(action, detail)).await?;
        transaction.commit().await?;
        Ok((issue, draft.document))
    }

    /// Says that an issue left the hub as a file.
    pub async fn exported(
        &self,
        form: &str,
        period: ReportPeriod,
        number: i32,
    ) -> Result<(), ReportError> {
        let detail = json!({ "form": form, "period": period.to_string(), "issue": number });
        let entry = self.entry(Action::ExportReport, detail);
        self.audit.append(entry).await?;
        Ok(())
    }

    fn entry(&self, action: Action, mut detail: Value) -> Entry {
        match self.hand {
            Hand::Own => Entry::by(self.by, action, Outcome::Done, detail),
            Hand::Operator => {
                detail["for_account"] = self.by.account_id.to_string().into();
                Entry::of(Actor::Operator, action, Outcome::Done, detail)
            }
        }
    }
}

async fn drafted(moment: &mut PgConnection, period: ReportPeriod) -> Result<Draft, ReportError> {
    let as_of = tx::now(&mut *moment).await?;
    let issues = store::issues(&mut *moment, Some(period)).await?;
    let published = store::published(&mut *moment, period).await?;
    let year = Year::read(moment, period, &published).await?;
    // What may be told of so many cells takes a processor for a while, which no other request should wait for.
    let document = spawn_blocking(move || draft(period, &year, as_of, &published));
    Ok(Draft {
        document: document.await?,
        is_over: period.is_over(local_day(as_of)),
        issues,
    })
}
