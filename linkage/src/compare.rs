//! Comparison of two mentions of a person, field by field: the comparison vector of Fellegi and Sunter.
//!
//! Each field has a closed list of comparison levels; a pair has one level in each field, or none where one side
//! says nothing. A missing value is no evidence in either direction.

mod date;

use time::Date;

use crate::{
    identifier::IdentifierKind,
    name::{NameLevel, NameShare, PreparedName},
    place::DistrictCode,
    token::Token,
    vocabulary::{PartyKind, Sex, vocabulary},
};

vocabulary! {
    /// How two birth dates differ, from the least to the most.
    BirthLevel, "birth_level" {
        Equal = "equal" "相同",
        /// Day and month changed places: 1990-03-07 and 1990-07-03.
        Swapped = "swapped" "日月颠倒",
        /// One digit is another, or two neighbouring digits changed places: 1990-03-07 and 1990-03-01.
        OneDigit = "one_digit" "一位数字不同",
        /// 1990-03-07 and 1990-11-25.
        SameYear = "same_year" "同年",
        Different = "different" "不同",
    }
}

vocabulary! {
    /// Whether two values are one.
    Agreement, "agreement" {
        Equal = "equal" "相同",
        Different = "different" "不同",
    }
}

vocabulary! {
    /// How far apart two addresses are.
    DistrictLevel, "district_level" {
        Equal = "equal" "同区县",
        /// 330106 and 330108.
        SameCity = "same_city" "同市",
        Different = "different" "不同市",
    }
}

vocabulary! {
    /// How many of the people and firms that stood beside them in their cases they share.
    RelatedLevel, "related_level" {
        Several = "several" "多名相关人相同",
        One = "one" "一名相关人相同",
        Nobody = "nobody" "相关人不同",
    }
}

vocabulary! {
    /// How two numbers that fail their check differ. Verified numbers are no evidence to be weighed: they decide.
    IdentifierLevel, "identifier_level" {
        /// The same slip in both: one office copied from the other, or from the same copy.
        Equal = "equal" "未核实号码相同",
        /// Two segments agree: area and birth, birth and order, order and check.
        TwoSegments = "two_segments" "号码两段相同",
        OneSegment = "one_segment" "号码一段相同",
        Different = "different" "未核实号码不同",
    }
}

vocabulary! {
    /// What is compared.
    Field, "field" {
        Name = "name" "姓名",
        Birth = "birth" "出生日期",
        Sex = "sex" "性别",
        Phone = "phone" "电话",
        District = "district" "住址",
        Related = "related" "相关人",
        Identifier = "identifier" "证件号码",
    }
}

/// Fields of a comparison vector.
pub const FIELDS: usize = Field::ALL.len();

impl Field {
    /// Codes of the field's levels, in their order.
    #[must_use]
    pub fn level_codes(self) -> Vec<&'static str> {
        fn codes<L: Copy>(all: &[L], code: fn(L) -> &'static str) -> Vec<&'static str> {
            all.iter().map(|&level| code(level)).collect()
        }
        match self {
            Self::Name => codes(NameLevel::ALL, NameLevel::code),
            Self::Birth => codes(BirthLevel::ALL, BirthLevel::code),
            Self::Sex | Self::Phone => codes(Agreement::ALL, Agreement::code),
            Self::District => codes(DistrictLevel::ALL, DistrictLevel::code),
            Self::Related => codes(RelatedLevel::ALL, RelatedLevel::code),
            Self::Identifier => codes(IdentifierLevel::ALL, IdentifierLevel::code),
        }
    }

    /// How many levels it has.
    #[must_use]
    pub const fn level_count(self) -> usize {
        match self {
            Self::Name => NameLevel::ALL.len(),
            Self::Birth => BirthLevel::ALL.len(),
            Self::Sex | Self::Phone => Agreement::ALL.len(),
            Self::District => DistrictLevel::ALL.len(),
            Self::Related => RelatedLevel::ALL.len(),
            Self::Identifier => IdentifierLevel::ALL.len(),
        }
    }
}

/// Most related parties that are kept of one mention: a case with a hundred heirs is compared by some of them.
pub const MAX_RELATED: usize = 16;

/// The identifiers of those who stood beside a person in a case: sorted, without repetition, [`MAX_RELATED`] at most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelatedParties(Box<[Token]>);

impl FromIterator<Token> for RelatedParties {
    /// Keeps the least of them when there are too many, so that the order they come in does not matter.
    fn from_iter<I: IntoIterator<Item = Token>>(tokens: I) -> Self {
        let mut tokens: Vec<Token> = tokens.into_iter().collect();
        tokens.sort_unstable();
        tokens.dedup();
        tokens.truncate(MAX_RELATED);
        Self(tokens.into())
    }
}

impl RelatedParties {
    /// The tokens in ascending order.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.0
    }

    fn compare(&self, other: &Self) -> Option<RelatedLevel> {
        if self.0.is_empty() || other.0.is_empty() {
            return None;
        }
        let shared = self
            .0
            .iter()
            .filter(|token| other.0.binary_search(token).is_ok());
        Some(match shared.count() {
            0 => RelatedLevel::Nobody,
            1 => RelatedLevel::One,
            _ => RelatedLevel::Several,
        })
    }
}

/// What the hub knows of a person's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownIdentifier {
    /// It keeps its standard: equal tokens are one number.
    Verified(VerifiedNumber),
    /// It does not; the segments are there for a resident ID.
    Unverified {
        /// Kind of document.
        kind: IdentifierKind,
        /// Token of the number as written.
        token: Token,
        /// Tokens of its segments in the order of
        /// [`UnverifiedIdentifier::segments`](crate::identifier::UnverifiedIdentifier::segments).
        segments: Option<[Token; 3]>,
    },
}

