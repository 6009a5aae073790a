//! Commands about the rules: what makes two cases the same matter, and what of a case may be told.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use clap::Subcommand;
use linkage::matter::MatterType;
use serde_json::{Value, json};
use time::Date;
use time::format_description::well_known::Rfc3339;

use super::{Failure, Output, day};
use crate::app::Database;
use crate::audit::{Audit, for_once, key_file};
use crate::config::Config;
use crate::duplicates::activation::{self, Pass, Progress};
use crate::duplicates::simulation::{self, Simulation};
use crate::local_time::local_time;
use crate::rules::{Edition, short};
use crate::store;
use crate::store::duplicate::replay::Difference;

/// Between two lines about how far an activation has come.
const SAY_EVERY: Duration = Duration::from_secs(2);

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// List the versions this database knows.
    List,
    /// Print the text of a version.
    Show {
        /// Without one: the version in force.
        version: Option<String>,
    },
    /// Say what is wrong with a text; the database is not asked.
    Check {
        /// Without one: the text this hub ships with.
        file: Option<PathBuf>,
    },
    /// Replay all cases under a text and print what would change; nothing is written.
    Simulate {
        /// Without one: the text this hub ships with.
        file: Option<PathBuf>,
        /// Only what concerns cases of that day and later, e.g. 2024-01-31.
        #[arg(long, value_parser = day)]
        since: Option<Date>,
        /// Pairs named of each rule and change.
        #[arg(long, default_value_t = simulation::SAMPLES)]
        samples: i64,
    },
    /// Put a text in force and bring all cases to it; run again, it goes on where it ended.
    Activate {
        /// Without one: the text this hub ships with.
        file: Option<PathBuf>,
    },
}

pub(super) async fn run(
    config: &Config,
    command: RulesCommand,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        RulesCommand::List => list(config, output).await,
        RulesCommand::Show { version } => show(config, version.as_deref(), output).await,
        RulesCommand::Check { file } => check(file.as_deref(), output),
        RulesCommand::Simulate {
            file,
            since,
            samples,
        } => simulate(config, file.as_deref(), since, samples, output).await,
        RulesCommand::Activate { file } => activate(config, file.as_deref(), output).await,
    }
}

fn edition(file: Option<&Path>) -> Result<Edition, Failure> {
    let Some(file) = file else {
        return Ok(Edition::shipped());
    };
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("read {}", file.display()))
        .map_err(Failure::Failed)?;
    Edition::parse(text)
        .with_context(|| format!("{}", file.display()))
        .map_err(|error| Failure::Failed(anyhow!("{error:#}")))
}

async fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let database = Database::open_or_join(config).await?;
    let versions = store::rules::all(&database.general).await;
    database.close().await?;
    let versions = versions?;
    let at = |at: time::OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
    let standing = |in_force: bool, stage: &str| match (in_force, stage) {
        (true, "done") => "in force",
        (true, _) => "in force, older cases wait for `rules activate`",
        (false, _) => "",
    };
    let values: Vec<Value> = versions
        .iter()
        .map(|it| {
            json!({
                "version": it.version, "digest": short(&it.digest), "registered_at": at(it.registered_at),
                "activated_at": it.activated_at.map(at),
                "in_force": it.in_force, "stage": it.stage,
            })
        })
        .collect();
    output.print(&values, || {
        let mut text = format!(
            "{:<12}  {:<12}  {:<20}  state\n",
            "version", "digest", "activated"
        );
        for it in &versions {
            let activated = it.activated_at.map(local_time).unwrap_or_default();
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{:<12}  {:<12}  {:<20}  {}",
                it.version,
                short(&it.digest),
                activated,
                standing(it.in_force, &it.stage)
            );
        }
        text
    })?;
    Ok(())
}

async fn show(config: &Config, version: Option<&str>, output: &Output) -> Result<(), Failure> {
    let database = Database::open_or_join(config).await?;
    let text = match version {
        Some(version) => store::rules::text_of(&database.general, version).await,
        None => store::rules::text_in_force(&database.general).await,
    };
    database.close().await?;
    let text = text?.ok_or_else(|| anyhow!("no such version; `notary-hub rules list` has them"))?;
    let value = json!({ "version": text.version, "content": text.content });
    output.print(&value, || text.content.clone())?;
    Ok(())
}

