//! The agent's outbox and its side of the sync protocol, as they are, against a model of the hub, over a network and a
//! clock that exist in the simulation alone. A seed decides what breaks and when; a seed that fails stays as a test.
//!
//! What is simulated besides: no TLS, and one thread, so that the same seed comes to the same every time.

mod agent;
mod hub;
mod ledger;
mod run;

pub use agent::enrol;
pub use run::{Fault, Outcome, simulate};

/// Names in the simulated network.
const HUB: &str = "hub";
const AGENT: &str = "agent";
const PORT: u16 = 8443;
/// Token key of agent and hub.
const TOKEN_KEY: u32 = 1;
