//! `notary-hub`: see `notary-hub --help`.

use std::process::ExitCode;

use clap::Parser;
use notary_hub::cli::{self, Cli};

#[tokio::main]
async fn main() -> ExitCode {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("nothing has installed a provider before main");
    cli::run(Cli::parse()).await
}
