//! Commands about planted identities.

use std::fmt::Write as _;

use anyhow::anyhow;
use clap::Subcommand;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use linkage::token::Token;
use serde_json::json;

use super::{Failure, Output, change};
use crate::app::Database;
use crate::audit::Action;
use crate::config::Config;
use crate::store;

#[derive(Debug, Subcommand)]
pub(super) enum HoneyCommand {
    /// Let any look-up for this token raise an alarm.
    Plant {
        /// Token of a number that nobody has, 32 hexadecimal digits.
        token: Honey,
        /// Where it was planted; no names or numbers.
        #[arg(long)]
        note: String,
    },
    /// List what is planted.
    List,
    /// Take a token back.
    Remove { token: Honey },
}

/// A token as it is typed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Honey(Token);

impl std::str::FromStr for Honey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        let token = bytes.and_then(|bytes| Token::try_from(bytes.as_slice()).ok());
        token.map(Self).ok_or("32 hexadecimal digits")
    }
}

pub(super) async fn run(
    config: &Config,
    command: HoneyCommand,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        HoneyCommand::Plant { token, note } => plant(config, token.0, note.trim(), output).await,
        HoneyCommand::List => list(config, output).await,
        HoneyCommand::Remove { token } => remove(config, token.0, output).await,
    }
}

async fn plant(config: &Config, token: Token, note: &str, output: &Output) -> Result<(), Failure> {
    if !(1..=200).contains(&note.chars().count()) || note.chars().any(char::is_control) {
        return Err(Failure::Usage("--note: 1 to 200 characters".into()));
    }
    // The log is read by more people than may know which token it is.
    change(config, Action::PlantHoney, json!({}), async |database| {
        if store::alarm::is_somebodys(&database.general, token).await? {
            return Err(
                anyhow!("cases are known of this token; plant a number that nobody has").into(),
            );
        }
        store::alarm::plant(&database.general, token, note).await?;
        Ok(((), json!({})))
    })
    .await?;
    output.print(&json!({ "planted": true }), || {
        "planted; a running hub heeds it within seconds".into()
    })?;
    Ok(())
}

async fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let database = Database::open_or_join(config).await?;
    let planted = store::alarm::planted(&database.general).await;
    database.close().await?;
    let planted = planted?;
    let value: Vec<_> = planted
        .iter()
        .map(|one| json!({ "token": HEXLOWER.encode(&one.token), "note": one.note }))
        .collect();
    output.print(&value, || {
        planted.iter().fold(String::new(), |mut text, one| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}  {}", HEXLOWER.encode(&one.token), one.note);
            text
        })
    })?;
    Ok(())
}

async fn remove(config: &Config, token: Token, output: &Output) -> Result<(), Failure> {
    change(config, Action::RemoveHoney, json!({}), async |database| {
        if !store::alarm::remove(&database.general, token).await? {
            return Err(anyhow!("this token is not planted; see: notary-hub honey list").into());
        }
        Ok(((), json!({})))
    })
    .await?;
    output.print(&json!({ "removed": true }), || "removed".into())?;
    Ok(())
}
