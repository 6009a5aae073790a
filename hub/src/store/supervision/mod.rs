//! Supervision: inspections, reminders, the work that waits for the rules, the facts they look at, findings and their steps, offices' profiles.

pub mod edition;
pub mod facts;
pub mod finding;
pub mod hits;
pub mod inspection;
pub mod inspection_finding;
pub mod participation;
pub mod profile;
pub mod reminder;
pub mod work;
