//! `power-loss`: cuts an agent's power at every moment of its life. See `power-loss --help`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use power_loss::{Disk, Life, Part, Report, cut};

/// Disks made of one life.
const POINTS_OF_A_LIFE: u64 = 5_000;

/// Records lives of an agent with strace and makes disks as they may be after the power has failed at any moment of them;
/// the agent has to open each and find everything that it had promised.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Disks that are made.
    #[arg(long, default_value_t = 100_000)]
    points: u64,
    /// Of the first life; the others follow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the report goes.
    #[arg(long, default_value = "target/power-loss")]
    folder: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One process of a life: what is recorded.
    #[command(hide = true)]
    Live {
        #[command(flatten)]
        part: Part,
        #[arg(long)]
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        Some(Command::Live { part, folder }) => part.live(folder).map(|()| true),
        None => run(&arguments).map(|report| report.is_well()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<Report> {
    let Arguments {
        points,
        seed,
        folder,
        ..
    } = arguments;
    std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    let program = std::env::current_exe()?;
    let seeds = *seed..seed + points.div_ceil(POINTS_OF_A_LIFE);
    let lives = seeds.map(|seed| Life::record(&program, seed));
    let lives = lives.collect::<anyhow::Result<Vec<_>>>()?;
    let report = cut(&lives, Disk::Honest, POINTS_OF_A_LIFE.min(*points))?;
    report.write(&folder.join("report.json"))?;
    say(&report.text());
    Ok(report)
}

#[expect(clippy::print_stderr, reason = "the command's output")]
fn complain(text: &str) {
    eprintln!("power-loss: {text}");
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(text: &str) {
    println!("{text}");
}
