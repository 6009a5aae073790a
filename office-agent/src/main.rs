//! `office-agent`: see `office-agent --help`.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use mimalloc::MiMalloc;
use office_agent::cli::{self, Cli};
use office_agent::telemetry::panics::keep_values_out;

/// Gives memory back once a first load is through; the system's keeps what was taken.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How long the end waits for threads that block, for example on a network folder that does not answer.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// Threads for what blocks (files, a page of HMACs). More would only cost memory: each has an arena of its own.
const BLOCKING_THREADS: usize = 16;

// One thread does all the rest: an agent shares the office's machine, and the outbox has a thread of its own.
fn main() -> ExitCode {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("nothing has installed a provider before main");
    keep_values_out();
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(Duration::from_secs(1))
        .build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(cli::run(cli));
            runtime.shutdown_timeout(LAST_WAIT);
            code
        }
        Err(error) => cli::no_runtime(&error),
    }
}
