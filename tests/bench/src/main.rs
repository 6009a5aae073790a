//! Ratios of the hub against what the machine could do at best, measured side by side in one run: everything runs on
//! the same cores against the same PostgreSQL, in rounds that interleave, and the medians of the rounds' ratios count.

mod agent;
mod copy;
mod growth;
mod ingest;
mod load;
mod lookup;
mod persons;
mod report;
mod site;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use mimalloc::MiMalloc;

use load::Load;
use report::{Report, Round};
use site::Site;

/// The hub runs in this process, with the allocator that it has in its own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Benchmarks of the hub as ratios.
#[derive(Debug, Parser)]
struct Options {
    /// Cases that each measurement takes in.
    #[arg(long, default_value_t = 60_000)]
    cases: u32,
    /// Rounds; medians are reported.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Cases that stand in the database before each measurement begins.
    #[arg(long, default_value_t = 0)]
    on_top_of: u32,
    /// Where the report goes as JSON.
    #[arg(long, default_value = "target/bench/report.json")]
    report: PathBuf,
    /// Seconds that either side of the look-ups runs in a round; 0 leaves them out.
    #[arg(long, default_value_t = 8)]
    lookup_seconds: u64,
    /// Parties among which persons are looked up; 0 leaves person linkage out.
    #[arg(long, default_value_t = 1_000_000)]
    persons: u32,
    /// Cases whose parties the workers of person linkage drain; 0 leaves that out.
    #[arg(long, default_value_t = 100_000)]
    drained: u32,
    /// Leave taking cases in and exact look-ups out.
    #[arg(long)]
    persons_only: bool,
    /// Fail when a gate is missed.
    #[arg(long, global = true)]
    strict: bool,
    #[command(subcommand)]
    other: Option<Other>,
}

#[derive(Debug, Subcommand)]
enum Other {
    /// Ten times as many cases, and many more offices.
    Growth(Growth),
}

#[derive(Debug, Args)]
struct Growth {
    /// Cases of the larger hub, ten times those of the smaller; ten million take about 20 GB.
    #[arg(long, default_value_t = 10_000_000)]
    cases: u32,
    /// Rounds; medians are reported.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds that either hub's look-ups run in a round.
    #[arg(long, default_value_t = 4)]
    lookup_seconds: u64,
    /// A Python that has DuckDB; `deploy/setup.sh versus` makes one.
    #[arg(long)]
    python: PathBuf,
    #[arg(long, default_value = "tests/bench/versus/month.py")]
    script: PathBuf,
    /// Where the report goes as JSON.
    #[arg(long, default_value = "target/bench/growth.json")]
    report: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let passes = match &options.other {
        None => ratios(&options).await?,
        Some(Other::Growth(growth)) => grow(growth).await?,
    };
    Ok(match options.strict && !passes {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

async fn grow(options: &Growth) -> anyhow::Result<bool> {
    let report = growth::Report::make(&growth::Options {
        cases: options.cases,
        rounds: options.rounds,
        time: Duration::from_secs(options.lookup_seconds),
        duckdb: growth::Setup {
            python: options.python.clone(),
            script: options.script.clone(),
        },
    })
    .await?;
    report.print()?;
    report::write(&report, &options.report)?;
    Ok(report.passes())
}

async fn ratios(options: &Options) -> anyhow::Result<bool> {
    report::progress("making cases and a database")?;
    let site = Site::start(options.on_top_of).await?;
    let load = Load::make(options.cases, 1)?;
    let mut report = Report::new(site.settings().await?, &load, options.on_top_of);
    let taking_in = match options.persons_only {
        true => 0,
        false => options.rounds.max(1),
    };
    for number in 1..=taking_in {
        let round = measure(&site, &load).await?;
        report::progress(&format!("round {number} of {}: {round}", options.rounds))?;
        report.add(round);
    }
    if options.lookup_seconds > 0 && !options.persons_only {
        report::progress("look-ups")?;
        let time = Duration::from_secs(options.lookup_seconds);
        report.add_lookups(lookups(&site, &load, options.rounds, time).await?);
    }
    if options.persons > 0 {
        report::progress("persons")?;
        report.add_persons({
            let (parties, drained) = (options.persons, options.drained);
            persons::measure(&site, parties, drained, options.rounds).await?
        });
    }
    site.stop().await?;
    report.print()?;
    report::write(&report, &options.report)?;
    Ok(report.passes())
}

/// One round: each measurement begins with a database of its own, all of them equally full.
async fn measure(site: &Site, load: &Load) -> anyhow::Result<Round> {
    let two = load.dealt_to("two", 2, 1000);
    let hub = site.hub().await?;
    let first = ingest::run(&hub, &two).await?;
    let rows = copy::take(&hub.url, &two).await?;
    let replay = ingest::run(&hub, &two).await?;
    hub.stop().await?;

    let copied = copy::put(&site.database().await?, &rows).await?;

    let thirty = load.dealt_to("thirty", 30, 20);
    let hub = site.hub().await?;
    let small = ingest::run(&hub, &thirty).await?;
    hub.stop().await?;
    Ok(Round {
        copy: load.rate(copied),
        first: load.rate(first),
        replay: load.rate(replay),
        small: load.rate(small),
    })
}

/// Rounds of look-ups over one hub that holds the load.
async fn lookups(
    site: &Site,
    load: &Load,
    rounds: u32,
    time: Duration,
) -> anyhow::Result<Vec<lookup::Round>> {
    let hub = site.hub().await?;
    let parts = load.dealt_to("two", 2, 1000);
    ingest::run(&hub, &parts).await?;
    hub.settle().await?;
    let bench = lookup::Bench::open(&hub, parts[0].office_id, time).await?;
    let mut taken = Vec::new();
    for _ in 0..rounds.max(1) {
        taken.push(bench.round(&hub).await?);
    }
    drop(bench);
    hub.stop().await?;
    Ok(taken)
}
