//! Commands about keys that wait to be enrolled.

use std::fmt::Write;

use anyhow::anyhow;
use clap::Subcommand;
use serde_json::json;

use super::{Failure, Output, change};
use crate::app::Database;
use crate::audit::Action;
use crate::config::Config;
use crate::local_time::local_time;
use crate::store::office::certificate::{self, Decision, PendingEnrolment};

#[derive(Debug, Subcommand)]
pub(super) enum EnrolCommand {
    /// List the keys that wait (identity.approve_enrolment).
    Pending,
    /// Let a key have a certificate; its agent asks again by itself.
    Approve {
        /// As `enrol pending` prints it, and as the agent shows it.
        key: String,
    },
    /// Refuse a key, and its join token with it.
    Refuse {
        /// As `enrol pending` prints it.
        key: String,
    },
}

pub(super) async fn run(
    config: &Config,
    command: EnrolCommand,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        EnrolCommand::Pending => pending(config, output).await,
        EnrolCommand::Approve { key } => decide(config, &key, Decision::Approved, output).await,
        EnrolCommand::Refuse { key } => decide(config, &key, Decision::Refused, output).await,
    }
}

async fn pending(config: &Config, output: &Output) -> Result<(), Failure> {
    let database = Database::open_or_join(config).await?;
    let waiting = certificate::pending_enrolments(&database.general).await;
    database.close().await?;
    let waiting = waiting?;
    output.print(&waiting, || table(&waiting))?;
    Ok(())
}

fn table(waiting: &[PendingEnrolment]) -> String {
    let mut text = format!("{:<16}  {:<20}  key\n", "office", "asked");
    for PendingEnrolment {
        office_id,
        key,
        asked_at,
    } in waiting
    {
        let asked = local_time(*asked_at);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{office_id:<16}  {asked:<20}  {key}");
    }
    text
}

async fn decide(
    config: &Config,
    key: &str,
    decision: Decision,
    output: &Output,
) -> Result<(), Failure> {
    let hash = data_encoding::HEXLOWER
        .decode(key.as_bytes())
        .map_err(|_| {
            Failure::Usage("a key has 64 hexadecimal digits; see: enrol pending".into())
        })?;
    let approved = decision == Decision::Approved;
    let action = match approved {
        true => Action::ApproveEnrolment,
        false => Action::RefuseEnrolment,
    };
    let office_id = change(config, action, json!({ "key": key }), async |database| {
        let decided = certificate::decide(&database.general, &hash, decision).await?;
        let office_id = decided
            .ok_or_else(|| anyhow!("no such key is waiting; see: notary-hub enrol pending"))?;
        Ok((office_id, json!({ "office": office_id, "key": key })))
    })
    .await?;
    output.print(
        &json!({ "office_id": office_id, "key": key, "approved": approved }),
        || match approved {
            true => format!("approved for {office_id}; its agent has a day to come back"),
            false => format!("refused for {office_id}"),
        },
    )?;
    Ok(())
}
