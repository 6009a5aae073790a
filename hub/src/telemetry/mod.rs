//! What an operator sees of a running hub: logs and metrics. Neither holds personal data.

pub mod exporter;
pub mod logs;
pub mod metrics;
pub mod panics;
