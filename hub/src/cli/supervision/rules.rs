//! Commands about the rules of supervision and the tariff: what there is, what another text would change, and putting it
//! in force.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

use crate::app::Database;
use crate::audit::{Audit, for_once, key_file};
use crate::cli::{Failure, Output, day};
use crate::config::Config;
use crate::local_time::{local_day, local_time};
use crate::statistics::calendar::Calendar;
use crate::store::supervision::edition as store;
use crate::supervision::activation;
use crate::supervision::edition::{Edition, Part};
use crate::supervision::replay::{self, Change, Found, OfRule};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RulesCommand {
    /// List the versions this database knows.
    List,
    /// Print a text.
    Show {
        #[arg(value_enum)]
        part: PartName,
        /// Without one: the version in force.
        version: Option<String>,
    },
    /// Say what is wrong with texts; the database is not asked.
    Check {
        #[command(flatten)]
        texts: Texts,
    },
    /// Judge all cases by texts and print what would change; nothing is written.
    Simulate {
        #[command(flatten)]
        texts: Texts,
        /// Cases accepted, or else applied for, since that day alone.
        #[arg(long, value_parser = day)]
        since: Option<Date>,
    },
    /// Put texts in force and all cases before them; running hubs take both up.
    Activate {
        #[command(flatten)]
        texts: Texts,
    },
}

/// What a version is of.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum PartName {
    Rules,
    Tariff,
}

/// Texts by their files. A part without a file stays as it is in force; without any file both are those this hub ships
/// with.
#[derive(Debug, Args)]
pub(in crate::cli) struct Texts {
    /// Rules in the form of hub/rules/supervision.toml.
    file: Option<PathBuf>,
    /// Tariff in the form of hub/rules/tariff.toml.
    #[arg(long)]
    tariff: Option<PathBuf>,
}

pub(super) async fn run(
    config: &Config,
    command: RulesCommand,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        RulesCommand::List => list(config, output).await,
        RulesCommand::Show { part, version } => {
            show(config, part.into(), version.as_deref(), output).await
        }
        RulesCommand::Check { texts } => check(&texts, output),
        RulesCommand::Simulate { texts, since } => simulate(config, &texts, since, output).await,
        RulesCommand::Activate { texts } => activate(config, &texts, output).await,
    }
}

impl From<PartName> for Part {
    fn from(name: PartName) -> Self {
        match name {
            PartName::Rules => Self::Rules,
            PartName::Tariff => Self::Tariff,
        }
    }
}

impl Texts {
    const fn is_of_files(&self) -> bool {
        self.file.is_some() || self.tariff.is_some()
    }

    /// The edition, where what has no file is taken from `others`.
    fn beside(&self, others: Edition) -> Result<Edition, Failure> {
        let read = |path: &PathBuf| {
            std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
        };
        let rules = self.file.as_ref().map(read).transpose()?;
        let tariff = self.tariff.as_ref().map(read).transpose()?;
        let files = [&self.file, &self.tariff].into_iter().flatten();
        let names: Vec<String> = files.map(|path| path.display().to_string()).collect();
        others
            .with(rules, tariff)
            .map_err(|error| Failure::Failed(anyhow!("{}: {error}", names.join(", "))))
    }

    async fn edition(&self, database: &Database) -> Result<Edition, Failure> {
        let others = match self.is_of_files() {
            true => {
                let mut connection = database.general.acquire().await?;
                let in_force = Edition::in_force(&mut connection).await;
                in_force.map_err(anyhow::Error::from)?
            }
            false => Edition::shipped(),
        };
        self.beside(others)
    }
}

async fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let database = Database::open_or_join(config).await?;
    let versions = store::all(&database.general).await;
    database.close().await?;
    let versions = versions?;
    let at = |at: OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
    let digest = |of: &store::Version| data_encoding::HEXLOWER.encode(&of.digest[..6]);
    let values: Vec<Value> = versions
        .iter()
        .map(|it| {
            json!({
                "part": it.part.code(), "version": it.version, "digest": digest(it),
                "registered_at": at(it.registered_at), "activated_at": it.activated_at.map(at), "in_force": it.in_force,
            })
        })
        .collect();
    output.print(&values, || {
        let mut text = format!(
            "{:<6}  {:<12}  {:<12}  {:<20}  state\n",
            "part", "version", "digest", "activated"
        );
        for it in &versions {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{:<6}  {:<12}  {:<12}  {:<20}  {}",
                it.part.code(),
                it.version,
                digest(it),
                it.activated_at.map(local_time).unwrap_or_default(),
                if it.in_force { "in force" } else { "" }
            );
        }
        text
    })?;
    Ok(())
}

