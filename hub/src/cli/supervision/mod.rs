//! Commands about the rules of supervision.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;
use time::{Date, OffsetDateTime};

use super::{Failure, Output};
use crate::app::Database;
use crate::config::Config;
use crate::local_time::local_day;
use crate::statistics::calendar::Calendar;
use crate::store::supervision::work::{self, SetAside, Waiting};
use crate::supervision::replay::{self, Found};
use crate::supervision::rule::Rules;
use crate::supervision::tariff::Tariff;

#[derive(Debug, Subcommand)]
pub(super) enum SupervisionCommand {
    /// Say what rules would find in all cases, and write nothing.
    Simulate {
        /// Rules in the form of hub/rules/supervision.toml; without it those in force.
        #[arg(long)]
        rules: Option<PathBuf>,
        /// Tariff in the form of hub/rules/tariff.toml; without it that in force.
        #[arg(long)]
        tariff: Option<PathBuf>,
        /// Cases accepted, or else applied for, since that day alone.
        #[arg(long, value_parser = day)]
        since: Option<Date>,
    },
    /// Say how many cases wait for the rules, and which could not be judged.
    Status,
    /// Put all cases before the rules in force; a running hub takes them up.
    Replay {
        /// Cases accepted, or else applied for, since that day alone.
        #[arg(long, value_parser = day)]
        since: Option<Date>,
    },
}

fn day(text: &str) -> Result<Date, String> {
    let form = time::macros::format_description!("[year]-[month]-[day]");
    Date::parse(text, form).map_err(|_| "expected a day, e.g. 2024-06-03".to_owned())
}

pub(super) async fn run(
    config: &Config,
    command: SupervisionCommand,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        SupervisionCommand::Simulate {
            rules,
            tariff,
            since,
        } => {
            let rules = read(rules, tariff)?;
            let database = Database::open_or_join(config).await?;
            let today = local_day(OffsetDateTime::now_utc());
            let calendar = Calendar::builtin();
            let found = replay::simulate(&database.general, &rules, &calendar, today, since).await;
            database.close().await?;
            let found = found?;
            Ok(output.print(&found, || text(&found))?)
        }
        SupervisionCommand::Status => {
            let database = Database::open_or_join(config).await?;
            let waiting = work::waiting(&database.general).await;
            database.close().await?;
            let waiting = waiting?;
            Ok(output.print(&waiting, || standing(&waiting))?)
        }
        SupervisionCommand::Replay { since } => {
            let database = Database::open_or_join(config).await?;
            let put = replay::replay(&database.general, since).await;
            database.close().await?;
            let put = put?;
            Ok(output.print(&json!({ "cases": put }), || {
                format!("{put} cases wait for the rules; a running hub takes them up")
            })?)
        }
    }
}

fn read(rules: Option<PathBuf>, tariff: Option<PathBuf>) -> Result<Rules, Failure> {
    let file = |path: PathBuf| {
        std::fs::read_to_string(&path)
            .map_err(|error| Failure::Usage(format!("read {}: {error}", path.display())))
    };
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    let tariff = match tariff {
        Some(path) => Tariff::parse(&file(path)?).map_err(|error| usage(&error))?,
        None => Tariff::builtin(),
    };
    let text = match rules {
        Some(path) => file(path)?,
        None => crate::supervision::rule::BUILTIN.to_owned(),
    };
    Rules::parse(&text, tariff).map_err(|error| usage(&error))
}

fn standing(waiting: &Waiting) -> String {
    let mut text = format!(
        "{} cases wait, the oldest for {:.0} s; {} could not be judged\n",
        waiting.cases,
        waiting.lag_seconds,
        waiting.set_aside.len()
    );
    for SetAside {
        office_id,
        source_case_id,
        since,
    } in &waiting.set_aside
    {
        let what = source_case_id.as_deref().unwrap_or("(what it filed)");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{office_id}  {what}  since {}", local_day(*since));
    }
    text
}

fn text(found: &Found) -> String {
    let mut text = format!("rules {}, {} cases\n", found.rules_version, found.cases);
    for (rule, hits) in &found.hits {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{rule:<24}  {hits:>8}");
    }
    text
}
