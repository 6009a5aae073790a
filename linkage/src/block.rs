//! Blocking: which mentions are compared at all.
//!
//! A mention has a few keys; two mentions are compared when they share one. Every key is a small byte string that an
//! index can hold. How many mentions may share a key is the caller's to cap and to count: a common phone or name
//! must not make the work grow with the square of its bearers.

mod blocks;

use crate::{
    compare::{KnownIdentifier, Mention},
    text::fingerprint,
    token::Token,
    vocabulary::{PartyKind, vocabulary},
};

pub use blocks::Blocks;

vocabulary! {
    /// What mentions that are compared have in common.
    BlockingRule, "blocking_rule" {
        /// A verified number.
        Number = "number" "证件号码",
        /// A number that fails its check.
        UnverifiedNumber = "unverified_number" "未核实证件号码",
        /// A segment of such a number.
        Segment = "segment" "号码片段",
        Phone = "phone" "电话",
        /// Birth date and the sound of the surname: finds given names written otherwise.
        BirthSurname = "birth_surname" "出生日期与姓",
        /// Birth date and the sound of the last character: finds surnames written otherwise.
        BirthLast = "birth_last" "出生日期与末字",
        /// Birth date and the sound of the whole name in any order: finds romanised names.
        BirthSound = "birth_sound" "出生日期与读音",
        /// Name and year of birth: finds days and months mistyped.
        NameYear = "name_year" "姓名与出生年",
        /// Name, and day and month in any order: finds years mistyped.
        NameDay = "name_day" "姓名与出生日",
        /// A related party and the sound of the surname.
        Related = "related" "相关人与姓",
        /// A firm's name.
        FirmName = "firm_name" "单位名称",
    }
}

/// Most keys that one mention has.
pub const MAX_KEYS: usize = 10 + MOST_RELATED;
/// Related parties that make keys; comparison looks at all.
const MOST_RELATED: usize = 4;

/// A blocking key: the rule and a fingerprint of 56 bits. A collision only brings two strangers to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockingKey([u8; 8]);

impl BlockingKey {
    /// Eight bytes, the first of them the rule.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    /// The same as a number, as an index holds it; the rule stands in front, so it is never below 0.
    #[must_use]
    pub const fn to_number(&self) -> i64 {
        i64::from_be_bytes(self.0)
    }

    /// The rule that made it.
    #[must_use]
    pub fn rule(&self) -> BlockingRule {
        BlockingRule::ALL[usize::from(self.0[0])]
    }

    fn new(rule: BlockingRule, parts: &[&[u8]]) -> Self {
        let mut bytes = fingerprint(parts).to_be_bytes();
        bytes[0] = rule as u8;
        Self(bytes)
    }
}

/// Adds a mention's keys, [`MAX_KEYS`] at most, none twice.
///
/// ```
/// use linkage::{block::{BlockingRule, keys}, compare::Mention};
/// use time::macros::date;
///
/// let born = |name| Mention { birth: Some(date!(1990-03-07)), ..Mention::named(name) };
/// let (mut one, mut other) = (Vec::new(), Vec::new());
/// keys(&born("张伟"), &mut one);
/// keys(&born("Wei ZHANG"), &mut other);
/// let shared = one.iter().find(|key| other.contains(key)).expect("they sound alike");
/// assert_eq!(shared.rule(), BlockingRule::BirthSound);
/// ```
pub fn keys(mention: &Mention, into: &mut Vec<BlockingKey>) {
    let mut add = |rule, parts: &[&[u8]]| into.push(BlockingKey::new(rule, parts));
    match &mention.identifier {
        Some(KnownIdentifier::Verified(number)) => {
            add(
                BlockingRule::Number,
                &[number.kind.code().as_bytes(), number.token.as_bytes()],
            );
        }
        Some(KnownIdentifier::Unverified {
            kind,
            token,
            segments,
        }) => {
            add(
                BlockingRule::UnverifiedNumber,
                &[kind.code().as_bytes(), token.as_bytes()],
            );
            for (place, segment) in (0u8..).zip(segments.iter().flatten()) {
                add(BlockingRule::Segment, &[&[place], segment.as_bytes()]);
            }
        }
        None => {}
    }
    match mention.kind {
        PartyKind::Natural => person_keys(mention, &mut add),
        PartyKind::Legal if !mention.name.is_missing() => {
            add(
                BlockingRule::FirmName,
                &[&mention.name.fingerprints().standard.to_be_bytes()],
            );
        }
        PartyKind::Legal => {}
    }
}

