//! Commands about supervision.

mod rules;

use clap::Subcommand;
use serde_json::json;
use time::Date;

use super::{Failure, Output, change, day};
use crate::app::Database;
use crate::audit::Action;
use crate::config::Config;
use crate::store::supervision::work::{self, Waiting};
use crate::supervision::replay;
use rules::RulesCommand;

#[derive(Debug, Subcommand)]
pub(super) enum SupervisionCommand {
    /// What cases and filings are judged by: rules and tariff.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Say how many cases wait for the rules.
    Status,
    /// Put all cases before the rules in force; a running hub takes them up.
    Replay {
        /// Cases accepted, or else applied for, since that day alone.
        #[arg(long, value_parser = day)]
        since: Option<Date>,
    },
}

pub(super) async fn run(
    config: &Config,
    command: SupervisionCommand,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        SupervisionCommand::Rules(command) => rules::run(config, command, output).await,
        SupervisionCommand::Status => {
            let database = Database::open_or_join(config).await?;
            let waiting = work::waiting(&database.general).await;
            database.close().await?;
            let waiting = waiting?;
            Ok(output.print(&waiting, || standing(&waiting))?)
        }
        SupervisionCommand::Replay { since } => {
            let about = json!({ "since": since.map(|day| day.to_string()) });
            let put = change(config, Action::ReplaySupervision, about, async |database| {
                let put = replay::replay(&database.general, since).await?;
                Ok((put, json!({ "cases": put })))
            })
            .await?;
            Ok(output.print(&json!({ "cases": put }), || {
                format!("{put} cases wait for the rules; a running hub takes them up")
            })?)
        }
    }
}

fn standing(waiting: &Waiting) -> String {
    let mut text = format!(
        "{} cases wait, the oldest for {:.0} s",
        waiting.cases, waiting.lag_seconds
    );
    if waiting.set_aside > 0 {
        text.push_str(&format!(
            "; {} rows of work set aside: notary-hub work set-aside",
            waiting.set_aside
        ));
    }
    text
}
