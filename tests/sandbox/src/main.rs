//! `sandbox`: the whole city on this machine with one command. See `sandbox --help`.

mod demo;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use demo::terminal;

/// Starts a bureau, fifteen notary offices with their own systems and their agents; shows what arrives.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Cases of all offices together.
    #[arg(long, default_value_t = 100_000)]
    cases: u32,
    /// The same seed makes the same city.
    #[arg(long, default_value_t = 2012)]
    seed: u64,
    /// End when everything has arrived, with one line `SUMMARY {json}`; the exit code says whether all is well.
    #[arg(long)]
    once: bool,
    /// Where everything lives; what an earlier demo left there is removed.
    #[arg(long, default_value = ".sandbox")]
    folder: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments {
        cases,
        seed,
        once,
        folder,
    } = Arguments::parse();
    let demo = demo::Demo {
        cases,
        seed,
        once,
        folder,
    };
    match demo.run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            terminal::complain(&error);
            ExitCode::FAILURE
        }
    }
}
