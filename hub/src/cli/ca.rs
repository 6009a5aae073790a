//! Commands about the city's certificate authority.

use std::fmt::Write;

use anyhow::anyhow;
use clap::Subcommand;
use serde_json::json;
use time::OffsetDateTime;

use super::{Failure, Output, change};
use crate::app::Database;
use crate::audit::Action;
use crate::config::Config;
use crate::identity::enrolment::still_chained_elsewhere;
use crate::identity::pki::authority::Authority;
use crate::identity::pki::ca::{self, Phase, Step};
use crate::local_time::local_time;
use crate::store::office::certificate::StillChained;

#[derive(Debug, Subcommand)]
pub(super) enum CaCommand {
    /// List the CAs that are trusted, and what each is for.
    List,
    /// Make the next CA and trust it beside the present one.
    Rotate,
    /// Let the next CA sign offices' certificates. Every hub of the database must have it by then.
    Activate,
    /// Trust the old CA no longer. Refused while an office could still speak with a certificate of it.
    Retire,
}

pub(super) async fn run(
    config: &Config,
    command: CaCommand,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        CaCommand::List => list(config, output),
        CaCommand::Rotate => step(config, Step::Rotate, output).await,
        CaCommand::Activate => step(config, Step::Activate, output).await,
        CaCommand::Retire => {
            if let Some(problem) = retirement_problem(config).await? {
                return Err(problem);
            }
            step(config, Step::Retire, output).await
        }
    }
}

fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let (phase, cas) = ca::list(config)?;
    output.print(&json!({ "phase": phase, "cas": cas }), || {
        let mut text = String::new();
        for ca in &cas {
            let offices = if ca.signs_offices {
                " signs offices"
            } else {
                ""
            };
            let hub = if ca.signs_hub { " signs the hub" } else { "" };
            let fingerprint = &ca.fingerprint[..16];
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{fingerprint}  {}{offices}{hub}", ca.file.display());
        }
        text
    })?;
    Ok(())
}

async fn step(config: &Config, step: Step, output: &Output) -> Result<(), Failure> {
    let action = match step {
        Step::Rotate => Action::RotateCa,
        Step::Activate => Action::ActivateCa,
        Step::Retire => Action::RetireCa,
    };
    let phase = change(config, action, json!({}), async |_| {
        let phase = ca::step(config, step, OffsetDateTime::now_utc())?;
        Ok((phase, json!({ "phase": phase })))
    })
    .await?;
    output.print(&json!({ "phase": phase }), || {
        let next = match phase {
            Phase::Prepared => {
                "copy the pki folder to the other hubs of this database, if there are any; then: notary-hub ca activate"
            }
            Phase::Activated => {
                "copy ca.toml as well; once every office has renewed: notary-hub ca retire"
            }
            Phase::Single => "the old CA is gone; give new agents anchors.pem",
        };
        format!("done; a running hub takes it in within seconds\n{next}")
    })?;
    Ok(())
}

/// Why the old CA cannot be retired yet.
async fn retirement_problem(config: &Config) -> Result<Option<Failure>, Failure> {
    let authority = Authority::load(config)?;
    authority.phase().transition(Step::Retire)?;
    let database = Database::open_or_join(config).await?;
    let grace = config.identity.renewal_grace.into();
    let left = still_chained_elsewhere(&database.general, &authority, grace).await;
    database.close().await?;
    let left = left?;
    Ok((!left.is_empty()).then(|| Failure::Failed(anyhow!(refusal(&left)))))
}

fn refusal(left: &[StillChained]) -> String {
    let offices: Vec<String> = left
        .iter()
        .map(|office| format!("{} until {}", office.office_id, local_time(office.until)))
        .collect();
    format!(
        "certificates of the old CA are still good: {}; wait, or revoke those offices",
        offices.join(", ")
    )
}
