//! `/api/v1/sessions`: signing in.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::Api;
use super::params::Body;
use super::problem::{Problem, ProblemBody};
use crate::audit::{Action, Outcome};
use crate::grpc::error::Reason;
use crate::identity::account::SignInError;

/// Login and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    login: String,
    password: String,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(super) struct SignedIn {
    /// Goes into `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// notary, analyst, supervisor or operator.
    role: &'static str,
    /// Of a notary.
    #[schema(value_type = Option<String>)]
    office_id: Option<OfficeId>,
    display_name: String,
}

/// Signs in.
#[utoipa::path(
    post, path = "/api/v1/sessions", request_body = SignIn,
    responses((status = 201, body = SignedIn), (status = 401, body = ProblemBody), (status = 503, body = ProblemBody)),
)]
pub(super) async fn create(
    State(api): State<Api>,
    Body(SignIn { login, password }): Body<SignIn>,
) -> Result<(StatusCode, Json<SignedIn>), Problem> {
    let session = api.sessions.sign_in(&login, &password).await?;
    api.record(&session.person, Action::SignIn, Outcome::Done, json!({}))
        .await?;
    let answer = SignedIn {
        access_token: session.access_token,
        token_type: "Bearer",
        expires_at: session.expires_at,
        role: session.person.role.kind().code(),
        office_id: session.person.office_id(),
        display_name: session.display_name,
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match &error {
            SignInError::Refused => Reason::SignInRefused.because(error.to_string()).into(),
            SignInError::Busy(_) => Reason::Overloaded
                .because(error.to_string())
                .retry_after(Duration::from_secs(3))
                .into(),
            SignInError::Database(problem) => problem.into(),
        }
    }
}
