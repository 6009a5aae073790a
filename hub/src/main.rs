//! `notary-hub`: see `notary-hub --help`.

use std::process::ExitCode;

use clap::Parser;
use notary_hub::cli::{self, Cli};
use notary_hub::telemetry::panics::keep_values_out;

#[tokio::main]
async fn main() -> ExitCode {
    keep_values_out();
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("nothing has installed a provider before main");
    cli::run(Cli::parse()).await
}
