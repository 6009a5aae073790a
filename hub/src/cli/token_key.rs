//! Commands about changing the city's token key: docs/token-key.md.

use std::fmt::Write;

use anyhow::anyhow;
use clap::Subcommand;
use linkage::token::TokenAlgorithm;
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use super::{Failure, Output, change, done};
use crate::app::Database;
use crate::audit::Action;
use crate::config::Config;
use crate::identity::token_key_file;
use crate::store::token_key::{self, OfficeStanding};

#[derive(Debug, Subcommand)]
pub(super) enum TokenKeyCommand {
    /// Make the key that is to follow and hand it out at enrolment and renewal. Nothing is made with it yet.
    Rotate {
        /// How its tokens are computed, when it is to be another way.
        #[arg(long, value_name = "hmac_sha256|hmac_sm3")]
        token_algorithm: Option<TokenAlgorithm>,
    },
    /// Take the key that is to follow back; agents forget it when they next renew.
    Withdraw,
    /// Say which keys there are, and which offices have the one that is to follow.
    Status,
}

pub(super) async fn run(
    config: &Config,
    command: TokenKeyCommand,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        TokenKeyCommand::Rotate { token_algorithm } => {
            rotate(config, token_algorithm, output).await
        }
        TokenKeyCommand::Withdraw => withdraw(config, output).await,
        TokenKeyCommand::Status => status(config, output).await,
    }
}

async fn rotate(
    config: &Config,
    algorithm: Option<TokenAlgorithm>,
    output: &Output,
) -> Result<(), Failure> {
    let dir = config.pki_dir();
    let id = change(config, async |database| {
        let keys = token_key_file::load(&dir)?;
        let algorithm = algorithm.unwrap_or(keys.present.algorithm());
        // A database that was restored may know less than the folder.
        let known = keys.next.as_ref().unwrap_or(&keys.present).id();
        let begun = token_key::begin(&database.general, known, algorithm.code()).await?;
        let id = begun.ok_or_else(|| {
            anyhow!("a change of the token key is under way; see: notary-hub token-key status")
        })?;
        token_key_file::make_next(&dir, id, algorithm)?;
        let detail = json!({ "key_id": id, "algorithm": algorithm.code() });
        Ok((id, done(Action::RotateTokenKey, detail)))
    })
    .await?;
    output.print(&json!({ "next": id }), || {
        format!(
            "key {id} is to follow; a running hub hands it out within seconds, to an agent when it renews its certificate\n\
             copy next-token.key to the other hubs of this database, if there are any"
        )
    })?;
    Ok(())
}

async fn withdraw(config: &Config, output: &Output) -> Result<(), Failure> {
    let dir = config.pki_dir();
    let id = change(config, async |database| {
        let here = token_key_file::load(&dir)?.next.map(|key| key.id());
        // The file first: what is no longer there is handed out to nobody, whatever happens next.
        token_key_file::remove_next(&dir)?;
        let id = token_key::withdraw(&database.general)
            .await?
            .or(here)
            .ok_or_else(|| anyhow!("no change of the token key is under way"))?;
        Ok((id, done(Action::WithdrawTokenKey, json!({ "key_id": id }))))
    })
    .await?;
    output.print(&json!({ "withdrawn": id }), || {
        format!(
            "key {id} follows no more\nremove next-token.key from the other hubs of this database, if there are any"
        )
    })?;
    Ok(())
}

async fn status(config: &Config, output: &Output) -> Result<(), Failure> {
    let keys = token_key_file::load(&config.pki_dir())?;
    let database = Database::open_or_join(config).await?;
    let standing = async {
        let next = token_key::under_way(&database.general).await?;
        let offices = match next {
            Some(next) => token_key::offices(&database.general, next).await?,
            None => Vec::new(),
        };
        Ok::<_, sqlx::Error>((next, offices))
    };
    let standing = standing.await;
    database.close().await?;
    let (next, offices) = standing?;
    let here = keys.next.as_ref().map(linkage::token::TokenKey::id);
    let value = json!({
        "present": keys.present.id(),
        "algorithm": keys.present.algorithm().code(),
        "next": next,
        "next_in_this_folder": here.is_some() && here == next,
        "offices": offices,
    });
    output.print(&value, || {
        let present = &keys.present;
        let mut text = format!("key {} ({})\n", present.id(), present.algorithm().code());
        if let Some(next) = next {
            text += &table(next, &offices);
            if here != Some(next) {
                text += "this folder has no such key: copy next-token.key from the hub that made it, or withdraw it\n";
            }
        }
        text
    })?;
    Ok(())
}

fn table(next: u32, offices: &[OfficeStanding]) -> String {
    let mut text = format!(
        "key {next} is to follow\n\n{:<16}  {:<8}  last there\n",
        "office", "has it"
    );
    for office in offices {
        let has = if office.has_next { "yes" } else { "no" };
        let seen = office
            .last_seen_at
            .and_then(|at| at.truncate_to_second().format(&Rfc3339).ok())
            .unwrap_or_else(|| "never".to_owned());
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<16}  {has:<8}  {seen}", office.office_id);
    }
    text
}
