//! A whole city on this machine, from real processes: the offices' own systems ([`Town`]), a bureau with its
//! `notary-hub` ([`Bureau`]), an `office-agent` at each office ([`Agent`]), and the reckoning whether everything
//! arrived once ([`Reckoning`]). The demo, the end-to-end tests and the fault suite are made of these.
//!
//! Everything listens on loopback, lives in one folder and ends when it is dropped; only processes that were
//! started here are ever ended.

pub mod agent;
pub mod bureau;
pub mod client;
pub mod clock;
pub mod disk;
mod inquiry;
pub mod memory;
pub mod oversight;
pub mod poll;
mod ports;
pub mod process;
mod programs;
pub mod proxy;
pub mod reckoning;
pub mod rest;
mod setting;
mod town;

pub use agent::{Agent, Answer, Status};
pub use bureau::{Bureau, BureauOptions, NewAccount};
pub use inquiry::Inquiry;
pub use ports::free_port;
pub use reckoning::{
    Breaches, FigureReckoning, LeftOut, Measured, OfficeReckoning, Reckoning, Tally,
};
pub use setting::Setting;
pub use town::{Systems, Town};
