//! `/api/v1/account/password`: the own password.

use std::time::Duration;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Api;
use super::params::Body;
use super::problem::{Problem, ProblemBody};
use super::session::SignedIn;
use crate::entrance::ChangeError;
use crate::identity::Person;
use crate::identity::account::own_password::OwnerError;
use crate::refusal::Reason;
use crate::transport::ClientAddress;

/// A password in the place of another one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordChange {
    current_password: String,
    /// At least 12 characters, names of the account not counted; none that is tried first.
    new_password: String,
}

/// Changes the own password. All sessions of the account end; the answer is a new one.
#[utoipa::path(
    put, path = "/api/v1/account/password", operation_id = "changePassword", security(("session" = [])),
    request_body = PasswordChange,
    responses((status = 200, body = SignedIn), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)),
)]
pub(super) async fn change(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Extension(address): Extension<ClientAddress>,
    Body(PasswordChange {
        current_password,
        new_password,
    }): Body<PasswordChange>,
) -> Result<Json<SignedIn>, Problem> {
    let from = address.0.ip();
    let session = api
        .entrance
        .change_password(&person, &current_password, &new_password, from)
        .await?;
    Ok(Json(session.into()))
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::TooOften { retry_after } => Reason::RateLimited
                .because(error.to_string())
                .retry_after(retry_after)
                .into(),
            ChangeError::New(problem) => {
                Self::answer("new_password", &problem.to_string(), problem.detail_zh())
            }
            ChangeError::Change(problem) => problem.into(),
            ChangeError::Audit(problem) => problem.into(),
        }
    }
}

impl From<OwnerError> for Problem {
    fn from(error: OwnerError) -> Self {
        match error {
            OwnerError::Refused => Self::answer(
                "current_password",
                "the present password of an account that is not locked",
                "当前密码不正确，或账号已暂时锁定。",
            ),
            OwnerError::Busy(busy) => Reason::Overloaded
                .because(busy.to_string())
                .retry_after(Duration::from_secs(3))
                .into(),
            OwnerError::Database(problem) => (&problem).into(),
        }
    }
}
