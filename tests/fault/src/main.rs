//! `fault`: breaks a city at random while it works, then lets it settle and counts. See `fault --help`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;

use fault::{Fault, OFFICES, Report, Round, Run};

/// Kills and pauses hub, agents and PostgreSQL, breaks the network, fills disks and sets clocks under load, round by round,
/// each with a city of its own; after each round everything must be at the hub, once, and no look may have gone back. Seeds
/// that once failed come first.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// No round begins after so many minutes. From ten on, whatever the machine can throw must have been thrown.
    #[arg(long, default_value_t = 2.0)]
    minutes: f64,
    /// The seed of the first round that is not one of those kept; the others follow. The same seed throws the same
    /// faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Faults of one round.
    #[arg(long, default_value_t = 30)]
    faults: u64,
    /// Cases of one round's city.
    #[arg(long, default_value_t = 12_000)]
    cases: u32,
    /// Only faults of this kind, as the report names it; may be said more than once.
    #[arg(long = "throw", value_name = "KIND")]
    kinds: Vec<Fault>,
    /// Where rounds live and the report goes.
    #[arg(long, default_value = "target/fault")]
    folder: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the command's output")]
fn complain(text: &str) {
    eprintln!("fault: {text}");
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(text: &str) {
    println!("{text}");
}

async fn run(arguments: Arguments) -> anyhow::Result<bool> {
    let Arguments {
        minutes,
        seed,
        faults,
        cases,
        kinds,
        folder,
    } = arguments;
    let kinds = match kinds.is_empty() {
        true => Fault::all().collect(),
        false => kinds,
    };
    std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    let until = Instant::now() + Duration::from_secs_f64(minutes * 60.0);
    let (city, report_file) = (folder.join("city"), folder.join("report.json"));
    let mut report = Report::new(Run {
        seed,
        minutes,
        kinds: kinds.clone(),
        agents: OFFICES.into(),
    });
    let new = (seed..).filter(|seed| !fault::KEPT.contains(seed));
    for seed in fault::KEPT.into_iter().chain(new) {
        if Instant::now() >= until {
            break;
        }
        let round = Round {
            seed,
            cases,
            faults,
            kinds: kinds.clone(),
        };
        let outcome = tokio::select! {
            outcome = round.play(&city) => outcome,
            _ = tokio::signal::ctrl_c() => break,
        };
        let outcome = outcome.with_context(|| format!("round with seed {seed}"))?;
        say(&outcome.line());
        report.add(outcome);
        report.write(&report_file)?;
    }
    report.write(&report_file)?;
    say(&report.text());
    Ok(report.is_well())
}
