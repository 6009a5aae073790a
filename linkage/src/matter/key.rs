//! Keys under which two cases are the same matter, so that a database finds candidates by equality.
//!
//! A key is 2 bytes that name its rule (the scope) and 14 bytes of SHA-256 over the scope and the parts that the
//! rule wants to be the same. The scope in front lets [`RuleSet::judge`] tell which rule two cases share. 112 bits
//! keep chance collisions below one in 10^15 for ten million keys.

use std::fmt;

use sha2::{Digest, Sha256};

use super::{
    MatterType, RuleSet,
    rules::{Matters, Parties, Rule},
};
use crate::{subject::SubjectKind, token::Token, vocabulary::PartyRole};

/// A key under which two cases are the same matter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatterKey([u8; 16]);

/// Bytes that are no matter key, because a key has 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a matter key has 16 bytes, not {len}")]
pub struct MatterKeyLength {
    /// How many there were.
    pub len: usize,
}

impl MatterKey {
    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The part that names the rule.
    pub(super) fn tag(&self) -> Tag {
        [self.0[0], self.0[1]]
    }
}

impl From<[u8; 16]> for MatterKey {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for MatterKey {
    type Error = MatterKeyLength;

    fn try_from(bytes: &[u8]) -> Result<Self, MatterKeyLength> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| MatterKeyLength { len: bytes.len() })
    }
}

impl fmt::Debug for MatterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MatterKey({:032x})", u128::from_be_bytes(self.0))
    }
}

/// Most keys that one case has. The work that a case makes for others is bounded: one with 64 parties and 64
/// subjects, as many as the wire allows, would otherwise have thousands.
pub const MAX_KEYS: usize = 256;

/// What keys are derived from.
#[derive(Debug, Clone, Copy)]
pub struct MatterFacts<'a> {
    /// Matter of the case.
    pub matter_type: MatterType,
    /// Roles with the tokens of verified identifiers; `None` for whoever has none. Unverified ones never stand here.
    pub parties: &'a [(PartyRole, Option<Token>)],
    /// What the matter is about.
    pub subjects: &'a [(SubjectKind, Token)],
    /// ISO 3166-1 alpha-2 code of the place of use; `None` when domestic or unknown.
    pub place_of_use: Option<&'a str>,
}

/// First bytes of a key: which rule it belongs to.
pub(super) type Tag = [u8; 2];

/// A rule's own space of keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope([u8; 32]);

impl Scope {
    pub(super) fn new(rule_id: &str) -> Self {
        let scope = Sha256::new()
            .chain_update(b"notary matter scope\0")
            .chain_update(rule_id);
        Self(scope.finalize().into())
    }

    pub(super) fn tag(&self) -> Tag {
        [self.0[0], self.0[1]]
    }
}

impl RuleSet {
    /// The keys of a case under all rules of its matter, sorted and distinct. A case lacking a part that a rule
    /// wants (no verified holder of the role, no such subject, somebody without a verified number among all parties) has
    /// no key under it.
    ///
    /// A case has at most [`MAX_KEYS`]; the others are left out. Which ones depends on the facts alone, so that two
    /// equal cases keep the same ones.
    #[must_use]
    pub fn keys(&self, facts: &MatterFacts<'_>) -> Vec<MatterKey> {
        let mut keys = self.keys_in_order(facts);
        keys.sort_unstable();
        keys.dedup();
        keys.truncate(MAX_KEYS);
        keys
    }

    /// All of them as rules, parties and subjects come to them, some perhaps more than once: of a case whose tokens alone
    /// were replaced, each for each, the keys stand in the same places.
    #[must_use]
    pub fn keys_in_order(&self, facts: &MatterFacts<'_>) -> Vec<MatterKey> {
        let mut keys = Vec::with_capacity(4);
        for rule in self.rules_of(facts.matter_type) {
            rule.add_keys(facts, &mut keys);
        }
        keys
    }
}

