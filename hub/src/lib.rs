//! The citywide hub: takes in cases from offices, finds duplicate applications, answers look-ups and
//! counts for the bureau.

pub mod embedded;
pub mod store;
