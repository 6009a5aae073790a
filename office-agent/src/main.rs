//! `office-agent`: see `office-agent --help`.

use std::process::ExitCode;

use clap::Parser;
use office_agent::cli::{self, Cli};

// One thread does it all: an agent shares the office's machine, and the outbox has a thread of its own.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("nothing has installed a provider before main");
    cli::run(Cli::parse()).await
}
