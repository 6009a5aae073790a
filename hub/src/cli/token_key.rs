//! Commands about changing the city's token key: docs/token-key.md.

use std::fmt::Write;

use anyhow::anyhow;
use clap::Subcommand;
use linkage::token::TokenAlgorithm;
use serde_json::json;

use super::{Failure, Output, change, persons};
use crate::app::{Database, settle};
use crate::audit::Action;
use crate::config::Config;
use crate::identity::pki::token_key_file;
use crate::local_time::local_time;
use crate::rekey::{self, Retirement};
use crate::store::token_key::{self, OfficeStanding, Outdated};
use crate::store::tx;

#[derive(Debug, Subcommand)]
pub(super) enum TokenKeyCommand {
    /// Make the key that is to follow and hand it out; offices send their cases' tokens under both from then on.
    Rotate {
        /// How its tokens are computed, when it is to be another way.
        #[arg(long, value_name = "hmac_sha256|hmac_sm3")]
        token_algorithm: Option<TokenAlgorithm>,
    },
    /// Go over to the key that is to follow, in one step at a quiet hour: offices' records wait meanwhile, look-ups do not.
    /// The present key is gone then, and nothing brings it back.
    Retire {
        /// Cases that may be left behind under the present key, where they match nothing.
        #[arg(long, value_name = "N", default_value_t = 0)]
        leave: u64,
    },
    /// Take the key that is to follow back; agents forget it when they next renew.
    Withdraw,
    /// Say which keys there are, which offices have the one that is to follow, and what they still lack.
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
        TokenKeyCommand::Retire { leave } => retire(config, leave, output).await,
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
    let about = json!({ "algorithm": algorithm.map(TokenAlgorithm::code) });
    let id = change(config, Action::RotateTokenKey, about, async |database| {
        settle(config, &database.general).await?;
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
        Ok((id, detail))
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

async fn retire(config: &Config, leave: u64, output: &Output) -> Result<(), Failure> {
    let dir = config.pki_dir();
    let about = json!({ "leave": leave });
    let gone_over = change(config, Action::RetireTokenKey, about, async |database| {
        settle(config, &database.general).await?;
        let here = token_key_file::load(&dir)?.next.map(|key| key.id());
        let gone_over = match rekey::retire(&persons::runs(database), here, leave).await? {
            Retirement::Done(gone_over) => gone_over,
            Retirement::Refused(refusal) => return Err(refusal.into()),
        };
        // The database has gone over; a folder that cannot follow now does when a hub starts.
        settle(config, &database.general).await?;
        let detail = serde_json::to_value(&gone_over)?;
        Ok((gone_over, detail))
    })
    .await?;
    output.print(&gone_over, || {
        format!(
            "key {} is the city's token key now ({:.1} s): {} cases with {} parties and {} subjects, {} persons; {} cases were left behind\n\
             agents follow when they next speak to a hub; another hub of this database needs the same token.key\n\
             make a backup now: one of before knows the key that is gone",
            gone_over.key_id,
            gone_over.seconds,
            gone_over.cases,
            gone_over.parties,
            gone_over.subjects,
            gone_over.persons,
            gone_over.left,
        )
    })?;
    Ok(())
}

async fn withdraw(config: &Config, output: &Output) -> Result<(), Failure> {
    let dir = config.pki_dir();
    let id = change(
        config,
        Action::WithdrawTokenKey,
        json!({}),
        async |database| {
            let here = token_key_file::load(&dir)?.next.map(|key| key.id());
            // The file first: what is no longer there is handed out to nobody, whatever happens next.
            token_key_file::remove_next(&dir)?;
            let withdrawn = tx::tx(
                &database.general,
                "token_key.withdraw",
                async |transaction| {
                    token_key::keep_out(&mut *transaction).await?;
                    token_key::withdraw(transaction).await
                },
            );
            let id = withdrawn
                .await?
                .or(here)
                .ok_or_else(|| anyhow!("no change of the token key is under way"))?;
            Ok((id, json!({ "key_id": id })))
        },
    )
    .await?;
    output.print(&json!({ "withdrawn": id }), || {
        format!(
            "key {id} follows no more\nremove next-token.key from the other hubs of this database, if there are any"
        )
    })?;
    Ok(())
}

async fn status(config: &Config, output: &Output) -> Result<(), Failure> {
    let database = Database::open_or_join(config).await?;
    let standing = async {
        settle(config, &database.general).await?;
        let outdated = token_key::outdated(&database.general).await?;
        let next = token_key::under_way(&database.general).await?;
        let offices = match next {
            Some(next) => token_key::offices(&database.general, next).await?,
            None => Vec::new(),
        };
        Ok::<_, anyhow::Error>((next, offices, outdated))
    };
    let standing = standing.await;
    database.close().await?;
    let (next, offices, outdated) = standing?;
    let keys = token_key_file::load(&config.pki_dir())?;
    let here = keys.next.as_ref().map(linkage::token::TokenKey::id);
    let value = json!({
        "present": keys.present.id(),
        "algorithm": keys.present.algorithm().code(),
        "next": next,
        "next_in_this_folder": here.is_some() && here == next,
        "offices": offices,
        "to_be_put_anew": outdated,
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
        text += &to_be_put_anew(outdated);
        text
    })?;
    Ok(())
}

/// Empty where nothing is.
fn to_be_put_anew(outdated: Outdated) -> String {
    let Outdated {
        planted_identities,
        declared_relatives,
        standing_questions,
    } = outdated;
    match outdated == Outdated::default() {
        true => String::new(),
        false => format!(
            "made with a former key, match nothing and are to be put anew: {planted_identities} planted identities, \
             {declared_relatives} declared relatives, {standing_questions} standing questions\n"
        ),
    }
}

fn table(next: u32, offices: &[OfficeStanding]) -> String {
    let mut text = format!(
        "key {next} is to follow\n\n{:<16}  {:<8}  {:<20}  cases without its tokens\n",
        "office", "has it", "last there"
    );
    for office in offices {
        let has = match (office.active, office.has_next) {
            (false, _) => "revoked",
            (true, true) => "yes",
            (true, false) => "no",
        };
        let seen = office
            .last_seen_at
            .map_or_else(|| "never".to_owned(), local_time);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<16}  {has:<8}  {seen:<20}  {}",
            office.office_id, office.lacking
        );
    }
    text
}
