//! The demo from its first line to its last.

mod arrival;
mod cast;
mod folder;
mod lookups;
mod report;
mod statistics;
mod summary;
mod supervision;
pub(crate) mod terminal;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use sandbox::{Bureau, BureauOptions, Reckoning, Setting, Systems, Town};
use synthetic_city::CityPlan;
use tokio::signal::unix::{SignalKind, signal};

use folder::Folder;
use summary::Summary;
use terminal::{Progress, say, thousands};

/// What the command line asks for.
#[derive(Clone, Debug)]
pub(crate) struct Demo {
    pub(crate) cases: u32,
    pub(crate) seed: u64,
    pub(crate) once: bool,
    pub(crate) folder: PathBuf,
}

/// A signal to stop.
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

impl Demo {
    /// Runs to the end, or to the signal that ends it. True when all figures are as they must be.
    pub(crate) async fn run(&self) -> anyhow::Result<bool> {
        let mut stop = Stop::new()?;
        let folder = Folder::take(&self.folder).await?;
        let mut built = None;
        let outcome = tokio::select! {
            outcome = self.play(&folder, &mut built) => Some(outcome),
            () = stop.asked() => None,
        };
        let stays = !self.once && matches!(outcome, Some(Ok(_)));
        if let (true, Some(setting)) = (stays, &built) {
            say(&addresses(setting, &folder)?);
            stop.asked().await;
        }
        let closed = match built {
            Some(setting) => {
                if !self.once {
                    say("\nstopping");
                }
                setting.close().await
            }
            None => Ok(()),
        };
        match outcome {
            Some(Ok(summary)) => {
                closed?;
                if self.once {
                    say(&format!("SUMMARY {}", serde_json::to_string(&summary)?));
                }
                Ok(summary.is_well())
            }
            Some(Err(error)) => Err(error),
            // Somebody ended it before there was anything to judge.
            None => closed.map(|()| !self.once),
        }
    }

    async fn play(&self, folder: &Folder, built: &mut Option<Setting>) -> anyhow::Result<Summary> {
        let began = Instant::now();
        let setting = built.insert(self.build(folder).await?);
        setting.enrol().await?;
        let home = setting.agents[0].office_id().to_owned();
        cast::add(&setting.bureau, &home).await?;
        supervision::register(&setting.bureau, setting.town.city()).await?;
        say(&format!(
            "{} offices enrolled; their agents read, the hub takes in:",
            setting.agents.len()
        ));
        setting.start_agents()?;
        let seconds = arrival::watch(setting).await?;
        let linking_seconds = arrival::linked(setting).await?;
        let agent_memory_mb = arrival::agent_memory(setting)?;
        let reckoning = setting.reckon().await?;
        let at_hub = reckoning.at_hub();
        say(&format!(
            "  {} cases in {seconds:.1} s, {} a second, each acknowledged after COMMIT",
            thousands(at_hub),
            thousands((at_hub as f64 / seconds) as u64)
        ));
        say(&format!(
            "  persons linked {linking_seconds:.1} s after the last of them; no agent holds more than {agent_memory_mb:.1} MB\n"
        ));
        let differences = setting.statistics_differences().await?;
        tell(&reckoning, differences);
        let oversight = supervision::judge(setting).await?;
        say(
            "\nBreaches of the rules of supervision, once the offices have filed (office-agent file):",
        );
        say(&report::breaches(&oversight.breaches));
        say(&report::left_out(&oversight.left_out));
        say("\nThree look-ups (office-agent check):");
        say(&lookups::ask(&setting.town, &setting.agents[0]).await?);
        say(&format!("\nStatistics (GET {}):", statistics::PATH));
        say(&statistics::table(&setting.bureau).await?);
        let figures = setting.figures().await?;
        say(&report::figures(&figures));
        Ok(Summary::new(
            &reckoning,
            &oversight,
            &figures,
            differences,
            linking_seconds,
            agent_memory_mb,
            began.elapsed().as_secs_f64(),
        ))
    }

    async fn build(&self, folder: &Folder) -> anyhow::Result<Setting> {
        let plan = CityPlan::of_size(self.seed, self.cases);
        say(&format!(
            "A synthetic city of {} offices with {} cases (seed {}), in {}",
            plan.offices,
            thousands(plan.cases.into()),
            plan.seed,
            folder.path().display()
        ));
        let writing = Progress::new("writing", plan.cases.into(), &[]);
        let counter = writing.counter();
        let offices = folder.path().join("offices");
        let written = move |cases| counter.inc(cases);
        let town = Town::build(&offices, &plan, Systems::Postgres, written).await?;
        let seconds = writing.finish();
        say(&format!(
            "  the offices' own systems are written ({seconds:.1} s)"
        ));
        let options = BureauOptions::default();
        let mut bureau = Bureau::found(&folder.path().join("bureau"), &options).await?;
        bureau.open().await.context("start the hub")?;
        let offices = (0..town.city().offices().len()).collect();
        Ok(Setting {
            town,
            bureau,
            agents: Vec::new(),
            offices,
        })
    }
}

fn tell(reckoning: &Reckoning, statistics_differences: usize) {
    say("Cases by office, compared key by key with the hub's database:");
    say(&report::offices(reckoning));
    say("\nRejects by rule, each named to its office:");
    say(&report::rejects(reckoning));
    say("\nDuplicate applications:");
    say(&report::duplicates(reckoning));
    say(&format!(
        "\nStatistics recomputed from the cases (notary-hub stats verify): {statistics_differences} differences"
    ));
    if let Some(complaints) = report::complaints(reckoning) {
        say(&format!("\n{complaints}"));
    }
}

fn addresses(setting: &Setting, folder: &Folder) -> anyhow::Result<String> {
    let at = setting.bureau.addresses();
    let people = at.people;
    let agent = &setting.agents[0];
    let port = agent.local_address()?.port();
    let lookups::Example {
        matter,
        party,
        person,
    } = lookups::example(setting.town.city(), agent.office_id())
        .context("the city has a planted duplicate")?;
    Ok(format!(
        "\nThe city stays up until Ctrl-C.\n\
         \n  console         https://{people}/\n  its look-ups    https://{people}/check?agent={port}\n  \
         to look up      {matter} {party}\n  or by name      {person}\n\
         \n  people (REST)   https://{people}/api/v1/\n  agents (gRPC)   https://{}\n  metrics         http://{}/metrics\n\
         \n  CA file         {}\n  hub             notary-hub office list --config {}\n  \
         an agent        office-agent status --config {}\n\
         \nAccounts, all with the password {}:\n{}\n\
         \nEverything lives in {}.",
        at.agents,
        at.metrics,
        setting.bureau.ca_file().display(),
        setting.bureau.config_file().display(),
        agent.config_file().display(),
        cast::PASSWORD,
        cast::lines(),
        folder.path().display()
    ))
}
