//! Logs on standard error: JSON in production, text for people. Control characters in values are escaped by the
//! formatter, so that nobody's data can move a terminal's cursor (RUSTSEC-2025-0055).

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{Log, LogFormat};

/// Starts logging for the whole process; once.
///
/// # Errors
/// When something is logging already.
pub fn init(log: &Log) -> Result<(), TryInitError> {
    // The drivers log queries, and queries may hold what must not be logged.
    let filter = EnvFilter::try_new(format!("sqlx=warn,mysql_async=warn,{}", log.filter))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match log.format {
        LogFormat::Json => subscriber
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .finish()
            .try_init(),
        LogFormat::Text => subscriber
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .finish()
            .try_init(),
    }
}
