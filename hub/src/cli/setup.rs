//! Commands that prepare a hub.

use linkage::token::TokenAlgorithm;
use serde_json::json;
use time::OffsetDateTime;

use super::{Failure, Output, change};
use crate::app::{Database, settle};
use crate::audit::{Action, key_file};
use crate::config::Config;
use crate::identity::pki::Pki;
use crate::identity::pki::server_certificate::ServerCertificate;
use crate::identity::pki::session_key_file;
use crate::store;

pub(super) async fn init(
    config: &Config,
    algorithm: TokenAlgorithm,
    output: &Output,
) -> Result<(), Failure> {
    let now = OffsetDateTime::now_utc();
    std::fs::create_dir_all(&config.data_dir)
        .map_err(|error| anyhow::anyhow!("make data_dir {}: {error}", config.data_dir.display()))?;
    Pki::create(config, algorithm, now)?;
    let pki = Pki::load(config)?;
    ServerCertificate::load_or_make(config, &pki.authority, now)?;
    // With the rest, for a backup of the keys taken now, and for other hubs of the database.
    key_file::load_or_make(config)?;
    let database = Database::make_or_join(config).await?;
    let settled = settle(config, &database.general).await;
    database.close().await?;
    settled?;
    let ca = config.pki_dir().join("anchors.pem");
    output.print(
        &json!({
            "data_dir": config.data_dir,
            "ca_file": ca,
            "token_algorithm": pki.token_keys.present.algorithm().code(),
        }),
        || {
            format!(
                "ready in {}\nagents need {} to enrol\nback the folder {} up apart from the database, and guard it",
                config.data_dir.display(),
                ca.display(),
                config.pki_dir().display()
            )
        },
    )?;
    Ok(())
}

pub(super) async fn migrate(config: &Config, output: &Output) -> Result<(), Failure> {
    Database::open_or_join(config).await?.close().await?;
    output.print(&json!({ "migrated": true }), || {
        "the database has this version's schema".into()
    })?;
    Ok(())
}

pub(super) async fn restored(config: &Config, output: &Output) -> Result<(), Failure> {
    let hub_epoch = change(
        config,
        Action::RestoreDatabase,
        json!({}),
        async |database| {
            let hub_epoch = store::feed::sync::renew_hub_epoch(&database.general).await?;
            Ok((hub_epoch, json!({ "hub_epoch": hub_epoch })))
        },
    )
    .await?;
    output.print(&json!({ "hub_epoch": hub_epoch }), || {
        format!(
            "data epoch {hub_epoch}: each office hands over again what it keeps when it next connects\n\
             revoke again what was revoked since the backup, and give the audit log a new checkpoint_dir"
        )
    })?;
    Ok(())
}

pub(super) async fn rotate_session_key(
    config: &Config,
    compromised: bool,
    output: &Output,
) -> Result<(), Failure> {
    let dir = config.pki_dir();
    let action = match compromised {
        true => Action::ReplaceSessionKeys,
        false => Action::RotateSessionKey,
    };
    let keys = change(config, action, json!({}), async |_| {
        let keys = match compromised {
            true => session_key_file::replace(&dir)?,
            false => session_key_file::rotate(&dir)?,
        };
        let signing = keys.ids().next().map(str::to_owned);
        Ok((keys, json!({ "signing": signing })))
    })
    .await?;
    let ids: Vec<&str> = keys.ids().collect();
    output.print(&json!({ "signing": ids[0], "keys": ids }), || {
        format!(
            "{} signs now; copy session.key to the other hubs of this database, if there are any",
            ids[0]
        )
    })?;
    Ok(())
}

pub(super) fn check_config(config: &Config, output: &Output) -> Result<(), Failure> {
    if let Some(oidc) = &config.oidc {
        let file = &oidc.ca_file;
        std::fs::File::open(file).map_err(|error| {
            Failure::Usage(format!(
                "oidc.ca_file: {} cannot be read: {error}",
                file.display()
            ))
        })?;
    }
    output.print(config, || config.redacted())?;
    Ok(())
}
