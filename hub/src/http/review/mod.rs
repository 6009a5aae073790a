//! `/api/v1/reviews`: what waits for a person's decision, and deciding it.

pub(super) mod duplicate;
mod fields;
pub(super) mod person;

use std::time::Duration;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::problem::Problem;
use crate::identity::Person;
use crate::linking::LinkingError;
use crate::refusal::{Reason, fault};
use crate::review::{Decided, Review, ReviewError};

/// When to come back while all persons are being linked anew.
const RELINKING: Duration = Duration::from_secs(60);

/// Why, in one's own words.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Because {
    /// 1 to 500 characters; no phone or document numbers.
    reason: String,
}

/// What ended a decision before its time.
#[derive(Serialize, ToSchema)]
pub(super) struct Ending {
    by: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// Told to supervisors and to whoever wrote it.
    reason: Option<String>,
}

impl Api {
    /// The reviews of whoever asks.
    fn reviews<'a>(&'a self, person: &'a Person) -> Result<Review<'a>, Problem> {
        let Self {
            pool,
            audit,
            models,
            alarms,
            rules,
            ..
        } = self;
        Ok(Review::new(pool, audit, models, alarms, rules, person)?)
    }
}

/// What a decision came to, and whether it was made now.
pub(super) fn answered<T>(decided: Decided<T>) -> (StatusCode, T) {
    match decided {
        Decided::Now(made) => (StatusCode::CREATED, made),
        Decided::Before(made) => (StatusCode::OK, made),
    }
}

impl From<ReviewError> for Problem {
    fn from(error: ReviewError) -> Self {
        let message = error.to_string();
        match error {
            ReviewError::NotFound => Self::not_found(),
            ReviewError::NotAllowed | ReviewError::Suspended => {
                Reason::PermissionDenied.because(message).into()
            }
            ReviewError::SecondPersonNeeded => Self::second_person_needed(message),
            ReviewError::AlreadyDecided => Self::already_decided(message),
            ReviewError::FactsChanged => Self::facts_changed(message),
            ReviewError::Over => Self::decision_over(message),
            ReviewError::Linking(LinkingError::Relinking) => Reason::Overloaded
                .because(message)
                .retry_after(RELINKING)
                .into(),
            ReviewError::Linking(problem) => fault(&problem).into(),
            ReviewError::Audit(problem) => problem.into(),
            ReviewError::Database(problem) => problem.into(),
        }
    }
}
