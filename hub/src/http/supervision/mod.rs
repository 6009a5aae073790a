//! `/api/v1/supervision`: rules, findings and their life, filings, windows, inspections; `/api/v1/directory`: what is open
//! to everybody.

pub(super) mod catalogue;
pub(super) mod directory;
pub(super) mod filing;
pub(super) mod finding;
pub(super) mod inspection;
mod notice;
mod tariff;
pub(super) mod window;

use data_encoding::HEXLOWER_PERMISSIVE;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::Api;
use super::page::{self, day};
use super::problem::Problem;
use crate::identity::Person;
use crate::refusal::Reason;
use crate::supervision::FactsDigest;
use crate::supervision::desk::{Desk, DeskError};

impl Api {
    /// The desk of whoever asks.
    fn desk<'a>(&'a self, person: &'a Person) -> Result<Desk<'a>, Problem> {
        Ok(Desk::new(&self.pool, &self.audit, person)?)
    }
}

/// Where a page goes on: time and id of the last thing before.
fn behind(cursor: Option<&str>) -> Result<Option<(OffsetDateTime, Uuid)>, Problem> {
    let Some([at, id]) = page::key::<2>(cursor)? else {
        return Ok(None);
    };
    let read = || Some((OffsetDateTime::parse(&at, &Rfc3339).ok()?, id.parse().ok()?));
    read().map(Some).ok_or_else(page::bad_cursor)
}

fn cursor(at: OffsetDateTime, id: Uuid) -> [String; 2] {
    [at.format(&Rfc3339).unwrap_or_default(), id.to_string()]
}

fn facts(text: &str) -> Result<FactsDigest, Problem> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .map(FactsDigest)
        .ok_or_else(|| Problem::field("facts", "the digest that was read with the finding"))
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        let message = error.to_string();
        match error {
            DeskError::NotFound => Self::not_found(),
            DeskError::NotAllowed => Reason::PermissionDenied.because(message).into(),
            DeskError::Illegal(_) | DeskError::IllegalAct(_) => Self::decision_over(message),
            DeskError::FactsChanged => Self::facts_changed(message),
            DeskError::NotToTakeIn => Self::field(
                "finding_ids",
                "findings of the inspected office that are neither verified nor dismissed, each once",
            ),
            DeskError::StillOpen(open) => Self::findings_open(message, &open.list_zh()),
            DeskError::DueMissing => Self::field("due_on", "a day that is not before today"),
            DeskError::Audit(problem) => problem.into(),
            DeskError::Database(problem) => problem.into(),
        }
    }
}
