//! `/api/v1/accounts`: who may sign in, and whose the ids in decisions and in the audit log are. Accounts are changed
//! with `notary-hub user`.

use axum::extract::State;
use axum::{Extension, Json};
use linkage::office::OfficeId;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::params::{Nothing, Params};
use super::problem::{Problem, ProblemBody};
use crate::identity::Person;
use crate::identity::account::directory::{self, Named};
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
    role: &'static str,
    /// Of a notary.
    #[schema(value_type = Option<String>)]
    office_id: Option<OfficeId>,
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

/// Names of people.
#[derive(Serialize, ToSchema)]
pub(super) struct People {
    items: Vec<NameAnswer>,
}

/// Whose an account is, as whoever asks may know it.
#[derive(Serialize, ToSchema)]
pub(super) struct NameAnswer {
    account_id: Uuid,
    /// To an office the bureau's people are the bureau.
    name: String,
}

/// Names behind the ids in decisions and steps. A notary is told the own office's people and that the bureau's are the
/// bureau's; nobody of another office.
#[utoipa::path(
    get, path = "/api/v1/people", operation_id = "listPeople",
    security(("session" = [])),
    responses((status = 200, body = People), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)),
)]
pub(super) async fn people(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<People>, Problem> {
    let names = directory::names_told_to(&api.pool, person.office_id()).await?;
    Ok(Json(People {
        items: names.into_iter().map(NameAnswer::from).collect(),
    }))
}

impl From<Named> for NameAnswer {
    fn from(named: Named) -> Self {
        Self {
            account_id: named.account_id,
            name: named.name,
        }
    }
}

impl From<store::account::Account> for AccountAnswer {
    fn from(account: store::account::Account) -> Self {
        Self {
            account_id: account.account_id,
            login: account.login,
            display_name: account.display_name,
            role: account.role.code(),
            office_id: account.office_id,
            disabled: account.disabled,
            locked: account.locked,
            second_factor: account.second_factor,
            created_at: account.created_at,
        }
    }
}
