//! Commands about person linkage.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anyhow::anyhow;
use clap::Subcommand;
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Failure, Output, change, look};
use crate::app::Database;
use crate::audit::Action;
use crate::config::Config;
use crate::jobs::Job;
use crate::linking::relink::{self, Relinked};
use crate::linking::run::{Progress, Runs};
use crate::linking::state::{self, State};
use crate::linking::train::{self, Trained};
use crate::local_time::local_time;
use crate::review::pairwise::{Pairwise, pairwise};
use crate::store::figures::person_month;

/// Pairs of mentions that are explained.
const MOST_PAIRS: usize = 16;

#[derive(Debug, Subcommand)]
pub(super) enum PersonsCommand {
    /// Link everything anew, after a first load or under other weights. Cases are taken in meanwhile, persons stand
    /// still, and what people decided stays.
    Relink,
    /// Train weights on what the hub holds; they wait to be put in force, beside how well they do.
    Train {
        /// Put them in force at once; then relink.
        #[arg(long)]
        activate: bool,
        /// Seed of what is drawn at random.
        #[arg(long, default_value_t = 2012)]
        seed: u64,
    },
    /// Put the weights that wait in force; then relink.
    Activate,
    /// How linkage stands: what waits, counts, what was left out, weights, the last runs.
    Status,
    /// Why two nodes are one person or are not, pair by pair and masked.
    Explain {
        /// Id of a node, or of one of its mentions.
        one: Uuid,
        other: Uuid,
    },
}

pub(super) async fn run(
    config: &Config,
    command: PersonsCommand,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        PersonsCommand::Relink => relink(config, output).await,
        PersonsCommand::Train {
            activate: at_once,
            seed,
        } => {
            train(config, seed, output).await?;
            match at_once {
                true => activate(config, output).await,
                false => Ok(()),
            }
        }
        PersonsCommand::Activate => activate(config, output).await,
        PersonsCommand::Status => status(config, output).await,
        PersonsCommand::Explain { one, other } => explain(config, [one, other], output).await,
    }
}

/// Standard error gets a line whenever a run gets on.
fn tell(progress: Progress) {
    let Progress { step, done, total } = progress;
    let far = match (done, total) {
        (0, 0) => String::new(),
        (done, 0) => format!(" {done}"),
        (done, total) => format!(" {done} of {total}"),
    };
    // Nobody may be listening any more; the run goes on.
    let _ = writeln!(io::stderr().lock(), "{}{far}", step.code());
}

pub(super) fn runs(database: &Database) -> Runs<'_> {
    Runs {
        long: &database.general,
        short: &database.linking,
        tell: &tell,
    }
}

async fn relink(config: &Config, output: &Output) -> Result<(), Failure> {
    let relinked = change(config, Action::RelinkPersons, json!({}), async |database| {
        let relinked = relink::relink(&runs(database)).await?;
        // Figures of persons are by the clusters in force.
        person_month::recount(&database.general).await?;
        let detail = serde_json::to_value(&relinked)?;
        Ok((relinked, detail))
    })
    .await?;
    output.print(&relinked, || of_relinked(&relinked))?;
    Ok(())
}

fn of_relinked(relinked: &Relinked) -> String {
    format!(
        "linked {} mentions in {:.1} s: {} nodes, {} persons; {} pairs compared, {} the same, {} for people to decide;\n\
         left out: {} keys with too many nodes, {} components too large; {} contested numbers; {} rows changed",
        relinked.mentions,
        relinked.seconds,
        relinked.nodes,
        relinked.persons,
        relinked.pairs,
        relinked.same,
        relinked.possible,
        relinked.overfull_keys,
        relinked.oversize_components,
        relinked.contested_numbers,
        relinked.changed_rows,
    )
}

async fn train(config: &Config, seed: u64, output: &Output) -> Result<(), Failure> {
    let trained = change(
        config,
        Action::TrainWeights,
        json!({ "seed": seed }),
        async |database| {
            let trained = train::train(&runs(database), seed, OffsetDateTime::now_utc()).await?;
            let detail = serde_json::to_value(&trained)?;
            Ok((trained, detail))
        },
    )
    .await?;
    output.print(&trained, || of_trained(&trained))?;
    Ok(())
}

