//! What a hub makes of a whole city, without the processes around it.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod figures;
mod hub;
mod reckoning;
mod rules;
mod supervision;
