//! What a process holds: memory and descriptors.

use std::fs;

use anyhow::Context;

/// Resident memory in megabytes of 1,048,576 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    pub now: f64,
    /// The most since the process began, or since its counter was cleared.
    pub most: f64,
}

impl Memory {
    /// Of a process that is gone.
    pub const UNKNOWN: Self = Self {
        now: f64::NAN,
        most: f64::NAN,
    };
}

/// The memory of a process, as `/proc` tells it.
///
/// # Errors
/// When the process is gone.
pub fn of(process: u32) -> anyhow::Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let read = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kilobytes
            .map(|kilobytes| kilobytes / 1024.0)
            .with_context(|| format!("the status of process {process} has no {name}"))
    };
    Ok(Memory {
        now: read("VmRSS:")?,
        most: read("VmHWM:")?,
    })
}

/// Files, connections and all else that a process has open.
///
/// # Errors
/// When the process is gone, or is another user's.
pub fn descriptors(process: u32) -> anyhow::Result<u64> {
    let open = fs::read_dir(format!("/proc/{process}/fd"))?;
    Ok(open.count() as u64)
}
