//! `/api/v1/supervision`: rules, findings and their life, filings, windows, inspections; `/api/v1/directory`: what is open
//! to everybody, and what the bureau has on file of an office, which that is made of.

pub(super) mod catalogue;
pub(super) mod correction;
pub(super) mod directory;
pub(super) mod filing;
pub(super) mod finding;
pub(super) mod inspection;
pub(super) mod missing;
mod notice;
pub(super) mod profile;
mod tariff;
pub(super) mod window;

use data_encoding::HEXLOWER_PERMISSIVE;
use time::Date;

use super::Api;
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

fn day(name: &'static str, text: Option<&str>) -> Result<Option<Date>, Problem> {
    text.map(|text| iso_day(text).ok_or_else(|| Problem::field(name, "a day, e.g. 2024-06-03")))
        .transpose()
}

fn iso_day(text: &str) -> Option<Date> {
    let form = time::macros::format_description!("[year]-[month]-[day]");
    Date::parse(text, form).ok()
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
