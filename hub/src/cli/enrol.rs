//! Commands about keys that wait to be enrolled.

use std::fmt::Write;

use anyhow::anyhow;
use clap::Subcommand;
use linkage::office::OfficeId;
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
    /// Let a key have an office's certificate; its agent asks again by itself.
    Approve {
        /// The office that vouched for the key.
        office: OfficeId,
        /// As `enrol pending` prints it, and as the agent shows it.
        key: String,
    },
    /// Refuse a key, and its join token with it.
    Refuse {
        /// The office that the key asked for.
        office: OfficeId,
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
        EnrolCommand::Approve { office, key } => {
            decide(config, office, &key, Decision::Approved, output).await
        }
        EnrolCommand::Refuse { office, key } => {
            decide(config, office, &key, Decision::Refused, output).await
        }
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
    office_id: OfficeId,
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
    let detail = json!({ "office": office_id, "key": key });
    change(
        config,
        action,
        detail.clone(),
        async |database| match certificate::decide(&database.general, office_id, &hash, decision)
            .await?
        {
            true => Ok(((), detail)),
            false => Err(anyhow!(
                "no such key waits for {office_id}; see: notary-hub enrol pending"
            )
            .into()),
        },
    )
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
