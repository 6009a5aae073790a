//! Looking up (查询) before accepting: has this person, or this house, been here or at another office?
//!
//! | module | holds |
//! |---|---|
//! | [`question`] | who asks what, and why a question is denied |
//! | [`check`] | one look-up, from question to audited answer |
//! | [`disclosure`] | what of a case found may be told |
//! | `intent` | who is about to accept the same matter |
//! | [`severity`] | how grave a case found is for the matter about to be accepted |
//! | [`budget`] | how often somebody may ask |
//! | [`feeds`] | how fresh the answer's ground is |

pub mod budget;
pub mod check;
pub mod disclosure;
pub mod feeds;
mod intent;
pub mod question;
pub mod severity;

pub use check::{Answer, Hit, Lookup, LookupError};
pub use question::{Asker, Denial, IntentAction, Purpose, Question};
