//! What only a person can decide: whether two mentions are one person, and whether two cases are the same matter.
//!
//! | who | sees | does |
//! |---|---|---|
//! | notary | what the own office has a part in, as far as the rules let another office's matters be told; persons only of matters whose parties may be named | proposes, decides, takes back what they said themselves |
//! | supervisor | everything | the same, and confirms, declines and takes back what others said |
//!
//! Nobody else has a part in it. Whatever is shown is masked, for everybody alike. Each page, each reading, each
//! decision and each denial has one audit entry, durable before the answer; that of a decision before the decision
//! itself takes effect, so that none is ever in force without one. Nothing is deleted: a decision that is taken back
//! stays as history.

pub mod duplicate;
mod grounds;
pub mod judgement;
mod masked;
pub mod pairwise;
pub mod person;

pub use grounds::{Grounds, GroundsError};
pub use masked::{explain, mask};

use std::sync::Arc;

use linkage::matter::RuleSet;
use linkage::office::OfficeId;
use serde_json::Value;
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use crate::alarm::Alarms;
use crate::audit::{Action, Audit, AuditError, Entry, Existence, Outcome};
use crate::identity::{Person, Role};
use crate::linking::LinkingError;
use crate::linking::model::Models;
use crate::lookup::Asker;
use crate::rules::Rules;
use crate::store::tx::Retryable;

/// Whether a decision was made by this request.
#[derive(Clone, Debug)]
pub enum Decided<T> {
    Now(T),
    /// By the same person, in a request before.
    Before(T),
}

/// Why a review came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// Or it is not for this person, which looks the same from outside.
    #[error("there is no such thing to review")]
    NotFound,
    #[error("this role has no part in reviews")]
    NotAllowed,
    #[error("suspended until the bureau has looked at an alarm about look-ups")]
    Suspended,
    #[error("whoever proposed this cannot be the second pair of eyes")]
    SecondPersonNeeded,
    #[error("somebody decided this already; read it again")]
    AlreadyDecided,
    #[error("the cases or the rules changed since they were read; read them again")]
    FactsChanged,
    #[error("this decision is over; read it again")]
    Over,
    #[error(transparent)]
    Linking(LinkingError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error("review: {0}")]
    Database(#[from] sqlx::Error),
}

/// Whose desk a review lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desk {
    /// A notary's: what the office has a part in.
    Office(OfficeId),
    /// A supervisor's: the city.
    Bureau,
}

/// One person at work on reviews.
#[derive(Clone, Debug)]
pub struct Review<'a> {
    pool: &'a PgPool,
    audit: &'a Audit,
    models: &'a Models,
    alarms: &'a Alarms,
    in_force: &'a Rules,
    /// The rules in force as the review began.
    rules: Arc<RuleSet>,
    by: &'a Person,
    desk: Desk,
}

impl Desk {
    /// The office of a notary's.
    pub const fn office_id(self) -> Option<OfficeId> {
        match self {
            Self::Office(office_id) => Some(office_id),
            Self::Bureau => None,
        }
    }

    /// Whether what `office_id` holds may be named by its key here.
    pub fn owns(self, office_id: OfficeId) -> bool {
        self.office_id().is_none_or(|own| own == office_id)
    }
}

impl<'a> Review<'a> {
    /// Refuses whoever has no part in reviews, whatever the door has let through.
    pub fn new(
        pool: &'a PgPool,
        audit: &'a Audit,
        models: &'a Models,
        alarms: &'a Alarms,
        in_force: &'a Rules,
        by: &'a Person,
    ) -> Result<Self, ReviewError> {
        let desk = match by.role {
            Role::Notary(office_id) => Desk::Office(office_id),
            Role::Supervisor => Desk::Bureau,
            Role::Analyst | Role::Operator => return Err(ReviewError::NotAllowed),
        };
        Ok(Self {
            pool,
            audit,
            models,
            alarms,
            in_force,
            rules: in_force.current(),
            by,
            desk,
        })
    }

    /// Whose desk it is.
    pub const fn desk(&self) -> Desk {
        self.desk
    }

    /// Who reviews.
    pub const fn account_id(&self) -> Uuid {
        self.by.account_id
    }

    /// The notary, as the alarms about look-ups know one.
    fn asker(&self) -> Option<Asker> {
        let office_id = self.desk.office_id()?;
        Some(Asker::new(self.by, office_id))
    }

    /// Refuses a notary who is not answered until the bureau has looked at an alarm.
    async fn admit(&self) -> Result<(), ReviewError> {
        match self.asker() {
            Some(asker) if self.alarms.is_suspended(asker).await? => Err(ReviewError::Suspended),
            _ => Ok(()),
        }
    }

    /// A transaction that reads as who reviews.
    async fn reading(&self) -> Result<PgTransaction<'static>, sqlx::Error> {
        self.by.scope().read(self.pool).await
    }

    async fn record(
        &self,
        action: Action,
        outcome: Outcome,
        detail: Value,
    ) -> Result<(), ReviewError> {
        let entry = Entry::by(self.by, action, outcome, detail);
        self.audit.append(entry).await?;
        Ok(())
    }

    /// Records the attempt at what this person does not see.
    async fn missing(&self, action: Action, detail: Value, existence: Existence) -> ReviewError {
        let entry = Entry::by(self.by, action, existence.outcome(), detail);
        self.audit.refuse(entry, ReviewError::NotFound).await
    }

    /// Records a denial and says what it is denied with.
    async fn denied(&self, action: Action, detail: Value, error: ReviewError) -> ReviewError {
        let entry = Entry::by(self.by, action, Outcome::Denied, detail);
        self.audit.refuse(entry, error).await
    }
}

impl From<LinkingError> for ReviewError {
    fn from(error: LinkingError) -> Self {
        match error {
            LinkingError::Database(problem) => Self::Database(problem),
            error => Self::Linking(error),
        }
    }
}

impl Retryable for ReviewError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Database(error) => error.is_retryable(),
            Self::Linking(error) => error.is_retryable(),
            _ => false,
        }
    }
}
