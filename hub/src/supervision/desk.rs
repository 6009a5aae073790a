//! People at work on findings, and on inspections (`inspection`).
//!
//! | who | sees | does |
//! |---|---|---|
//! | supervisor | everything | notifies, verifies, returns, dismisses, reopens; inspects |
//! | notary | what the own office was notified of | reports the rectification |
//! | analyst | counts | – |
//!
//! Each page, each reading, each step and each denial has one audit entry, durable before the answer; that of a step
//! before the step itself takes effect.

use linkage::office::OfficeId;
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::FactsDigest;
use super::inspection::IllegalAct;
use super::life::{Hand, IllegalStep, Step};
use super::rule::{RuleId, Rules};
use super::taking_in::StillOpen;
use crate::audit::{Action, Audit, AuditError, Entry, Existence, Outcome};
use crate::identity::{Person, Role};
use crate::local_time::local_day;
use crate::review::Grounds;
use crate::store::feed::notice::{self, NewNotice, NoticeKind};
use crate::store::scope;
use crate::store::supervision::finding::{self, Finding, NewStep, Taken, Wanted};
use crate::store::tx::{self, Retryable, retried};

/// Why nothing was done about a finding.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// Or it is not for this person, which looks the same from outside.
    #[error("there is no such thing")]
    NotFound,
    #[error("this step is not in this person's hands")]
    NotAllowed,
    #[error(transparent)]
    Illegal(#[from] IllegalStep),
    #[error(transparent)]
    IllegalAct(#[from] IllegalAct),
    #[error("the facts changed since they were read; read them again")]
    FactsChanged,
    #[error("a rectification needs a day by which it is due, not before today")]
    DueMissing,
    #[error(
        "an inspection takes in findings of its office that are neither verified nor dismissed, each once"
    )]
    NotToTakeIn,
    #[error(transparent)]
    StillOpen(#[from] StillOpen),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error("supervision: {0}")]
    Database(#[from] sqlx::Error),
}

impl Retryable for DeskError {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_retryable())
    }
}

/// A step to be taken.
#[derive(Clone, Debug)]
pub struct TakeStep {
    pub finding_id: Uuid,
    pub step: Step,
    pub grounds: Grounds,
    /// What was read.
    pub facts: FactsDigest,
    /// By when the office is to have mended it.
    pub due_on: Option<Date>,
}

/// One person at work on findings.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    pub(crate) pool: &'a PgPool,
    pub(crate) audit: &'a Audit,
    pub(crate) by: &'a Person,
    office: Option<OfficeId>,
}

impl<'a> Desk<'a> {
    /// Refuses whoever has no part in supervision, whatever the door has let through.
    pub fn new(pool: &'a PgPool, audit: &'a Audit, by: &'a Person) -> Result<Self, DeskError> {
        let office = match by.role {
            Role::Notary(office_id) => Some(office_id),
            Role::Supervisor => None,
            Role::Analyst | Role::Operator => return Err(DeskError::NotAllowed),
        };
        Ok(Self {
            pool,
            audit,
            by,
            office,
        })
    }

    /// Whose steps this desk takes.
    pub(super) const fn hand(&self) -> Hand {
        match self.office {
            Some(_) => Hand::Office,
            None => Hand::Bureau,
        }
    }

    /// The office of a notary's desk.
    pub const fn office_id(&self) -> Option<OfficeId> {
        self.office
    }

    /// What is wanted, cut down to what this desk may see.
    pub fn own(&self, wanted: Wanted) -> Wanted {
        Wanted {
            office: self.office.or(wanted.office),
            notified_alone: self.office.is_some(),
            ..wanted
        }
    }

    /// A page of findings: up to `most`.
    pub async fn findings(&self, wanted: Wanted, most: i64) -> Result<Vec<Finding>, DeskError> {
        let wanted = self.own(wanted);
        let mut reading = self.by.scope().read(self.pool).await?;
        let findings = finding::page(&mut reading, &wanted, most).await?;
        let detail = json!({
            "office": wanted.office, "rule": wanted.rule.as_ref().map(RuleId::as_str), "state": wanted.state.map(|state| state.code()),
        });
        self.record(Action::ListFindings, Outcome::Done, detail)
            .await?;
        Ok(findings)
    }

