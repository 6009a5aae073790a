//! What an office wrote down of one natural person in one case, and the file of such records that linkers are
//! compared on.

use linkage::{
    compare::{KnownIdentifier, Mention, RelatedParties, VerifiedNumber},
    identifier::ParsedIdentifier,
    name::NameDirectory,
    phone::PhoneNumber,
    place::DistrictCode,
    token::TokenKey,
    vocabulary::{PartyKind, Sex},
};
use synthetic_city::Document;
use time::Date;

/// One mention, before anything is made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The truth.
    pub person: u64,
    pub number: Option<Number>,
    pub name: String,
    pub birth: Option<Date>,
    pub sex: Option<Sex>,
    pub phone: Option<PhoneNumber>,
    pub district: Option<DistrictCode>,
    /// The hub holds none; other linkers may use it.
    pub address: String,
    pub related: RelatedParties,
}

/// Number of an identity document.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// What the hub sees of it.
    pub identifier: KnownIdentifier,
    /// What only the office sees: the number without spaces, as it was typed.
    pub written: String,
}

impl Number {
    pub(crate) fn verified(&self) -> Option<VerifiedNumber> {
        match self.identifier {
            KnownIdentifier::Verified(number) => Some(number),
            KnownIdentifier::Unverified { .. } => None,
        }
    }

    pub(crate) fn of(document: &Document, key: &TokenKey) -> Option<Self> {
        Some(
            match ParsedIdentifier::parse(document.kind, &document.number).ok()? {
                ParsedIdentifier::Verified(number) => Self {
                    identifier: KnownIdentifier::Verified(VerifiedNumber {
                        kind: number.kind(),
                        token: key.identifier(&number),
                    }),
                    written: number.normalised().to_owned(),
                },
                ParsedIdentifier::Unverified(number) => Self {
                    identifier: KnownIdentifier::Unverified {
                        kind: number.kind(),
                        token: key.unverified(&number),
                        segments: key.segments(&number).try_into().ok(),
                    },
                    written: number.normalised().to_owned(),
                },
            },
        )
    }
}

impl Record {
    /// As the hub compares it.
    pub fn mention(&self, names: &mut NameDirectory, key: &TokenKey) -> Mention {
        Mention {
            kind: PartyKind::Natural,
            name: names.prepare(&self.name),
            name_share: None,
            birth: self.birth,
            sex: self.sex,
            phone: self.phone.as_ref().map(|phone| key.phone(phone)),
            district: self.district,
            related: self.related.clone(),
            identifier: self.number.as_ref().map(|number| number.identifier),
        }
    }
}
