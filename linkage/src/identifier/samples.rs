//! Strategies that produce numbers keeping their standards.

use proptest::{prelude::*, sample::select};
use time::{Date, Duration, macros::date};

use super::{
    Identifier, IdentifierKind, ParsedIdentifier, UnverifiedIdentifier, credit_code,
    resident_id::check_character,
};

/// Any birth date of people that notaries deal with.
pub(crate) fn birth_date() -> impl Strategy<Value = Date> {
    (0i64..80_000).prop_map(|day| date!(1850 - 01 - 01) + Duration::days(day))
}

fn eighteen(area: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (area, birth_date(), 0u32..1000).prop_map(|(area, birth, order)| {
        let (year, month, day) = birth.to_calendar_date();
        let body = format!("{area}{year:04}{:02}{day:02}{order:03}", u8::from(month));
        let check = check_character(&body);
        body + &check.to_string()
    })
}

pub(crate) fn resident_id() -> impl Strategy<Value = String> {
    let province = select(vec!["11", "31", "33", "34", "42", "50", "65", "71"]);
    eighteen((province, 1u32..10_000).prop_map(|(province, rest)| format!("{province}{rest:04}")))
}

pub(crate) fn residence_permit() -> impl Strategy<Value = String> {
    eighteen(select(vec!["810000", "820000", "830000"]).prop_map(String::from))
}

pub(crate) fn permanent_resident() -> impl Strategy<Value = String> {
    let new = eighteen("9(11|31|33|44)[0-9]{3}".boxed());
    prop_oneof![new, "[A-Z]{3}[0-9]{12}"]
}

pub(crate) fn credit_code() -> impl Strategy<Value = String> {
    "(91|92|52|12)(33|31|11|10)[0-9]{4}[0-9A-HJ-NPQRTUWXY]{9}".prop_map(|body| {
        let check = credit_code::check_character(&body);
        body + &check.to_string()
    })
}

/// A kind and a number of it that keeps its standard, in canonical form.
pub(crate) fn canonical() -> impl Strategy<Value = (IdentifierKind, String)> {
    prop_oneof![
        resident_id().prop_map(|number| (IdentifierKind::ResidentId, number)),
        "[HM][0-9]{8}".prop_map(|number| (IdentifierKind::HongKongMacaoPermit, number)),
        "[0-9]{8}".prop_map(|number| (IdentifierKind::TaiwanPermit, number)),
        residence_permit().prop_map(|number| (IdentifierKind::ResidencePermit, number)),
        permanent_resident().prop_map(|number| (IdentifierKind::ForeignPermanentResident, number)),
        "[A-Z][0-9]{8}".prop_map(|number| (IdentifierKind::Passport, number)),
        credit_code().prop_map(|number| (IdentifierKind::CreditCode, number)),
    ]
}

pub(crate) fn verified(kind: IdentifierKind, raw: &str) -> Identifier {
    match ParsedIdentifier::parse(kind, raw) {
        Ok(ParsedIdentifier::Verified(identifier)) => identifier,
        other => panic!("{raw} as {kind}: {other:?}"),
    }
}

pub(crate) fn unverified(kind: IdentifierKind, raw: &str) -> UnverifiedIdentifier {
    match ParsedIdentifier::parse(kind, raw) {
        Ok(ParsedIdentifier::Unverified(identifier)) => identifier,
        other => panic!("{raw} as {kind}: {other:?}"),
    }
}
