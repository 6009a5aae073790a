//! `/api/v1/sessions`: signing in and out.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::Api;
use super::params::Body;
use super::problem::{Problem, ProblemBody};
use crate::entrance::{EntranceError, ExitError};
use crate::identity::account::{Credentials, SignOutError};
use crate::identity::session::Session;
use crate::refusal::{Reason, Refusal};
use crate::transport::{ClientAddress, bearer};

/// Login and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    login: String,
    password: String,
    /// Six digits of the authenticator, or a recovery code; may be left out without a second factor.
    #[serde(default)]
    otp: String,
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
    post, path = "/api/v1/sessions", operation_id = "signIn",
    request_body = SignIn,
    responses((status = 201, body = SignedIn), (status = 401, body = ProblemBody),
        (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)),
)]
pub(super) async fn create(
    State(api): State<Api>,
    Extension(address): Extension<ClientAddress>,
    Body(SignIn {
        login,
        password,
        otp,
    }): Body<SignIn>,
) -> Result<(StatusCode, Json<SignedIn>), Problem> {
    let credentials = Credentials {
        login: &login,
        password: &password,
        code: &otp,
    };
    let session = api.entrance.sign_in(credentials, address.0.ip()).await?;
    Ok((StatusCode::CREATED, Json(session.into())))
}

/// An ID token of the bureau's identity provider.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProviderSignIn {
    id_token: String,
    /// What the caller sent to the provider with its authentication request.
    nonce: String,
}

/// Signs in with an ID token of the bureau's identity provider, once.
#[utoipa::path(
    post, path = "/api/v1/sessions/provider", operation_id = "signInByProvider",
    request_body = ProviderSignIn,
    responses((status = 201, body = SignedIn), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
              (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)),
)]
pub(super) async fn create_by_provider(
    State(api): State<Api>,
    Extension(address): Extension<ClientAddress>,
    Body(ProviderSignIn { id_token, nonce }): Body<ProviderSignIn>,
) -> Result<(StatusCode, Json<SignedIn>), Problem> {
    let provider = api.provider.as_ref().ok_or_else(Problem::not_found)?;
    let session = api
        .entrance
        .sign_in_by_provider(provider, &id_token, &nonce, address.0.ip())
        .await?;
    Ok((StatusCode::CREATED, Json(session.into())))
}

impl From<Session> for SignedIn {
    fn from(session: Session) -> Self {
        Self {
            access_token: session.access_token,
            token_type: "Bearer",
            expires_at: session.expires_at,
            role: session.person.role.kind().code(),
            office_id: session.person.office_id(),
            display_name: session.display_name,
        }
    }
}

/// Signs out: the session of the bearer token ends.
#[utoipa::path(
    delete, path = "/api/v1/sessions", operation_id = "signOut",
    security(("session" = [])),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 503, body = ProblemBody)),
)]
pub(super) async fn delete(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let token = bearer(&headers).ok_or_else(unauthenticated)?;
    match api.entrance.sign_out(token).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(ExitError::SignOut(SignOutError::Token(_))) => Err(unauthenticated()),
        Err(ExitError::SignOut(SignOutError::Database(problem))) => Err((&problem).into()),
        Err(ExitError::Audit(problem)) => Err(problem.into()),
    }
}

pub(super) fn unauthenticated() -> Problem {
    Reason::Unauthenticated
        .because("a bearer token of a session is needed")
        .into()
}

impl From<EntranceError> for Problem {
    fn from(error: EntranceError) -> Self {
        Refusal::from(error).into()
    }
}
