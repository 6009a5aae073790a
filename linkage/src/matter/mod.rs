//! Matters (公证事项) and what makes two cases the same matter.
//!
//! [`RuleSet::keys`] derives from a case's roles and subjects the keys under which another office's case would be
//! the same matter; cases that share a key are candidates. [`RuleSet::judge`] looks at two candidates and says what
//! they are to each other and who accepted first. [`RuleSet::disclosure`] says what of a case may be told to whom asks.

mod catalogue;
mod disclosure;
mod judge;
mod key;
mod rule_text;
mod rules;

pub use catalogue::{MatterGroup, MatterType};
pub use disclosure::{CaseReference, Disclosure, Opening, Shown};
pub use judge::{CaseFacts, Finding};
pub use key::{MAX_KEYS, MatterFacts, MatterKey, MatterKeyLength};
pub use rule_text::RuleError;
pub use rules::{Asks, Rule, RuleSet, RulesDigest, Severity};

#[cfg(test)]
mod tests;
