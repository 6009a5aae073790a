//! Abuse of HTTP/2 and gRPC against a running hub: each [`Vector`] for a bounded time at a bounded pace, at the door it is
//! meant for, while neighbours who keep to the rules are served beside it.
//!
//! | module | holds |
//! |---|---|
//! | [`vector`] | what is thrown |
//! | [`frame`], [`hpack`] | HTTP/2 by hand, so that it can be wrong |
//! | [`attacker`], [`peer`] | who throws it: connections, pace, counts |
//! | [`site`] | the hub that is attacked |
//! | [`neighbour`] | who else is served, and how well |
//! | [`play`] | one vector: quiet, attack, recovery |
//! | [`report`] | what became of it, against the pass lines |
//! | [`scan`] | sslyze at both doors |

pub mod attacker;
pub mod frame;
pub mod hpack;
pub mod neighbour;
pub mod peer;
pub mod play;
pub mod report;
pub mod scan;
pub mod site;
pub mod vector;

pub use attacker::{Attacker, Door, Extent};
pub use site::Site;
pub use vector::Vector;
