//! Who comes to the offices: households of natural persons, and companies. A household or company belongs
//! to exactly one office; its number in the city is woven into every document number it has, so two of
//! them can never share one by accident.
mod company;
pub(crate) mod document;
mod household;
pub(crate) mod name;
mod property;

pub(crate) use company::Company;
pub(crate) use household::{Household, MOST_HOUSEHOLDS, Member};
pub(crate) use property::Property;

use linkage::identifier::IdentifierKind;
use linkage::vocabulary::Sex;
use time::Date;

/// A natural or legal person as it really is, before anybody mistypes anything.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) document_kind: IdentifierKind,
    pub(crate) document_no: String,
    /// A natural person's.
    pub(crate) sex: Option<Sex>,
    /// A natural person's.
    pub(crate) birth_on: Option<Date>,
    pub(crate) phone: String,
    /// GB/T 2260 code of the address.
    pub(crate) district: &'static str,
}
