//! Commands about second factors.

use serde_json::json;

use super::super::{Failure, Output};
use super::change_of;
use crate::audit::Action;
use crate::config::Config;
use crate::identity::account::second_factor;
use crate::identity::pki;

pub(super) async fn enrol(config: &Config, login: &str, output: &Output) -> Result<(), Failure> {
    let key = pki::account_keys(&config.pki_dir())?.second_factors;
    let action = Action::EnrolSecondFactor;
    let enrolled = change_of(
        config,
        login,
        action,
        json!({}),
        async |database, account_id| {
            Ok(second_factor::enrol(&database.general, &key, account_id).await?)
        },
    )
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
    let action = Action::ResetSecondFactor;
    change_of(
        config,
        login,
        action,
        json!({}),
        async |database, account_id| Ok(second_factor::reset(&database.general, account_id).await?),
    )
    .await?;
    output.print(&json!({ "login": login, "second_factor": false }), || {
        format!("{login} has no second factor now")
    })?;
    Ok(())
}
