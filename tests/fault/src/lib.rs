//! A city that is broken at random while it works, then settles and is counted. Whatever a seed throws, it throws
//! again; when it came at which moment, the machine decides.

mod fault;
mod means;
mod report;
mod round;
mod usage;
mod witness;

pub use fault::{Fault, UnknownKind};
pub use report::{Outcome, Report, Run};
pub use round::{OFFICES, Round};

/// Seeds that once failed, each with what it found.
pub const KEPT: [u64; 2] = [
    // A PostgreSQL that recovers from a crash does not follow a fast shutdown.
    1,
    // Clocks: a slow one did not trust a hub of today. Commands did not wait for a PostgreSQL that recovers.
    2,
];