fn person_keys(mention: &Mention, add: &mut impl FnMut(BlockingRule, &[&[u8]])) {
    if let Some(phone) = mention.phone {
        add(BlockingRule::Phone, &[phone.as_bytes()]);
    }
    if mention.name.is_missing() {
        return;
    }
    let name = &mention.name;
    let surname = name.fingerprints().surname.to_be_bytes();
    if let Some(birth) = mention.birth {
        let standard = name.fingerprints().standard.to_be_bytes();
        let date = birth.to_julian_day().to_be_bytes();
        let (month, day) = (u8::from(birth.month()), birth.day());
        add(BlockingRule::BirthSurname, &[&date, &surname]);
        add(
            BlockingRule::BirthLast,
            &[&date, &name.fingerprints().last.to_be_bytes()],
        );
        add(
            BlockingRule::BirthSound,
            &[&date, &name.fingerprints().sound.to_be_bytes()],
        );
        add(
            BlockingRule::NameYear,
            &[&standard, &birth.year().to_be_bytes()],
        );
        add(
            BlockingRule::NameDay,
            &[&standard, &[month.min(day), month.max(day)]],
        );
    }
    let related: &[Token] = mention.related.tokens();
    for token in related.iter().take(MOST_RELATED) {
        add(BlockingRule::Related, &[token.as_bytes(), &surname]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;
    use crate::compare::tests::mention;

    fn shared(a: &Mention, b: &Mention) -> Vec<BlockingRule> {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        keys(a, &mut one);
        keys(b, &mut other);
        one.iter()
            .filter(|key| other.contains(key))
            .map(BlockingKey::rule)
            .collect()
    }

    #[test]
    fn each_slip_leaves_some_key_whole() {
        let born = |name, birth| Mention {
            birth: Some(birth),
            ..Mention::named(name)
        };
        let person = born("张国伟", date!(1990 - 03 - 07));
        for (other, rule) in [
            (
                born("張國偉", date!(1990 - 03 - 07)),
                BlockingRule::NameYear,
            ),
            (
                born("张国强", date!(1990 - 03 - 07)),
                BlockingRule::BirthSurname,
            ),
            (
                born("章国伟", date!(1990 - 03 - 07)),
                BlockingRule::BirthSurname,
            ),
            (
                born("李国伟", date!(1990 - 03 - 07)),
                BlockingRule::BirthLast,
            ),
            (
                born("Guowei ZHANG", date!(1990 - 03 - 07)),
                BlockingRule::BirthSound,
            ),
            (born("张国伟", date!(1990 - 07 - 03)), BlockingRule::NameDay),
            (
                born("张国伟", date!(1990 - 11 - 25)),
                BlockingRule::NameYear,
            ),
            (born("张国伟", date!(1980 - 03 - 07)), BlockingRule::NameDay),
        ] {
            assert!(shared(&person, &other).contains(&rule), "{other:?}");
        }
        assert_eq!(shared(&person, &born("李强", date!(1971 - 11 - 25))), []);
    }

    proptest! {
        #[test]
        fn keys_are_few_and_none_comes_twice(mention in mention()) {
            let mut all = Vec::new();
            keys(&mention, &mut all);
            prop_assert!(all.len() <= MAX_KEYS);
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            prop_assert_eq!(all.len(), count);
        }
    }
}
