//! `notary-hub`: see `notary-hub --help`.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use notary_hub::cli::{self, Cli};
use notary_hub::telemetry::panics::keep_values_out;

/// Records of a batch are many small pieces of memory, taken in one thread and given back in another.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    keep_values_out();
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("nothing has installed a provider before main");
    cli::run(Cli::parse()).await
}
