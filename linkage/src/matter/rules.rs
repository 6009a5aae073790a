//! Rules about matters as data: a versioned TOML text, checked whole when it is read.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{Disclosure, MatterType, RuleError, key::Scope, rule_text::RulesText};
use crate::{
    subject::SubjectKind,
    vocabulary::{PartyRole, vocabulary},
};

vocabulary! {
    /// What two cases are to each other, the gravest last.
    Severity, "severity" {
        /// One should see the other.
        Related = "related" "关联",
        /// Incompatible acts on one subject.
        Conflict = "conflict" "冲突",
        /// The same matter at two offices.
        Duplicate = "duplicate" "重复",
    }
}

/// SHA-256 of a rules text.
pub type RulesDigest = [u8; 32];

/// A version of the rules: what makes two cases the same matter, and what of a case may be told.
#[derive(Debug, Clone)]
pub struct RuleSet {
    version: String,
    digest: RulesDigest,
    rules: Vec<Rule>,
    by_matter: [Vec<u16>; MatterType::COUNT],
    without_duplicates: [Option<String>; MatterType::COUNT],
    disclosures: [Option<Disclosure>; MatterType::COUNT],
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    pub(super) id: String,
    pub(super) severity: Severity,
    pub(super) matters: Matters,
    pub(super) parties: Parties,
    pub(super) subjects: Vec<SubjectKind>,
    pub(super) place_of_use: bool,
    pub(super) window_days: u16,
    pub(super) notice_zh: String,
    pub(super) scope: Scope,
}

/// Which pairs of matters a rule is about.
#[derive(Debug, Clone)]
pub(super) enum Matters {
    /// Both cases are of one and the same of these.
    Same(Vec<MatterType>),
    /// One case of the first, the other of the second.
    Between(Vec<MatterType>, Vec<MatterType>),
}

/// Which parties must be the same.
#[derive(Debug, Clone)]
pub(super) enum Parties {
    /// Any.
    Free,
    /// One holder of one of these roles: a key for each.
    One(Vec<PartyRole>),
    /// One holder of the first and one of the second: a key for each pair.
    Both(Vec<PartyRole>, Vec<PartyRole>),
    /// One holder of a role that depends on which side of [`Matters::Between`] the case stands on.
    Sides([Vec<PartyRole>; 2]),
    /// All holders of these roles together, whoever holds which; each has a verified number.
    All(Vec<PartyRole>),
}

impl Rule {
    /// Stable id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What two cases it hits are to each other.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The matters it is about; of a rule between two lists, the first list's first.
    pub fn matters(&self) -> impl Iterator<Item = MatterType> {
        self.matters.all()
    }

    /// Two cases further apart than this are not the same matter.
    #[must_use]
    pub fn window_days(&self) -> u16 {
        self.window_days
    }

    /// What the offices are told, in Chinese.
    #[must_use]
    pub fn notice_zh(&self) -> &str {
        &self.notice_zh
    }

    /// Whether the rule is about cases of these two matters, in either order.
    #[must_use]
    pub fn covers(&self, a: MatterType, b: MatterType) -> bool {
        match &self.matters {
            Matters::Same(matters) => a == b && matters.contains(&a),
            Matters::Between(left, right) => {
                left.contains(&a) && right.contains(&b) || left.contains(&b) && right.contains(&a)
            }
        }
    }
}

impl Matters {
    fn all(&self) -> impl Iterator<Item = MatterType> {
        let (left, right) = match self {
            Matters::Same(matters) => (matters.as_slice(), [].as_slice()),
            Matters::Between(left, right) => (left.as_slice(), right.as_slice()),
        };
        left.iter().chain(right).copied()
    }

    /// Whether the matter stands on the left, and whether on the right.
    pub(super) fn sides_of(&self, matter: MatterType) -> [bool; 2] {
        match self {
            Matters::Same(matters) => [matters.contains(&matter); 2],
            Matters::Between(left, right) => [left.contains(&matter), right.contains(&matter)],
        }
    }
}

/// By what the rules know a matter again, in the order of the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asks {
    /// Of parties.
    pub roles: Vec<PartyRole>,
    /// Of things.
    pub subjects: Vec<SubjectKind>,
}

