//! What people and their tools reach over HTTPS: `/api/v1`. Conventions are in `docs/API-DESIGN.md`.
//!
//! [`router`] is the one place that says which role may use which route. A handler parses, calls one use case,
//! and maps the error to a [`problem::Problem`]. Only rows as they stand, in the scope of whoever asks, are read from the
//! store straight away.

mod account;
mod alarm;
mod audit;
mod auth;
mod catalogue;
mod console;
mod duplicate;
mod exports;
mod form;
mod guard;
mod html;
mod job;
mod office;
mod openapi;
mod own_account;
mod own_reason;
mod page;
mod params;
mod password;
pub mod problem;
mod reject;
mod report;
mod review;
mod router;
mod session;
mod statistics;
mod supervision;
mod work;

pub use openapi::document;

use std::sync::Arc;

use sqlx::{PgPool, PgTransaction};

use crate::alarm::Alarms;
use crate::audit::{Action, Audit, Checkpoints, Entry, Outcome};
use crate::entrance::Entrance;
use crate::export::Exports;
use crate::identity::account::oidc::Provider;
use crate::identity::{Person, Sessions};
use crate::linking::model::Models;
use crate::rules::Rules;
use crate::supervision::worker::Supervision;
use problem::Problem;

/// Everything the handlers need.
#[derive(Clone, Debug)]
pub struct Api {
    pub pool: PgPool,
    pub sessions: Arc<Sessions>,
    /// The bureau's identity provider, when there is one.
    pub provider: Option<Arc<Provider>>,
    pub entrance: Arc<Entrance>,
    pub audit: Audit,
    pub alarms: Alarms,
    /// With what mentions are compared.
    pub models: Models,
    pub checkpoints: Arc<Checkpoints>,
    pub rules: Rules,
    pub supervision: Supervision,
    /// Files that are made as jobs.
    pub exports: Exports,
}

impl Api {
    /// A transaction that reads as the person.
    async fn reading(&self, person: &Person) -> Result<PgTransaction<'static>, Problem> {
        Ok(person.scope().read(&self.pool).await?)
    }

    /// Records what a person does, before it is answered.
    async fn record(
        &self,
        person: &Person,
        action: Action,
        outcome: Outcome,
        detail: serde_json::Value,
    ) -> Result<(), Problem> {
        self.audit
            .append(Entry::by(person, action, outcome, detail))
            .await?;
        Ok(())
    }
}
