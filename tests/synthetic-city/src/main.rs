//! `synthetic-city`: makes a city's offices, their systems and the truth about them.
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use synthetic_city::{City, CityPlan, PlantedKind, Stores, Truth};
use time::Date;
use time::macros::format_description;

/// Makes a synthetic Hangzhou: notary offices with their own systems in four vendor shapes, and the truth.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The same seed makes the same city.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Cases of all offices together.
    #[arg(long, default_value_t = 10_000)]
    cases: u32,
    /// Offices; more than 15 are for benchmarks.
    #[arg(long, default_value_t = 15)]
    offices: u32,
    /// First day of application.
    #[arg(long, value_parser = date, default_value = "2022-01-01")]
    from: Date,
    /// Last day of application.
    #[arg(long, value_parser = date, default_value = "2024-12-31")]
    to: Date,
    /// Where the offices' systems are written; what was there before is replaced.
    #[arg(long)]
    out: PathBuf,
    /// Private PostgreSQL for the offices that have one (else SQLite).
    #[arg(long)]
    postgres: Option<String>,
    /// Private MySQL or MariaDB for some of the offices with a flat table (else SQLite).
    #[arg(long)]
    mysql: Option<String>,
    /// Bring systems written before to this step of the city's life (30 days each), step by step.
    #[arg(long)]
    evolve_to: Option<u32>,
}

fn date(text: &str) -> Result<Date, time::error::Parse> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the command's one line of failure")]
fn complain(error: &anyhow::Error) {
    eprintln!("synthetic-city: {error:#}");
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments {
        seed,
        cases,
        offices,
        from,
        to,
        out,
        postgres,
        mysql,
        evolve_to,
    } = arguments;
    let city = City::generate(&CityPlan {
        seed,
        offices,
        cases,
        from,
        to,
    })?;
    let stores = Stores { postgres, mysql };
    let context = || format!("writing to {}", out.display());
    if let Some(last) = evolve_to {
        for step in 1..=last {
            let changed = city
                .evolve(step)
                .apply(&out, &stores)
                .await
                .with_context(context)?;
            say(&format!("step {step}: {changed} cases changed"));
        }
        return Ok(());
    }
    let begun = Instant::now();
    let bar = ProgressBar::new(u64::from(cases)).with_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} cases  {per_sec}  {elapsed}")
            .expect("the template is well formed"),
    );
    let counter = bar.clone();
    let progress = Arc::new(move |_, cases| counter.inc(cases));
    city.write_with_progress(&out, &stores, progress)
        .await
        .with_context(context)?;
    bar.finish_and_clear();
    say(&summary(&city.truth()));
    say(&format!(
        "written to {} in {:.1} s",
        out.display(),
        begun.elapsed().as_secs_f64()
    ));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(text: &str) {
    println!("{text}");
}

fn summary(truth: &Truth) -> String {
    let mut lines = vec![format!(
        "{:8} {:12} {:10} {:>9} {:>8}",
        "office", "shape", "level", "cases", "rejects"
    )];
    for office in &truth.offices {
        lines.push(format!(
            "{:8} {:12} {:10} {:>9} {:>8}   {}",
            office.office_id,
            format!("{:?}", office.vendor),
            format!("{:?}", office.level),
            office.cases,
            truth.rejects_of(&office.office_id).count(),
            office.name,
        ));
    }
    lines.push(format!(
        "{:8} {:12} {:10} {:>9} {:>8}",
        "city",
        "",
        "",
        truth.cases,
        truth.rejects.len()
    ));
    lines.push(format!(
        "planted {} exact and {} fuzzy pairs, {} look-alikes, {} quality findings",
        truth.planted_of(PlantedKind::Exact).count(),
        truth.planted_of(PlantedKind::Fuzzy).count(),
        truth.look_alikes.len(),
        truth.quality.len(),
    ));
    lines.join("\n")
}