impl Rule {
    fn add_keys(&self, facts: &MatterFacts<'_>, keys: &mut Vec<MatterKey>) {
        let base = self.base(facts);
        match &self.parties {
            Parties::Free => self.add_subject_keys(&base, facts, keys),
            Parties::One(roles) => {
                for token in holders(facts, roles) {
                    let with_party = base.clone().with(Part::Party, token.as_bytes());
                    self.add_subject_keys(&with_party, facts, keys);
                }
            }
            Parties::Both(roles, others) => {
                for token in holders(facts, roles) {
                    let with_one = base.clone().with(Part::Party, token.as_bytes());
                    for other in holders(facts, others) {
                        let with_both = with_one.clone().with(Part::Party, other.as_bytes());
                        self.add_subject_keys(&with_both, facts, keys);
                    }
                }
            }
            Parties::Sides(sides) => {
                let [left, right] = self.matters.sides_of(facts.matter_type);
                let here = [(left, &sides[0]), (right, &sides[1])];
                for (_, roles) in here.into_iter().filter(|(here, _)| *here) {
                    for token in holders(facts, roles) {
                        let with_party = base.clone().with(Part::Party, token.as_bytes());
                        self.add_subject_keys(&with_party, facts, keys);
                    }
                }
            }
            Parties::All(roles) => {
                // Of whom nobody knows the number may be anybody: the buyers of one home sold twice are two.
                let all = of_roles(facts, roles).collect::<Option<Vec<_>>>();
                if let Some(mut tokens) = all.filter(|tokens| !tokens.is_empty()) {
                    tokens.sort_unstable();
                    tokens.dedup();
                    let with_parties = tokens
                        .iter()
                        .fold(base, |base, token| base.with(Part::Party, token.as_bytes()));
                    self.add_subject_keys(&with_parties, facts, keys);
                }
            }
        }
    }

    /// What every key of the case under this rule begins with. Where both cases must be of the same matter, the
    /// matter is part of the key.
    fn base(&self, facts: &MatterFacts<'_>) -> KeyBuilder {
        let mut base = KeyBuilder::new(&self.scope);
        if let Matters::Same(_) = self.matters {
            base = base.with(Part::Matter, facts.matter_type.code().as_bytes());
        }
        if self.place_of_use {
            base = base.with_place(facts.place_of_use.unwrap_or_default());
        }
        base
    }

    fn add_subject_keys(
        &self,
        base: &KeyBuilder,
        facts: &MatterFacts<'_>,
        keys: &mut Vec<MatterKey>,
    ) {
        if self.subjects.is_empty() {
            keys.push(base.clone().finish());
            return;
        }
        let wanted = facts
            .subjects
            .iter()
            .filter(|(kind, _)| self.subjects.contains(kind));
        keys.extend(
            wanted.map(|(_, token)| base.clone().with(Part::Subject, token.as_bytes()).finish()),
        );
    }
}

fn of_roles<'a>(
    facts: &MatterFacts<'a>,
    roles: &'a [PartyRole],
) -> impl Iterator<Item = Option<&'a Token>> {
    facts
        .parties
        .iter()
        .filter(|(role, _)| roles.contains(role))
        .map(|(_, token)| token.as_ref())
}

fn holders<'a>(facts: &MatterFacts<'a>, roles: &'a [PartyRole]) -> impl Iterator<Item = &'a Token> {
    of_roles(facts, roles).flatten()
}

/// Tells the parts of a key apart.
#[derive(Clone, Copy)]
enum Part {
    Matter = 1,
    PlaceOfUse = 2,
    Party = 3,
    Subject = 4,
}

#[derive(Clone)]
struct KeyBuilder {
    tag: Tag,
    hash: Sha256,
}

impl KeyBuilder {
    fn new(scope: &Scope) -> Self {
        Self {
            tag: scope.tag(),
            hash: Sha256::new().chain_update(scope.0),
        }
    }

    fn with(mut self, part: Part, bytes: &[u8]) -> Self {
        self.begin(part, bytes.len());
        self.hash.update(bytes);
        self
    }

    fn with_place(mut self, place: &str) -> Self {
        self.begin(Part::PlaceOfUse, place.len());
        for byte in place.bytes() {
            self.hash.update([byte.to_ascii_uppercase()]);
        }
        self
    }

    fn begin(&mut self, part: Part, len: usize) {
        self.hash.update([part as u8]);
        self.hash.update((len as u64).to_be_bytes());
    }

    fn finish(self) -> MatterKey {
        let digest = self.hash.finalize();
        let mut key = [0; 16];
        key[..2].copy_from_slice(&self.tag);
        key[2..].copy_from_slice(&digest[..14]);
        MatterKey(key)
    }
}
