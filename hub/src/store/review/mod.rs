//! What waits for a person's decision, and the decisions: possible persons over `link` and `link_judgement`, possible
//! duplicates over `duplicate_finding` and `duplicate_decision`.

pub mod beside;
pub mod duplicate;
pub mod judgement;
pub mod person;
