//! Figures: what a case counts for, working days, and the proof that the counting is right.

pub mod calendar;
pub mod contribution;
pub mod query;
pub mod verify;
