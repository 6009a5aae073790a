//! Commands about second factors.

use anyhow::anyhow;
use serde_json::json;
use uuid::Uuid;

use super::super::{Failure, Output, change, done};
use crate::app::Database;
use crate::audit::Action;
use crate::config::Config;
use crate::identity::{pki, second_factor};
use crate::store;

pub(super) async fn enrol(config: &Config, login: &str, output: &Output) -> Result<(), Failure> {
    let key = pki::account_keys(&config.pki_dir())?.second_factors;
    let enrolled = change(config, async |database| {
        let account_id = account(database, login).await?;
        let enrolled = second_factor::enrol(&database.general, &key, account_id).await?;
        let detail = json!({ "account": account_id });
        Ok((enrolled, done(Action::EnrolSecondFactor, detail)))
    })
    .await?;
    let uri = enrolled.secret.uri(login);
    let codes: Vec<&str> = enrolled
        .recovery_codes
        .iter()
        .map(|code| code.as_str())
        .collect();
    output.print(
        &json!({
            "login": login,
            "secret": enrolled.secret.reveal().as_str(),
            "uri": uri.as_str(),
            "recovery_codes": codes,
        }),
        || {
            format!(
                "{}\nrecovery codes, each good once:\n{}\nnone of this can be shown again",
                uri.as_str(),
                codes.join("\n")
            )
        },
    )?;
    Ok(())
}

pub(super) async fn reset(config: &Config, login: &str, output: &Output) -> Result<(), Failure> {
    change(config, async |database| {
        let account_id = account(database, login).await?;
        second_factor::reset(&database.general, account_id).await?;
        let detail = json!({ "account": account_id });
        Ok(((), done(Action::ResetSecondFactor, detail)))
    })
    .await?;
    output.print(&json!({ "login": login, "second_factor": false }), || {
        format!("{login} has no second factor now")
    })?;
    Ok(())
}

async fn account(database: &Database, login: &str) -> Result<Uuid, Failure> {
    store::account::find(&database.general, login)
        .await?
        .ok_or_else(|| anyhow!("there is no account {login}; see: notary-hub user list").into())
}