fn of_trained(trained: &Trained) -> String {
    let quality = trained.quality;
    format!(
        "trained {} on {} mentions in {:.1} s: {} pairs, shares of {} names\n\
         on {} mentions with verified numbers, linked as if they had none:\n\
         precision {:.5}, recall {:.5}, F1 {:.5}, B-cubed F1 {:.5}; those in force: F1 {:.5}, B-cubed F1 {:.5}\n\
         to put it in force: notary-hub persons activate",
        trained.version,
        trained.mentions,
        trained.seconds,
        trained.pairs,
        trained.names,
        trained.measured_mentions,
        quality.precision,
        quality.recall,
        quality.f1,
        quality.b_cubed_f1,
        trained.present.f1,
        trained.present.b_cubed_f1,
    )
}

async fn activate(config: &Config, output: &Output) -> Result<(), Failure> {
    let version = change(
        config,
        Action::ActivateWeights,
        json!({}),
        async |database| {
            let version = train::activate(&database.general).await?;
            let version = version.ok_or_else(|| {
                anyhow!("no weights wait; make some with: notary-hub persons train")
            })?;
            let detail = json!({ "version": version });
            Ok((version, detail))
        },
    )
    .await?;
    output.print(&json!({ "version": version }), || {
        format!("{version} is in force; now link everything under it: notary-hub persons relink")
    })?;
    Ok(())
}

async fn status(config: &Config, output: &Output) -> Result<(), Failure> {
    let database = Database::open_or_join(config).await?;
    let state = state::state(&database.general).await;
    database.close().await?;
    let state = state?;
    output.print(&state, || of_state(&state))?;
    Ok(())
}

fn of_state(state: &State) -> String {
    let counts = state.counts;
    let weights = state.weights.as_deref().unwrap_or("those of the program");
    let mut text = format!("weights    {weights}");
    if !state.is_linked_under_these {
        text.push_str("; not everything is linked under them: notary-hub persons relink");
    }
    if let Some(candidate) = &state.candidate {
        text.push_str(&format!("; {candidate} waits: notary-hub persons activate"));
    }
    text.push_str(&format!(
        "\nwaiting    {} cases, the oldest for {:.0} s; {} rows of work set aside (notary-hub work set-aside)\n\
         persons    {} of {} nodes and {} mentions\n\
         links      {} the same, {} for people to decide, {} decisions in force\n\
         left out   {} keys with too many nodes, {} nodes of components too large\n\
         contested  {} numbers",
        state.waiting_cases,
        state.lag_seconds,
        state.set_aside,
        counts.persons,
        counts.nodes,
        counts.mentions,
        counts.same,
        counts.possible,
        counts.decisions,
        counts.overfull_keys,
        counts.oversize_nodes,
        counts.contested_numbers,
    ));
    for (name, run) in [("relink", &state.relink), ("train", &state.train)] {
        if let Some(run) = run {
            text.push_str(&of_run(name, run));
        }
    }
    text
}

fn of_run(name: &str, run: &Job) -> String {
    let Job {
        state,
        step,
        done,
        total,
        ..
    } = run;
    let step = step.code();
    let mut text = format!(
        "\n{name:<9}  {}, begun {}",
        state.text(),
        local_time(run.started_at)
    );
    if run.result.is_none() {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "; {step} {done} of {total}, said at {}",
            local_time(run.reported_at)
        );
    }
    text
}

async fn explain(config: &Config, ids: [Uuid; 2], output: &Output) -> Result<(), Failure> {
    let found = look(config, Action::ExplainPersons, async |database| {
        let mut connection = database.general.acquire().await?;
        let found = pairwise(&mut connection, ids, MOST_PAIRS).await?;
        Ok((found, json!({ "ids": ids })))
    })
    .await?;
    output.print(&found, || of_pairwise(&found))?;
    Ok(())
}

fn of_pairwise(found: &Pairwise) -> String {
    let standing = match (found.one_node, found.one_person) {
        (true, _) => "one node: equal verified numbers",
        (false, true) => "one person",
        (false, false) => "two persons",
    };
    let mut text = format!("{standing}\ncompared under:");
    for key in &found.keys {
        let left_out = if key.overfull {
            " (left out: too many)"
        } else {
            ""
        };
        text.push_str(&format!(" {} {}{left_out}", key.rule_zh, key.rule));
    }
    if found.keys.is_empty() {
        text.push_str(" nothing");
    }
    if !found.judgements.is_empty() {
        text.push_str(&format!(
            "\npeople decided: {}",
            found.judgements.join(", ")
        ));
    }
    for pair in &found.pairs {
        let [one, other] = &pair.sides;
        text.push_str(&format!(
            "\n\n{} {} {}  /  {} {} {}\n{:+.1} {}\n{}\n{}",
            one.office_id,
            one.source_case_id,
            one.name,
            other.office_id,
            other.source_case_id,
            other.name,
            pair.weight,
            pair.decision,
            pair.chinese,
            pair.english,
        ));
    }
    text
}
