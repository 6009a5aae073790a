//! The language of the rules, and its checks.
//!
//! ```toml
//! version = "1"                        # stored with each finding
//!
//! [[rule]]
//! id = "GIFT_SAME_SUBJECT"             # stable; also the scope of the rule's keys
//! severity = "duplicate"               # duplicate | conflict | related
//! matters = ["gift"]                   # both cases are of one and the same of these matters …
//! # between = [["gift"], ["mandate"]]  # … or: one case is of the first list, the other of the second
//! party = ["donor"]                    # a holder of one of these roles is the same
//! # all_parties = ["donor", "donee"]   # or: all holders of these roles together are the same
//! subject = ["real_estate_unit"]       # and one subject of these kinds is the same
//! # place_of_use = true                # and the place of use is the same (none counts as a place)
//! window_days = 1096                   # and their days lie no further apart
//! notice_zh = "…"                      # what the offices are told
//! ```

use serde::Deserialize;

use super::{
    MatterType, Severity,
    key::Scope,
    rules::{Matters, Parties, Rule},
};
use crate::{subject::SubjectKind, vocabulary::PartyRole};

/// What is wrong with a rules text. Rule ids and codes in it are configuration, not personal data.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// Not TOML, an unknown key, an unknown code: the message names line and column.
    #[error("the duplicate rules cannot be read: {0}")]
    Syntax(#[from] toml::de::Error),
    /// No version to store with findings.
    #[error("the duplicate rules have no version; set `version`")]
    NoVersion,
    /// A rule without an id, or with one of other characters.
    #[error("rule {position}: an id is made of A-Z, 0-9 and _, e.g. GIFT_SAME_SUBJECT")]
    Id {
        /// Position in the text, from 1.
        position: usize,
    },
    /// Two rules with one id, or with ids whose scopes collide.
    #[error("rule {id}: another rule has the same id or the same scope; choose another id")]
    IdTaken {
        /// The later rule.
        id: String,
    },
    /// Neither or both of `matters` and `between`, or an empty list among them.
    #[error("rule {id}: set either `matters` or `between`, with a matter in each list")]
    Matters {
        /// The rule.
        id: String,
    },
    /// Neither parties nor subjects: every case of the matter would be the same.
    #[error("rule {id}: nothing makes two cases the same; set `party`, `all_parties` or `subject`")]
    NothingTheSame {
        /// The rule.
        id: String,
    },
    /// Both `party` and `all_parties`.
    #[error("rule {id}: set `party` or `all_parties`, not both")]
    TwoPartyParts {
        /// The rule.
        id: String,
    },
    /// A window that holds no day.
    #[error("rule {id}: `window_days` must be at least 1")]
    NoWindow {
        /// The rule.
        id: String,
    },
    /// No text for the offices.
    #[error("rule {id}: `notice_zh` is empty; say what the offices are told")]
    NoNotice {
        /// The rule.
        id: String,
    },
}

/// The text of a rule set, as serde reads it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulesText {
    pub(super) version: String,
    #[serde(default)]
    pub(super) rule: Vec<RuleText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleText {
    id: String,
    severity: Severity,
    #[serde(default)]
    matters: Vec<MatterType>,
    between: Option<[Vec<MatterType>; 2]>,
    #[serde(default)]
    party: Vec<PartyRole>,
    #[serde(default)]
    all_parties: Vec<PartyRole>,
    #[serde(default)]
    subject: Vec<SubjectKind>,
    #[serde(default)]
    place_of_use: bool,
    window_days: u16,
    notice_zh: String,
}

