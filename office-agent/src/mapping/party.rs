//! Parties and subjects of a case.

use linkage::identifier::{IdentifierError, IdentifierKind, ParsedIdentifier};
use linkage::phone::PhoneNumber;
use linkage::place::DistrictCode;
use linkage::subject::{SubjectError, SubjectKind, SubjectNumber};
use linkage::vocabulary::{PartyKind, PartyRole, RejectRule, Sex};
use time::Date;

use super::file::{PartyRules, SubjectRules};
use super::reject::Fault;
use super::rule::{ColumnRule, optional, parsed, required};
use super::value::Text;
use crate::source::row::Row;

/// A party. `Debug` shows neither its name nor a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Party {
    /// What it is to the matter.
    pub role: PartyRole,
    /// Natural or legal person.
    pub kind: PartyKind,
    /// Name as in the office's records.
    pub name: Text<200>,
    /// Number of the identity document, verified or not.
    pub identifier: Option<ParsedIdentifier>,
    /// Sex, by the office's records or else by a verified number.
    pub sex: Option<Sex>,
    /// Birth date, by the office's records or else by a verified number.
    pub birth_on: Option<Date>,
    /// Phone number, when the office has a usable one.
    pub phone: Option<PhoneNumber>,
    /// District of the address.
    pub address_district: Option<DistrictCode>,
}

impl Party {
    pub(super) fn read(rules: &PartyRules, row: &Row) -> Result<Self, Fault> {
        let kind = required(&rules.kind, row, "kind")?;
        let identifier = identifier(rules, row, kind)?;
        let verified = identifier.as_ref().and_then(ParsedIdentifier::verified);
        let (stated_sex, stated_birth) = verified.map_or((None, None), |identifier| {
            (identifier.sex(), identifier.birth_date())
        });
        let birth = (rules.birth_on.as_ref()).map(|rule| rule.birth(row));
        let birth = birth.transpose().map_err(|fault| fault.at("birth_on"))?;
        Ok(Self {
            role: required(&rules.role, row, "role")?,
            kind,
            name: parsed(Some(&rules.name), row, "name", Text::read)?.ok_or_else(|| {
                Fault::absent(RejectRule::FieldMissing, rules.name.column(), row).at("name")
            })?,
            sex: optional(rules.sex.as_ref(), row, "sex")?.or(stated_sex),
            birth_on: birth.flatten().or(stated_birth),
            identifier,
            // Weak evidence at best: a phone that is none is left out, not asked for.
            phone: parsed(rules.phone.as_ref(), row, "phone", |raw| {
                Ok(PhoneNumber::parse(raw).ok())
            })?,
            address_district: optional(rules.address_district.as_ref(), row, "address_district")?,
        })
    }
}

/// Where the office does not say which document it is, it is the usual one of such a party; a number of another
/// document then fails its check and is kept as unverified.
fn identifier(
    rules: &PartyRules,
    row: &Row,
    party: PartyKind,
) -> Result<Option<ParsedIdentifier>, Fault> {
    let kind = optional(rules.identifier_kind.as_ref(), row, "identifier_kind")?;
    let kind = kind.unwrap_or(match party {
        PartyKind::Natural => IdentifierKind::ResidentId,
        PartyKind::Legal => IdentifierKind::CreditCode,
    });
    parsed(rules.identifier.as_ref(), row, "identifier", |raw| {
        match ParsedIdentifier::parse(kind, raw) {
            Ok(identifier) => Ok(Some(identifier)),
            // A dash, 无 or a row of ones: a blank cell in other words.
            Err(IdentifierError::Empty | IdentifierError::Filler) => Ok(None),
            Err(_) => Err(RejectRule::IdentifierUnreadable),
        }
    })
}

/// What a case is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// Its number, with its kind.
    pub number: SubjectNumber,
    /// Where real estate lies.
    pub district_code: Option<DistrictCode>,
}

impl Subject {
    /// `None` where a dash or 无 stands for its number: nothing would tell it from others.
    pub(super) fn read(rules: &SubjectRules, row: &Row) -> Result<Option<Self>, Fault> {
        let kind: SubjectKind = required(&rules.kind, row, "kind")?;
        let read = |raw: &str| match SubjectNumber::parse(kind, raw) {
            Ok(number) => Ok(Some(Some(number))),
            Err(SubjectError::Empty) => Ok(Some(None)),
            Err(SubjectError::TooLong) => Err(RejectRule::FieldTooLong),
            Err(SubjectError::ControlCharacter | SubjectError::UnitForm) => {
                Err(RejectRule::NumberIllegal)
            }
        };
        let number = parsed(Some(&rules.number), row, "number", read)?;
        let Some(number) = number.ok_or_else(|| Fault::missing().at("number"))? else {
            return Ok(None);
        };
        Ok(Some(Self {
            number,
            district_code: optional(rules.district_code.as_ref(), row, "district_code")?,
        }))
    }
}
