//! `/api/v1/accounts`: who may sign in, and whose the ids in decisions and in the audit log are. Accounts are changed
//! with `notary-hub user`.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::office::Nothing;
use super::params::Params;
use super::problem::{Problem, ProblemBody};
use crate::identity::Person;
use crate::store;

/// What offices know the bureau's people by.
const BUREAU_ZH: &str = "市司法局";

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
    let accounts = store::account::list(&api.pool).await?;
    let office = person.office_id();
    let office = office.as_ref().map(|office| office.as_str());
    let items = accounts
        .into_iter()
        .filter_map(|account| NameAnswer::told_to(office, account));
    Ok(Json(People {
        items: items.collect(),
    }))
}

impl NameAnswer {
    /// What an office, or the bureau where there is none, is told of an account.
    fn told_to(office: Option<&str>, account: store::account::Account) -> Option<Self> {
        let name = match (office, account.office_id.as_deref()) {
            (None, _) => account.display_name,
            (Some(own), Some(theirs)) if own == theirs => account.display_name,
            (Some(_), None) => BUREAU_ZH.to_owned(),
            (Some(_), Some(_)) => return None,
        };
        Some(Self {
            account_id: account.account_id,
            name,
        })
    }
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

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::{BUREAU_ZH, NameAnswer};
    use crate::store::account::Account;

    fn account(office: Option<&str>) -> Account {
        Account {
            account_id: Uuid::nil(),
            login: "login".into(),
            display_name: "name".into(),
            role: String::new(),
            office_id: office.map(str::to_owned),
            disabled: false,
            locked: false,
            second_factor: false,
            created_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn an_office_knows_its_own_people_and_the_bureau_and_nobody_elses() {
        let told = |asks, of| NameAnswer::told_to(asks, account(of)).map(|told| told.name);
        assert_eq!(
            told(Some("hangzhou"), Some("hangzhou")).as_deref(),
            Some("name")
        );
        assert_eq!(told(Some("hangzhou"), None).as_deref(), Some(BUREAU_ZH));
        assert_eq!(told(Some("hangzhou"), Some("xiaoshan")), None);
        assert_eq!(told(None, Some("xiaoshan")).as_deref(), Some("name"));
        assert_eq!(told(None, None).as_deref(), Some("name"));
    }
}
