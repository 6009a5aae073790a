//! `attack`: abuses a hub of its own over HTTP/2 and gRPC and measures what others notice. See `attack --help`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, ensure};
use attack::play::{Stage, Times, attackers_threads};
use attack::report::{Report, Row};
use attack::vector::{self, Vector};
use attack::{Door, Site};
use clap::Parser;
use sandbox::process::end_leftovers;
use tokio::runtime::Runtime;

/// A vector after which neighbours were late is played so often at most.
const TRIES: u32 = 3;

/// Throws every known abuse of HTTP/2 and gRPC at a hub on loopback, one after the other, while neighbours look up, and
/// measures memory, their waiting, and recovery. Ends with 1 when a pass line is crossed.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// How long each vector goes on.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How long neighbours are measured undisturbed before each.
    #[arg(long, default_value_t = 1.0)]
    quiet_seconds: f64,
    /// Vectors whose names contain one of these; all without.
    only: Vec<String>,
    /// Names the vectors and ends.
    #[arg(long)]
    list: bool,
    /// Scans TLS instead, with the sslyze of this Python.
    #[arg(long, value_name = "PYTHON")]
    scan: Option<PathBuf>,
    /// Where the hub lives and the report goes.
    #[arg(long, default_value = "target/attack")]
    folder: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
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
    eprintln!("attack: {text}");
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(text: &str) {
    println!("{text}");
}

fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let chosen: Vec<(&Vector, Door)> = vector::ALL
        .iter()
        .filter(|vector| wanted(&arguments.only, vector))
        .flat_map(|vector| vector.doors.iter().map(move |door| (vector, *door)))
        .collect();
    ensure!(!chosen.is_empty(), "no vector has such a name");
    if arguments.list {
        for (vector, door) in chosen {
            say(&format!(
                "{:<24} {:<7} {}",
                vector.name,
                door.name(),
                vector.what
            ));
        }
        return Ok(true);
    }
    let threads = attackers_threads()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let well = match &arguments.scan {
        Some(python) => runtime.block_on(scan(python, &arguments.folder)),
        None => runtime.block_on(attack(arguments, &threads, &chosen)),
    };
    threads.shutdown_background();
    well
}

async fn scan(python: &Path, folder: &Path) -> anyhow::Result<bool> {
    let bureau = folder.join("bureau");
    prepare(&bureau).await?;
    let site = Site::open(&bureau, None).await?;
    let findings = site.scan(python, folder).await?;
    for finding in &findings {
        say(&finding.line());
    }
    let failed = findings.iter().filter(|finding| !finding.is_well).count();
    let file = folder.join("scan.json");
    fs::write(&file, serde_json::to_vec_pretty(&findings)?)?;
    say(&format!(
        "{} findings, {failed} not as they should be; {}",
        findings.len(),
        file.display()
    ));
    site.close().await?;
    Ok(failed == 0)
}

fn wanted(names: &[String], vector: &Vector) -> bool {
    names.is_empty() || names.iter().any(|name| vector.name.contains(name))
}

async fn attack(
    arguments: &Arguments,
    threads: &Runtime,
    chosen: &[(&Vector, Door)],
) -> anyhow::Result<bool> {
    let times = Times {
        quiet: Duration::from_secs_f64(arguments.quiet_seconds),
        attack: Duration::from_secs_f64(arguments.seconds),
    };
    let folder = arguments.folder.join("bureau");
    prepare(&folder).await?;
    let mut site = Site::open(&folder, None).await?;
    let neighbours = site.neighbours();
    // The first answers pay for what is set up once.
    neighbours.listen(times.quiet).await;
    let mut stage = Stage::new(&mut site, &neighbours, threads, times);
    for _ in 0..3 {
        stage.quiet().await;
    }
    say(&Row::heading());
    let mut rows = Vec::new();
    for (vector, door) in chosen {
        let row = tokio::select! {
            row = one(&mut stage, vector, *door) => row?,
            _ = tokio::signal::ctrl_c() => break,
        };
        say(&row.line());
        let over = row.crash.is_some();
        rows.push(row);
        if over {
            break;
        }
    }
    let report = Report::new(rows);
    let file = arguments.folder.join("report.json");
    report.write(&file)?;
    say(&format!(
        "{} attacks, {} beyond a pass line; {}",
        report.played,
        report.failed,
        file.display()
    ));
    drop(neighbours);
    if report.is_well() {
        site.close().await?;
    }
    Ok(report.is_well())
}

async fn one(stage: &mut Stage<'_>, vector: &Vector, door: Door) -> anyhow::Result<Row> {
    let mut tries = 1;
    loop {
        let row = stage.play(vector, door).await?;
        if !row.is_only_late() || tries == TRIES {
            return Ok(Row { tries, ..row });
        }
        tries += 1;
    }
}

async fn prepare(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    let folder = folder.canonicalize()?;
    end_leftovers(&folder).await?;
    fs::remove_dir_all(&folder)?;
    fs::create_dir_all(&folder)?;
    // The private PostgreSQL may run as another user, who must get there.
    Ok(fs::set_permissions(&folder, Permissions::from_mode(0o755))?)
}
