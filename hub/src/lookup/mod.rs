//! Looking up (查询) before accepting: has this person, or this house, been here or at another office?
//!
//! | module | holds |
//! |---|---|
//! | [`question`] | who asks what, and why a question is denied |
//! | [`check`] | one look-up, from question to audited answer |
//! | [`batch`] | many parties and things of one matter, all or none |
//! | [`find_person`] | the matters of one person |
//! | `search` | cases behind equal tokens and behind persons |
//! | [`persons`] | whom linkage holds to be those asked about, and why |
//! | [`disclosure`] | what of a case found may be told |
//! | [`hit`] | a case as far as it may be told |
//! | `record` | what the audit log says of it |
//! | `intent` | who is about to accept the same matter |
//! | [`severity`] | how grave a case found is for the matter about to be accepted |
//! | [`budget`] | how often somebody may ask |
//! | [`watch`] | standing questions: who wants to hear when another office opens a matter |
//! | [`feeds`] | how fresh the answer's ground is |

pub mod batch;
pub mod budget;
pub mod check;
pub mod disclosure;
pub mod feeds;
pub mod find_person;
pub mod hit;
mod intent;
pub mod persons;
pub mod question;
mod record;
mod search;
pub mod severity;
pub mod watch;

pub use batch::{BatchAnswer, SubjectAnswer};
pub use check::{Answer, Lookup, LookupError};
pub use find_person::PersonAnswer;
pub use hit::Hit;
pub use persons::PersonMatch;
pub use question::{Asker, Denial, IntentAction, Purpose, Question};
