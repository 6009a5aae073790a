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
//! # other_party = ["donee"]            # and a holder of one of these is the same too
//! # party_between = [["testator"], ["decedent"]]  # or, with `between`: one role here is the same as one there
//! # all_parties = ["donor", "donee"]   # or: all holders of these roles together are the same, each by its number
//! subject = ["real_estate_unit"]       # and one subject of these kinds is the same
//! # place_of_use = true                # and the place of use is the same (none counts as a place)
//! window_days = 1096                   # and their days lie no further apart
//! notice_zh = "…"                      # what the offices are told
//!
//! [[without_duplicates]]               # matters of which no two cases are ever the same, and why
//! matters = ["copy"]
//! reason_zh = "…"
//!
//! [[disclosure]]                       # what a look-up is told of a case of these matters
//! matters = ["will"]
//! shows = "names"                      # hit | case | names
//! purposes = ["before_acceptance"]     # for which purposes
//! case_reference = "required"          # required | optional: an own case or intake of who asks
//! sealed_until = { about = "inheritance", holder = ["testator"], named_as = ["decedent"] }
//! ```
//!
//! A matter stands in one rule at least or under `without_duplicates`, and in one `disclosure`, or the text cannot be
//! put in force ([`super::RuleSet::parse_complete`]).

use serde::Deserialize;

use super::{
    CaseReference, Disclosure, MatterType, Opening, Severity, Shown,
    key::Scope,
    rules::{Matters, Parties, Rule},
};
use crate::{
    subject::SubjectKind,
    vocabulary::{PartyRole, Purpose},
};

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
    /// More than one way to say which parties are the same, or a second party without a first.
    #[error(
        "rule {id}: set one of `party` (perhaps with `other_party`), `party_between` (with `between`) and `all_parties`"
    )]
    PartyParts {
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
    /// A matter that has no duplicates, without a reason, or in spite of a rule about it, or twice.
    #[error("without_duplicates: {matter} needs a reason, stands there once, and in no rule")]
    WithoutDuplicates {
        /// The matter.
        matter: MatterType,
    },
    /// Two disclosures of one matter.
    #[error("disclosure: {matter} stands in more than one")]
    DisclosedTwice {
        /// The matter.
        matter: MatterType,
    },
    /// A disclosure for nothing or nobody: without a matter, a purpose or the roles that unseal it.
    #[error(
        "disclosure {position}: it needs a matter, a purpose and, where sealed, roles on both sides"
    )]
    Disclosure {
        /// Position in the text, from 1.
        position: usize,
    },
    /// A text that is to be in force leaves a matter out.
    #[error(
        "{matter} stands in no rule; write one, or say under `without_duplicates` why there is none"
    )]
    NoRuleFor {
        /// The matter.
        matter: MatterType,
    },
    /// A text that is to be in force does not say what of a matter may be told.
    #[error("{matter} stands in no `disclosure`; say what of it may be told")]
    NoDisclosureFor {
        /// The matter.
        matter: MatterType,
    },
}

/// The text of a rule set, as serde reads it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulesText {
    pub(super) version: String,
    #[serde(default)]
    pub(super) rule: Vec<RuleText>,
    #[serde(default)]
    pub(super) without_duplicates: Vec<WithoutDuplicatesText>,
    #[serde(default)]
    pub(super) disclosure: Vec<DisclosureText>,
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
    other_party: Vec<PartyRole>,
    party_between: Option<[Vec<PartyRole>; 2]>,
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
        let between = matches!(matters, Matters::Between(..));
        let parties = PartiesText {
            party: self.party,
            other_party: self.other_party,
            party_between: self.party_between,
            all_parties: self.all_parties,
        };
        let Some(parties) = parties.check(between) else {
            return Err(RuleError::PartyParts { id });
        };
        if matches!(parties, Parties::Free) && self.subject.is_empty() {
            return Err(RuleError::NothingTheSame { id });
        }
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

/// The ways to say which parties are the same.
struct PartiesText {
    party: Vec<PartyRole>,
    other_party: Vec<PartyRole>,
    party_between: Option<[Vec<PartyRole>; 2]>,
    all_parties: Vec<PartyRole>,
}

impl PartiesText {
    /// `None` when more than one way is taken, or half of one. `between`: the rule is about two lists of matters.
    fn check(self, between: bool) -> Option<Parties> {
        let Self {
            party,
            other_party,
            party_between,
            all_parties,
        } = self;
        match (
            party.is_empty(),
            other_party.is_empty(),
            party_between,
            all_parties.is_empty(),
        ) {
            (true, true, None, true) => Some(Parties::Free),
            (false, true, None, true) => Some(Parties::One(party)),
            (false, false, None, true) => Some(Parties::Both(party, other_party)),
            (true, true, None, false) => Some(Parties::All(all_parties)),
            (true, true, Some(sides), true) => (between
                && sides.iter().all(|roles| !roles.is_empty()))
            .then_some(Parties::Sides(sides)),
            _ => None,
        }
    }
}

