//! `/api/v1/accounts`: who may sign in, and whose the ids in decisions and in the audit log are. Accounts are changed
//! with `notary-hub user`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::office::Nothing;
use super::params::Params;
use super::problem::{Problem, ProblemBody};
use crate::store;

/// Accounts.
#[derive(Serialize, ToSchema)]
pub(super) struct Accounts {
    items: Vec<AccountAnswer>,
}

/// An account.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountAnswer {
    account_id: Uuid,
    login: String,
    display_name: String,
    /// notary, analyst, supervisor or operator.
    role: String,
    /// Of a notary.
    office_id: Option<String>,
    disabled: bool,
    /// Too many passwords were tried; by itself it opens again.
    locked: bool,
    second_factor: bool,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

/// Accounts by login.
#[utoipa::path(
    get, path = "/api/v1/accounts", operation_id = "listAccounts",
    security(("session" = [])),
    responses((status = 200, body = Accounts), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<Accounts>, Problem> {
    let accounts = store::account::list(&api.pool).await?;
    Ok(Json(Accounts {
        items: accounts.into_iter().map(AccountAnswer::from).collect(),
    }))
}

impl From<store::account::Account> for AccountAnswer {
    fn from(account: store::account::Account) -> Self {
        Self {
            account_id: account.account_id,
            login: account.login,
            display_name: account.display_name,
            role: account.role,
            office_id: account.office_id,
            disabled: account.disabled,
            locked: account.locked,
            second_factor: account.second_factor,
            created_at: account.created_at,
        }
    }
}
