//! Power loss at any moment of an agent's life. What the agent does to its disk is recorded call by call and played into
//! a model of the disk that knows what was made durable; at each moment the model makes disks as they could be after the
//! power has failed, and the agent's own code has to find on each everything that was promised until then.
//!
//! The model is stricter than most file systems: whatever was not synced may be there or not, in any order and in part,
//! names as well as content, and syncing a file makes no name durable.

mod check;
mod disk;
mod life;
mod promise;
mod run;
mod trace;

pub use disk::Disk;
pub use life::Part;
pub use run::{Life, Report, cut};

/// The agent's data directory below the recorded folder; neither part of it is there at first.
const DATA_DIR: &str = "office/agent";