async fn show(
    config: &Config,
    part: Part,
    version: Option<&str>,
    output: &Output,
) -> Result<(), Failure> {
    let database = Database::open_or_join(config).await?;
    let text = async {
        let mut connection = database.general.acquire().await?;
        store::text(&mut connection, part, version).await
    };
    let text = text.await;
    database.close().await?;
    let text = text?
        .ok_or_else(|| anyhow!("no such version; `notary-hub supervision rules list` has them"))?;
    let value = json!({ "part": part.code(), "version": text.version, "content": text.content });
    output.print(&value, || text.content.clone())?;
    Ok(())
}

fn check(texts: &Texts, output: &Output) -> Result<(), Failure> {
    let rules = texts.beside(Edition::shipped())?.rules;
    let (version, count, tables) = (
        &rules.version,
        rules.rules.len(),
        rules.tariff.tables().len(),
    );
    let value = json!({ "version": version, "rules": count, "tariff_tables": tables });
    output.print(&value, || {
        format!("version {version}: {count} rules, {tables} tables of fees")
    })?;
    Ok(())
}

async fn simulate(
    config: &Config,
    texts: &Texts,
    since: Option<Date>,
    output: &Output,
) -> Result<(), Failure> {
    let database = Database::open_or_join(config).await?;
    let simulated = async {
        let mut connection = database.general.acquire().await?;
        let in_force = Edition::in_force(&mut connection)
            .await
            .map_err(anyhow::Error::from)?;
        drop(connection);
        let rules = texts.edition(&database).await?.rules;
        let (today, calendar) = (local_day(OffsetDateTime::now_utc()), Calendar::builtin());
        let found = replay::simulate(&database.general, &rules, &calendar, today, since).await?;
        Ok::<_, Failure>((in_force.rules.version, found))
    };
    let simulated = simulated.await;
    database.close().await?;
    let (from, found) = simulated?;
    let value = json!({ "from": from, "to": found.rules_version, "cases": found.cases, "rules": found.rules });
    output.print(&value, || text(&from, &found))?;
    Ok(())
}

fn text(from: &str, found: &Found) -> String {
    let mut text = format!(
        "rules {from} -> {}, judged over {} cases; nothing was written\n{:<24}  {:>8}  {:>8}  {:>8}  {:>8}  {:>8}\n",
        found.rules_version, found.cases, "rule", "hits", "opens", "clears", "alters", "reopens"
    );
    for (rule, of) in &found.rules {
        let OfRule {
            hits,
            opens,
            clears,
            reopens,
            alters,
            examples,
        } = of;
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{rule:<24}  {hits:>8}  {opens:>8}  {clears:>8}  {alters:>8}  {reopens:>8}"
        );
        for example in examples {
            let change = match example.change {
                Change::Opens => "opens",
                Change::Clears => "clears",
                Change::Reopens => "reopens",
                Change::Alters => "alters",
            };
            let (office, about, key) =
                (example.office_id, example.about.code(), &example.about_key);
            let _ = writeln!(text, "    {change:<8}  {office}: {about} {key}");
        }
    }
    text
}

async fn activate(config: &Config, texts: &Texts, output: &Output) -> Result<(), Failure> {
    // Whatever could keep the entry from being made is found before anything is changed.
    let key = Arc::new(key_file::load_or_make(config)?);
    let database = Database::open_or_join(config).await?;
    let activated = for_once(database.audit.clone(), key, async |audit: &Audit| {
        let edition = texts.edition(&database).await?;
        let done = activation::activate(&database.general, audit, &edition).await?;
        Ok::<_, Failure>((edition.rules.version, done))
    });
    let activated = activated.await;
    database.close().await?;
    let (version, done) = activated?;
    let replaced = done.replaced.iter();
    let replaced: Vec<Value> = replaced
        .map(|(part, version)| json!({ "part": part.code(), "version": version }))
        .collect();
    let value = json!({ "version": version, "replaced": replaced, "cases": done.cases });
    output.print(&value, || match replaced.is_empty() {
        true => format!("rules {version} are in force already"),
        false => format!(
            "rules {version} are in force; {} cases wait to be judged by them, running hubs take them up",
            done.cases
        ),
    })?;
    Ok(())
}