impl RuleText {
    /// Checks one rule; `position` counts from 1.
    pub(super) fn check(self, position: usize) -> Result<Rule, RuleError> {
        let id = self.id;
        let is_id_byte = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        if id.is_empty() || !id.bytes().all(is_id_byte) {
            return Err(RuleError::Id { position });
        }
        let matters = match (self.matters, self.between) {
            (same, None) if !same.is_empty() => Matters::Same(same),
            (same, Some([left, right]))
                if same.is_empty() && !left.is_empty() && !right.is_empty() =>
            {
                Matters::Between(left, right)
            }
            _ => return Err(RuleError::Matters { id }),
        };
        let parties = match (self.party.is_empty(), self.all_parties.is_empty()) {
            (true, true) if self.subject.is_empty() => {
                return Err(RuleError::NothingTheSame { id });
            }
            (true, true) => Parties::Free,
            (false, true) => Parties::One(self.party),
            (true, false) => Parties::All(self.all_parties),
            (false, false) => return Err(RuleError::TwoPartyParts { id }),
        };
        if self.window_days == 0 {
            return Err(RuleError::NoWindow { id });
        }
        if self.notice_zh.trim().is_empty() {
            return Err(RuleError::NoNotice { id });
        }
        Ok(Rule {
            scope: Scope::new(&id),
            id,
            severity: self.severity,
            matters,
            parties,
            subjects: self.subject,
            place_of_use: self.place_of_use,
            window_days: self.window_days,
            notice_zh: self.notice_zh,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::matter::RuleSet;

    const GOOD: &str = r#"
        version = "t"
        [[rule]]
        id = "GIFT"
        severity = "duplicate"
        matters = ["gift"]
        party = ["donor"]
        window_days = 30
        notice_zh = "重复"
    "#;

    fn error(from: &str, to: &str) -> String {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "the replacement took place");
        RuleSet::parse(&text).expect_err("a fault").to_string()
    }

    #[test]
    fn the_shipped_rules_are_read_and_every_rule_tells_the_offices_something() {
        let rules = RuleSet::builtin();
        assert!(!rules.version().is_empty());
        for rule in rules.rules() {
            assert_eq!(rules.rule(rule.id()).map(Rule::id), Some(rule.id()));
            assert!(rule.notice_zh().ends_with('。'), "{}", rule.id());
        }
    }

    #[test]
    fn a_fault_is_named_with_its_rule() {
        assert!(RuleSet::parse(GOOD).is_ok());
        assert!(error("GIFT", "").contains("rule 1"));
        assert!(error("GIFT", "gift").contains("rule 1"));
        assert!(error("\"t\"", "\" \"").contains("version"));
        assert!(error("[\"gift\"]", "[]").contains("rule GIFT: set either `matters` or `between`"));
        assert!(error("party = [\"donor\"]", "").contains("rule GIFT: nothing makes"));
        assert!(
            error("party = [\"donor\"]", "place_of_use = true")
                .contains("rule GIFT: nothing makes")
        );
        assert!(error("window", "all_parties = [\"donee\"]\nwindow").contains("not both"));
        assert!(error("window", "between = [[\"gift\"], [\"will\"]]\nwindow").contains("either"));
        assert!(error("matters = [\"gift\"]", "between = [[\"gift\"], []]").contains("either"));
        assert!(error("30", "0").contains("at least 1"));
        assert!(error("重复", " ").contains("notice_zh"));
    }

    #[test]
    fn an_unknown_key_or_code_is_named_with_its_line() {
        let unknown_code = error("\"donor\"", "\"doner\"");
        assert!(
            unknown_code.contains("line 7") && unknown_code.contains("donor"),
            "{unknown_code}"
        );
        let unknown_key = error("party", "partys");
        assert!(
            unknown_key.contains("line 7") && unknown_key.contains("all_parties"),
            "{unknown_key}"
        );
    }

    #[test]
    fn two_rules_of_one_id_are_refused() {
        let rule = GOOD.split_once("[[rule]]").expect("one rule").1;
        let twice = format!("{GOOD}\n[[rule]]{rule}");
        assert!(matches!(RuleSet::parse(&twice), Err(RuleError::IdTaken { id }) if id == "GIFT"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(
            text in any::<String>(),
            key in "(severity|matters|between|party|subject|window_days|place_of_use)",
            value in "(-?[0-9]{1,6}|\"[a-z_]{0,8}\"|\\[(\"[a-z]{0,8}\",?){0,3}\\]|true|\\{\\})",
        ) {
            let _ = RuleSet::parse(&text);
            let _ = RuleSet::parse(&format!("version = \"t\"\n[[rule]]\n{key} = {value}"));
        }
    }
}