fn check(file: Option<&Path>, output: &Output) -> Result<(), Failure> {
    let Edition { rules, .. } = edition(file)?;
    let without = MatterType::all().filter(|matter| rules.no_duplicates(*matter).is_some());
    let (version, count, without) = (rules.version(), rules.rules().len(), without.count());
    let digest = short(rules.digest());
    let value =
        json!({ "version": version, "digest": digest, "rules": count, "matters_without": without });
    output.print(&value, || {
        format!("version {version} ({digest}): {count} rules; {without} matters have no duplicates, each with its reason")
    })?;
    Ok(())
}

async fn simulate(
    config: &Config,
    file: Option<&Path>,
    since: Option<Date>,
    samples: i64,
    output: &Output,
) -> Result<(), Failure> {
    let Edition { rules, .. } = edition(file)?;
    let database = Database::open_or_join(config).await?;
    let in_force = store::rules::in_force(&database.general).await;
    let simulated = simulation::simulate(&database.writers, &rules, since, samples).await;
    database.close().await?;
    let (in_force, simulation) = (in_force?, simulated?);
    let from = in_force.map_or_else(|| "none".to_owned(), |in_force| in_force.version);
    let value = json!({
        "from": from, "to": rules.version(), "cases": simulation.cases,
        "changes": simulation.differences.iter().map(change).collect::<Vec<_>>(),
    });
    output.print(&value, || text(&from, rules.version(), &simulation))?;
    Ok(())
}

/// One pair, with the count of its rule and change.
fn change(difference: &Difference) -> Value {
    json!({
        "rule_id": difference.rule_id, "change": difference.change, "pairs": difference.pairs,
        "severity_before": difference.severity_before, "severity_after": difference.severity_after,
        "cases": [[difference.left_office, difference.left_case], [difference.right_office, difference.right_case]],
    })
}

fn text(from: &str, to: &str, simulation: &Simulation) -> String {
    let mut text = format!(
        "rules {from} -> {to}, replayed over {} cases; nothing was written\n",
        simulation.cases
    );
    let mut groups: BTreeMap<(&str, &str), Vec<&Difference>> = BTreeMap::new();
    for difference in &simulation.differences {
        let group = (difference.rule_id.as_str(), difference.change.as_str());
        groups.entry(group).or_default().push(difference);
    }
    if groups.is_empty() {
        text.push_str("no finding would change\n");
    }
    for ((rule, change), pairs) in groups {
        let count = pairs.first().map_or(0, |pair| pair.pairs);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{rule:<30}  {change:<16}  {count}");
        for pair in pairs {
            let severity =
                |severity: &Option<String>| severity.as_deref().unwrap_or("-").to_owned();
            let _ = writeln!(
                text,
                "    {}/{} and {}/{}: {} -> {}",
                pair.left_office,
                pair.left_case,
                pair.right_office,
                pair.right_case,
                severity(&pair.severity_before),
                severity(&pair.severity_after)
            );
        }
    }
    text
}

async fn activate(config: &Config, file: Option<&Path>, output: &Output) -> Result<(), Failure> {
    let edition = edition(file)?;
    // Whatever could keep the entry from being made is found before anything is changed.
    let key = Arc::new(key_file::load_or_make(config)?);
    let database = Database::open_or_join(config).await?;
    let mut said = Instant::now();
    let say = |progress: Progress| {
        if said.elapsed() >= SAY_EVERY {
            said = Instant::now();
            let pass = match progress.pass {
                Pass::Keys => "keys",
                Pass::Findings => "findings",
                Pass::Persons => "persons",
            };
            output.progress(&format!(
                "{pass}: {} of {} cases",
                progress.cases, progress.of
            ));
        }
    };
    let activated = for_once(database.audit.clone(), key, async |audit: &Audit| {
        activation::activate(&database.writers, audit, &edition, say).await
    });
    let activated = activated.await;
    database.close().await?;
    let done = activated?;
    let version = edition.rules.version();
    let value = json!({ "version": version, "replaced": done.replaced, "opened": done.opened, "closed": done.closed });
    output.print(&value, || {
        format!(
            "rules {version} are in force for every case; findings opened: {}, closed: {}",
            done.opened, done.closed
        )
    })?;
    Ok(())
}