    /// One finding with everything that was done about it.
    pub async fn finding(&self, finding_id: Uuid) -> Result<(Finding, Vec<Taken>), DeskError> {
        let mut reading = self.by.scope().read(self.pool).await?;
        let found = self
            .visible(&mut reading, finding_id, Action::ReadFinding)
            .await?;
        let steps = finding::steps(&mut reading, finding_id).await?;
        let detail =
            json!({ "finding": finding_id, "office": found.office_id, "case": found.case() });
        self.record(Action::ReadFinding, Outcome::Done, detail)
            .await?;
        Ok((found, steps))
    }

    /// Takes a step, on the facts that were read. Being notified, the office is told.
    pub async fn step(&self, take: &TakeStep, rules: &Rules) -> Result<Finding, DeskError> {
        retried("supervision.step", || self.step_once(take, rules)).await
    }

    async fn step_once(&self, take: &TakeStep, rules: &Rules) -> Result<Finding, DeskError> {
        let mut transaction = tx::begin(self.pool).await?;
        finding::lock(&mut transaction, take.finding_id).await?;
        self.by.scope().narrow(&mut transaction).await?;
        let found = self
            .visible(&mut transaction, take.finding_id, Action::TakeFindingStep)
            .await?;
        scope::widen(&mut transaction).await?;
        let detail = json!({
            "finding": take.finding_id, "step": take.step.code(), "office": found.office_id, "case": found.case(),
        });
        if take.step.hand() != self.hand() {
            self.record(Action::TakeFindingStep, Outcome::Denied, detail)
                .await?;
            return Err(DeskError::NotAllowed);
        }
        // Of what no rule finds any more nobody is accused.
        if found.facts != take.facts || (take.step == Step::Notify && found.is_gone()) {
            return Err(DeskError::FactsChanged);
        }
        let to = found.state.transition(take.step)?;
        let asks = matches!(take.step, Step::Notify | Step::Return);
        let now = OffsetDateTime::now_utc();
        if asks && take.due_on.is_none_or(|due| due < local_day(now)) {
            return Err(DeskError::DueMissing);
        }
        let step = NewStep {
            finding_id: take.finding_id,
            step: take.step,
            to,
            reason: take.grounds.as_str(),
            facts: take.facts,
            taken_by: self.by.account_id,
            due_on: take.due_on,
        };
        finding::take(&mut transaction, &step).await?;
        if let (true, Some(due_on)) = (asks, take.due_on) {
            let title = rules
                .rule(&found.rule_id)
                .map_or("", |rule| rule.title.as_str());
            let text = format!(
                "市司法局要求整改：{title}（{}）。请于 {due_on} 前整改并在平台报送结果。",
                found.rule_id
            );
            let notices = [NewNotice {
                office_id: found.office_id,
                source_case_id: found.case().unwrap_or_default(),
                text_zh: text,
            }];
            notice::insert_of(&mut transaction, NoticeKind::RectificationAsked, &notices).await?;
        }
        self.record(Action::TakeFindingStep, Outcome::Done, detail)
            .await?;
        let after = finding::load(&mut transaction, &[take.finding_id])
            .await?
            .pop();
        transaction.commit().await?;
        after.ok_or(DeskError::NotFound)
    }

    /// The finding if this desk may see it; else the attempt is recorded.
    async fn visible(
        &self,
        connection: &mut PgConnection,
        finding_id: Uuid,
        action: Action,
    ) -> Result<Finding, DeskError> {
        let told = |finding: &Finding| {
            self.office
                .is_none_or(|own| own == finding.office_id && finding.notified_at.is_some())
        };
        let found = finding::load(connection, &[finding_id]).await?.pop();
        if let Some(found) = found.filter(told) {
            return Ok(found);
        }
        scope::widen(connection).await?;
        let there = Existence::of(finding::load(connection, &[finding_id]).await?.pop());
        let detail = json!({ "finding": finding_id });
        Err(self.missing(action, detail, there).await)
    }

    /// Records the attempt at what is not for this person; the log alone tells that from what is not there.
    pub(super) async fn missing(
        &self,
        action: Action,
        detail: Value,
        existence: Existence,
    ) -> DeskError {
        let entry = Entry::by(self.by, action, existence.outcome(), detail);
        self.audit.refuse(entry, DeskError::NotFound).await
    }

    pub(super) async fn record(
        &self,
        action: Action,
        outcome: Outcome,
        detail: Value,
    ) -> Result<(), DeskError> {
        let entry = Entry::by(self.by, action, outcome, detail);
        self.audit.append(entry).await?;
        Ok(())
    }
}

impl Finding {
    /// The office's own key of the case it is about.
    pub fn case(&self) -> Option<&str> {
        (self.about == super::About::Case).then_some(self.about_key.as_str())
    }
}
