//! The office's own systems. Each source reads rows with a cursor of its own and hands both on together, so that
//! the cursor never runs ahead of what is durable.

mod again;
mod error;
pub mod folder;
mod once;
pub mod push;
mod reader;
pub(crate) mod repeats;
pub mod row;
mod runner;
pub mod sql;
mod state;

use std::time::Duration;

pub use error::SourceError;
pub use once::{ReadAll, import_file, read_all};
pub use runner::run;
pub use state::{Doing, SourceState, SourceStates};

use row::Found;

/// What a reader read at once.
#[derive(Debug)]
pub struct Page {
    /// Rows and lines that are none, in the source's order.
    pub found: Vec<Found>,
    /// How far this is, to be kept in the same transaction as the rows; opaque text of the source. `None` when the one
    /// before still holds.
    pub cursor: Option<String>,
    /// When the file that the rows are from was written, nanoseconds since 1970; `None` when they are what is so now.
    pub told_at: Option<i64>,
    /// The next page can be read at once.
    pub more: bool,
    /// When there is no more: something is known to come after so long.
    pub wait: Option<Duration>,
    /// What the office should know although the rest is read.
    pub notes: Vec<String>,
}
