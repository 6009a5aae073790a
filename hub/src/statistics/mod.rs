//! Figures: what a case counts for, working days, the tables cut from what was counted, and the proof that the
//! counting is right.

pub mod calendar;
pub mod contribution;
mod counts;
pub mod digits;
pub mod dimension;
pub mod family;
pub mod feeds;
pub mod fold;
pub mod layout;
pub mod measure;
pub mod nightly;
pub mod period;
pub mod query;
pub mod recount;
pub mod restructure;
pub mod structure;
pub mod verify;