impl RuleSet {
    /// What to ask somebody who applies for `matter`, so that the rules have something to go by.
    #[must_use]
    pub fn asks(&self, matter: MatterType) -> Asks {
        let mut asks = Asks::default();
        for rule in self.rules_of(matter) {
            match &rule.parties {
                Parties::Free => {}
                Parties::One(roles) | Parties::All(roles) => add_new(&mut asks.roles, roles),
                Parties::Both(roles, others) => {
                    add_new(&mut asks.roles, roles);
                    add_new(&mut asks.roles, others);
                }
                Parties::Sides(sides) => {
                    for (roles, stands) in sides.iter().zip(rule.matters.sides_of(matter)) {
                        add_new(&mut asks.roles, if stands { roles } else { &[] });
                    }
                }
            }
            add_new(&mut asks.subjects, &rule.subjects);
        }
        asks
    }

    /// Reads and checks a rules text.
    ///
    /// # Errors
    /// [`RuleError`] for the first fault, naming the rule.
    pub fn parse(toml: &str) -> Result<Self, RuleError> {
        let text: RulesText = toml::from_str(toml)?;
        if text.version.trim().is_empty() {
            return Err(RuleError::NoVersion);
        }
        let mut rules = Vec::with_capacity(text.rule.len());
        let mut scopes = HashMap::new();
        let mut by_matter = [const { Vec::new() }; MatterType::COUNT];
        for (index, rule) in text.rule.into_iter().enumerate() {
            let rule = rule.check(index + 1)?;
            if scopes.insert(rule.scope.tag(), index).is_some() {
                return Err(RuleError::IdTaken { id: rule.id });
            }
            let number = u16::try_from(index).map_err(|_| RuleError::IdTaken {
                id: rule.id.clone(),
            })?;
            for matter in rule.matters.all() {
                let of_matter: &mut Vec<u16> = &mut by_matter[matter.index()];
                if of_matter.last() != Some(&number) {
                    of_matter.push(number);
                }
            }
            rules.push(rule);
        }
        let mut without_duplicates = [const { None }; MatterType::COUNT];
        for entry in text.without_duplicates {
            entry.enter(&by_matter, &mut without_duplicates)?;
        }
        let mut disclosures = [const { None }; MatterType::COUNT];
        for (index, entry) in text.disclosure.into_iter().enumerate() {
            entry.enter(index + 1, &mut disclosures)?;
        }
        Ok(Self {
            version: text.version,
            digest: Sha256::digest(toml).into(),
            rules,
            by_matter,
            without_duplicates,
            disclosures,
        })
    }

    /// Reads a text that is to be put in force: one that says for every matter of the catalogue what makes it the same,
    /// or why nothing does, and what of it may be told.
    ///
    /// # Errors
    /// [`RuleError`] for the first fault, naming the rule or the matter.
    pub fn parse_complete(toml: &str) -> Result<Self, RuleError> {
        let rules = Self::parse(toml)?;
        match MatterType::all().find_map(|matter| rules.gap(matter)) {
            Some(gap) => Err(gap),
            None => Ok(rules),
        }
    }

    /// Matters of the catalogue that the text leaves out, as one does that is older than a matter. Of these no two cases
    /// are the same, or nothing is told.
    pub fn left_out(&self) -> impl Iterator<Item = MatterType> {
        MatterType::all().filter(|matter| self.gap(*matter).is_some())
    }

    fn gap(&self, matter: MatterType) -> Option<RuleError> {
        if self.by_matter[matter.index()].is_empty() && self.no_duplicates(matter).is_none() {
            return Some(RuleError::NoRuleFor { matter });
        }
        let is_told_of = self.disclosure(matter).is_some();
        (!is_told_of).then_some(RuleError::NoDisclosureFor { matter })
    }

    /// Version, stored with each finding.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// SHA-256 of the text: two texts of one version must be one text.
    #[must_use]
    pub fn digest(&self) -> &RulesDigest {
        &self.digest
    }

    /// The rules, in the order of the text.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule with that id.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// Why no two cases of the matter are ever the same, where the text says so.
    #[must_use]
    pub fn no_duplicates(&self, matter: MatterType) -> Option<&str> {
        self.without_duplicates[matter.index()].as_deref()
    }

    /// What of a case of the matter may be told; `None`: nothing.
    #[must_use]
    pub fn disclosure(&self, matter: MatterType) -> Option<&Disclosure> {
        self.disclosures[matter.index()].as_ref()
    }

    /// The rules that a case of the matter can fall under.
    pub(super) fn rules_of(&self, matter: MatterType) -> impl Iterator<Item = &Rule> {
        self.by_matter[matter.index()]
            .iter()
            .map(|&number| &self.rules[usize::from(number)])
    }
}

fn add_new<T: Copy + PartialEq>(list: &mut Vec<T>, more: &[T]) {
    for item in more {
        if !list.contains(item) {
            list.push(*item);
        }
    }
}