/// Matters of which no two cases are ever the same.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WithoutDuplicatesText {
    matters: Vec<MatterType>,
    reason_zh: String,
}

impl WithoutDuplicatesText {
    /// Enters the reason for each of the matters; `by_matter` has the rules of each.
    pub(super) fn enter(
        self,
        by_matter: &[Vec<u16>],
        reasons: &mut [Option<String>],
    ) -> Result<(), RuleError> {
        for matter in self.matters {
            let reason = &mut reasons[matter.index()];
            let ruled = !by_matter[matter.index()].is_empty();
            if ruled || reason.is_some() || self.reason_zh.trim().is_empty() {
                return Err(RuleError::WithoutDuplicates { matter });
            }
            *reason = Some(self.reason_zh.clone());
        }
        Ok(())
    }
}

/// What of some matters may be told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DisclosureText {
    matters: Vec<MatterType>,
    shows: Shown,
    purposes: Vec<Purpose>,
    case_reference: CaseReference,
    sealed_until: Option<OpeningText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpeningText {
    about: MatterType,
    holder: Vec<PartyRole>,
    named_as: Vec<PartyRole>,
}

impl DisclosureText {
    /// Enters the disclosure for each of the matters; `position` counts from 1.
    pub(super) fn enter(
        self,
        position: usize,
        disclosures: &mut [Option<Disclosure>],
    ) -> Result<(), RuleError> {
        let half_open = self
            .sealed_until
            .as_ref()
            .is_some_and(|opening| opening.holder.is_empty() || opening.named_as.is_empty());
        if self.matters.is_empty() || self.purposes.is_empty() || half_open {
            return Err(RuleError::Disclosure { position });
        }
        let disclosure = Disclosure {
            shows: self.shows,
            purposes: self.purposes,
            case_reference: self.case_reference,
            sealed_until: self.sealed_until.map(|opening| Opening {
                about: opening.about,
                holder: opening.holder,
                named_as: opening.named_as,
            }),
        };
        for matter in self.matters {
            let known = disclosures[matter.index()].replace(disclosure.clone());
            if known.is_some() {
                return Err(RuleError::DisclosedTwice { matter });
            }
        }
        Ok(())
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
        for second in [
            "all_parties = [\"donee\"]",
            "party_between = [[\"donee\"], [\"donor\"]]",
        ] {
            assert!(error("window", &format!("{second}\nwindow")).contains("set one of `party`"));
        }
        for alone in [
            "other_party = [\"donee\"]",
            "party_between = [[\"donee\"], [\"donor\"]]",
        ] {
            assert!(error("party = [\"donor\"]", alone).contains("set one of `party`"));
        }
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

    const REST: &str = r#"
        [[without_duplicates]]
        matters = ["copy"]
        reason_zh = "份数不限"
        [[disclosure]]
        matters = ["will"]
        shows = "names"
        purposes = ["before_acceptance"]
        case_reference = "required"
        sealed_until = { about = "inheritance", holder = ["testator"], named_as = ["decedent"] }
    "#;

    #[test]
    fn a_fault_in_what_is_said_of_a_matter_is_named() {
        let error = |from: &str, to: &str| {
            let text = format!("{GOOD}{}", REST.replacen(from, to, 1));
            RuleSet::parse(&text).expect_err("a fault").to_string()
        };
        assert!(RuleSet::parse(&format!("{GOOD}{REST}")).is_ok());
        assert!(error("[\"copy\"]", "[\"gift\"]").contains("without_duplicates: gift"));
        assert!(error("[\"copy\"]", "[\"copy\", \"copy\"]").contains("without_duplicates: copy"));
        assert!(error("份数不限", " ").contains("without_duplicates: copy"));
        assert!(error("[\"will\"]", "[\"will\", \"will\"]").contains("disclosure: will"));
        assert!(error("[\"will\"]", "[]").contains("disclosure 1"));
        assert!(error("[\"before_acceptance\"]", "[]").contains("disclosure 1"));
        assert!(error("[\"decedent\"]", "[]").contains("disclosure 1"));
        assert!(error("names", "all").contains("hit, case, names"));
    }

    #[test]
    fn a_text_that_leaves_a_matter_out_cannot_be_put_in_force() {
        let refused = |text: &str| {
            RuleSet::parse_complete(text)
                .expect_err("incomplete")
                .to_string()
        };
        assert!(refused(GOOD).contains("inheritance stands in no rule"));
        let read = RuleSet::parse(GOOD).expect("it was in force before the catalogue grew");
        assert!(
            read.left_out().eq(MatterType::all()),
            "nothing is told of gifts"
        );
        let codes: Vec<_> = MatterType::all()
            .map(|matter| format!("\"{}\"", matter.code()))
            .collect();
        let ruled = GOOD.replacen("\"gift\"", &codes.join(", "), 1);
        assert!(refused(&ruled).contains("inheritance stands in no `disclosure`"));
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
            let _ = RuleSet::parse(&format!("version = \"t\"\n[[disclosure]]\n{key} = {value}"));
        }
    }
}
