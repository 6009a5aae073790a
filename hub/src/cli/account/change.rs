//! Commands that change an account. Each ends its sessions.

use anyhow::anyhow;
use serde_json::json;
use uuid::Uuid;

use super::super::{Failure, Output};
use super::{change_of, no_account};
use crate::app::Database;
use crate::audit::Action;
use crate::config::Config;
use crate::identity::Role;
use crate::identity::account::new_password::NewPassword;
use crate::identity::pki;
use crate::store::account::{self, Change};

pub(super) async fn password(
    config: &Config,
    login: &str,
    password: &str,
    output: &Output,
) -> Result<(), Failure> {
    let pepper = pki::account_keys(&config.pki_dir())?.passwords;
    let action = Action::ChangePassword;
    let account_id = change_of(config, login, action, json!({}), async |database, _| {
        let names = account::names(&database.general, login).await?;
        let names = names.ok_or_else(|| no_account(login))?;
        let hash = NewPassword::new(password, &names)?.hash(&pepper);
        let change = Change {
            password_hash: Some(&hash),
            ..Change::default()
        };
        changed(database, login, change).await
    })
    .await?;
    report(account_id, login, "password changed", output)
}

pub(super) async fn role(
    config: &Config,
    login: &str,
    role: Role,
    output: &Output,
) -> Result<(), Failure> {
    let change = Change {
        role: Some(role),
        ..Change::default()
    };
    let done = role.kind().code();
    apply(config, login, change, Action::ChangeRole, done, output).await
}

pub(super) async fn disabled(
    config: &Config,
    login: &str,
    disabled: bool,
    output: &Output,
) -> Result<(), Failure> {
    let change = Change {
        disabled: Some(disabled),
        ..Change::default()
    };
    let (action, done) = match disabled {
        true => (Action::DisableAccount, "disabled"),
        false => (Action::EnableAccount, "enabled"),
    };
    apply(config, login, change, action, done, output).await
}

pub(super) async fn end_sessions(
    config: &Config,
    login: &str,
    output: &Output,
) -> Result<(), Failure> {
    let (change, done) = (Change::default(), "sessions ended");
    apply(config, login, change, Action::EndSessions, done, output).await
}

pub(super) async fn provider(
    config: &Config,
    login: &str,
    subject: Option<&str>,
    output: &Output,
) -> Result<(), Failure> {
    let (action, done) = match subject {
        Some(_) => (Action::LinkProvider, "linked with the provider's person"),
        None => (Action::UnlinkProvider, "no longer linked"),
    };
    let account_id = change_of(config, login, action, json!({}), async |database, _| {
        linked(database, login, subject).await
    })
    .await?;
    report(account_id, login, done, output)
}

async fn linked(database: &Database, login: &str, subject: Option<&str>) -> Result<Uuid, Failure> {
    let taken = |error: &sqlx::Error| {
        error
            .as_database_error()
            .is_some_and(|error| error.is_unique_violation())
    };
    match account::set_provider_subject(&database.general, login, subject).await {
        Ok(Some(account_id)) => Ok(account_id),
        Ok(None) => Err(no_account(login)),
        Err(error) if taken(&error) => {
            Err(anyhow!("another account is linked with this person; unlink it first").into())
        }
        Err(error) => Err(error.into()),
    }
}

async fn apply(
    config: &Config,
    login: &str,
    change: Change<'_>,
    action: Action,
    done: &str,
    output: &Output,
) -> Result<(), Failure> {
    let role = change.role.map(|role| role.kind().code());
    let office = change.role.and_then(|role| role.office_id());
    let about = json!({ "role": role, "office": office });
    let account_id = change_of(config, login, action, about, async |database, _| {
        changed(database, login, change).await
    })
    .await?;
    report(account_id, login, done, output)
}

fn report(account_id: Uuid, login: &str, done: &str, output: &Output) -> Result<(), Failure> {
    output.print(
        &json!({ "account_id": account_id, "login": login, "done": done }),
        || format!("{login}: {done}; running hubs refuse earlier sessions within seconds"),
    )?;
    Ok(())
}

async fn changed(database: &Database, login: &str, change: Change<'_>) -> Result<Uuid, Failure> {
    let no_office = |error: &sqlx::Error| {
        error
            .as_database_error()
            .is_some_and(|error| error.is_foreign_key_violation())
    };
    match account::change(&database.general, login, change).await {
        Ok(Some(account_id)) => Ok(account_id),
        Ok(None) => Err(no_account(login)),
        Err(error) if no_office(&error) => {
            Err(anyhow!("there is no such office; see: notary-hub office list").into())
        }
        Err(error) => Err(error.into()),
    }
}