/// A verified number of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifiedNumber {
    /// Kind of document.
    pub kind: IdentifierKind,
    /// Its token.
    pub token: Token,
}

/// One mention of a person in a case, ready to be compared with any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Natural persons are never compared with legal ones.
    pub kind: PartyKind,
    /// Its name, prepared once.
    pub name: PreparedName,
    /// How common the name is, where that is known.
    pub name_share: Option<NameShare>,
    /// Birth date.
    pub birth: Option<Date>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Token of the phone number.
    pub phone: Option<Token>,
    /// District of the address.
    pub district: Option<DistrictCode>,
    /// Who stood beside the person.
    pub related: RelatedParties,
    /// Number of the identity document.
    pub identifier: Option<KnownIdentifier>,
}

impl Mention {
    /// A natural person of whom nothing but the name is known.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            kind: PartyKind::Natural,
            name: PreparedName::new(name),
            name_share: None,
            birth: None,
            sex: None,
            phone: None,
            district: None,
            related: RelatedParties::default(),
            identifier: None,
        }
    }

    /// The verified number, if it has one.
    #[must_use]
    pub fn verified(&self) -> Option<VerifiedNumber> {
        match self.identifier? {
            KnownIdentifier::Verified(number) => Some(number),
            KnownIdentifier::Unverified { .. } => None,
        }
    }

    /// Compares two mentions field by field. It does not matter which comes first.
    #[must_use]
    pub fn compare(&self, other: &Self) -> ComparisonVector {
        ComparisonVector {
            name: self.name.compare(&other.name),
            birth: both(self.birth, other.birth, date::compare),
            sex: both(self.sex, other.sex, agreement),
            phone: both(self.phone, other.phone, agreement),
            district: both(self.district, other.district, districts),
            related: self.related.compare(&other.related),
            identifier: both(self.identifier, other.identifier, identifiers).flatten(),
        }
    }
}

/// How two mentions compare: one level a field, `None` where one side is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[expect(missing_docs, reason = "the fields are those of `Field`")]
pub struct ComparisonVector {
    pub name: Option<NameLevel>,
    pub birth: Option<BirthLevel>,
    pub sex: Option<Agreement>,
    pub phone: Option<Agreement>,
    pub district: Option<DistrictLevel>,
    pub related: Option<RelatedLevel>,
    pub identifier: Option<IdentifierLevel>,
}

impl ComparisonVector {
    /// Position of the level in each field's list, in the order of [`Field::ALL`].
    #[must_use]
    pub fn levels(&self) -> [Option<u8>; FIELDS] {
        [
            self.name.map(|level| level as u8),
            self.birth.map(|level| level as u8),
            self.sex.map(|level| level as u8),
            self.phone.map(|level| level as u8),
            self.district.map(|level| level as u8),
            self.related.map(|level| level as u8),
            self.identifier.map(|level| level as u8),
        ]
    }

    /// The label of the level in one field: code and Chinese.
    #[must_use]
    pub fn label(&self, field: Field) -> Option<(&'static str, &'static str)> {
        match field {
            Field::Name => self.name.map(|level| (level.code(), level.label_zh())),
            Field::Birth => self.birth.map(|level| (level.code(), level.label_zh())),
            Field::Sex => self.sex.map(|level| (level.code(), level.label_zh())),
            Field::Phone => self.phone.map(|level| (level.code(), level.label_zh())),
            Field::District => self.district.map(|level| (level.code(), level.label_zh())),
            Field::Related => self.related.map(|level| (level.code(), level.label_zh())),
            Field::Identifier => self
                .identifier
                .map(|level| (level.code(), level.label_zh())),
        }
    }
}

fn both<T, L>(a: Option<T>, b: Option<T>, compare: impl FnOnce(T, T) -> L) -> Option<L> {
    a.zip(b).map(|(a, b)| compare(a, b))
}

fn agreement<T: PartialEq>(a: T, b: T) -> Agreement {
    if a == b {
        Agreement::Equal
    } else {
        Agreement::Different
    }
}

fn districts(a: DistrictCode, b: DistrictCode) -> DistrictLevel {
    if a == b {
        DistrictLevel::Equal
    } else if a.as_str()[..4] == b.as_str()[..4] {
        DistrictLevel::SameCity
    } else {
        DistrictLevel::Different
    }
}

/// Nothing where one of them is verified, for a verified number has no segments; nor for two kinds of document; nor for
/// equal ones without segments, which may be anything that people write where they have no number.
fn identifiers(a: KnownIdentifier, b: KnownIdentifier) -> Option<IdentifierLevel> {
    use KnownIdentifier::Unverified;
    let (
        Unverified {
            kind: kind_a,
            token: token_a,
            segments: segments_a,
        },
        Unverified {
            kind: kind_b,
            token: token_b,
            segments: segments_b,
        },
    ) = (a, b)
    else {
        return None;
    };
    if kind_a != kind_b {
        return None;
    }
    let equal = token_a == token_b;
    let Some((a, b)) = segments_a.zip(segments_b) else {
        return (!equal).then_some(IdentifierLevel::Different);
    };
    let shared = a.iter().zip(&b).filter(|(a, b)| a == b).count();
    Some(match shared {
        _ if equal => IdentifierLevel::Equal,
        0 => IdentifierLevel::Different,
        1 => IdentifierLevel::OneSegment,
        _ => IdentifierLevel::TwoSegments,
    })
}

#[cfg(test)]
pub(crate) mod tests;
