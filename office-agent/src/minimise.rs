//! The only place where numbers become tokens. What comes out of here may leave the office; nothing else does.
//!
//! Deterministic: the same case and key give the same record, byte for byte, so that what was read twice is
//! recognised as unchanged.

use linkage::identifier::{IdentifierKind, ParsedIdentifier};
use linkage::subject::SubjectKind;
use linkage::token::{Token, TokenKey};
use linkage::vocabulary::{CaseState, ExcuseReason, ForeignRelation, PartyKind, PartyRole, Sex};
use notary_proto::hub::v1 as wire;
use prost_types::Timestamp;
use time::macros::date;
use time::{Date, OffsetDateTime};

use crate::mapping::{Case, Excused, Party, Reject, Subject};

/// Longest `source_location` of the contract, in characters.
const LOCATION_CHARS: usize = 200;
/// Digits in a row that make a number of a person rather than a part of a name: phones have seven and more.
const NUMBER_DIGITS: usize = 7;

/// The vocabulary as the wire's enumerations, whose values have the same names.
macro_rules! codes {
    ($($function:ident: $name:ident { $($value:ident)+ })+) => {
        $(fn $function(value: $name) -> i32 {
            match value {
                $($name::$value => wire::$name::$value,)+
            }
            .into()
        })+
    };
}

codes! {
    case_state: CaseState {
        Applied Accepted Refused UnderReview Approved Issued Archived Rejected Terminated Corrected Revoked
        Withdrawn
    }
    foreign_relation: ForeignRelation { Domestic Foreign HongKongMacao Taiwan }
    party_role: PartyRole {
        Applicant Testator Decedent Heir Principal Agent Donor Donee Debtor Creditor Adopter Adoptee
        Counterpart Ward Guardian Related
    }
    party_kind: PartyKind { Natural Legal }
    sex: Sex { Male Female }
    identifier_kind: IdentifierKind {
        ResidentId HongKongMacaoPermit TaiwanPermit ResidencePermit ForeignPermanentResident Passport
        CreditCode
    }
    subject_kind: SubjectKind { RealEstateUnit RealEstateCertificate Contract Vehicle Certificate }
    excuse_reason: ExcuseReason { ForceMajeure SupplementingMaterial Verification }
}

/// The case as the hub may know it. `revision` is 0 when the office keeps none: the outbox gives one.
#[must_use]
pub fn case(case: &Case, key: &TokenKey) -> wire::CaseRecord {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    wire::CaseRecord {
        source_case_id: case.source_case_id.as_str().to_owned(),
        revision: case.revision.unwrap_or_default(),
        state: case_state(case.state),
        case_no: text(case.case_no.as_ref().map(AsRef::as_ref)),
        matter_type: case.matter_type.code().to_owned(),
        foreign_relation: foreign_relation(case.foreign_relation),
        place_of_use: text(case.place_of_use.as_ref().map(|place| place.as_str())),
        notary_licence_no: text(case.notary_licence_no.as_ref().map(|no| no.as_str())),
        notary_name: without_numbers(&text(case.notary_name.as_ref().map(|name| name.as_str()))),
        applied_day: case.applied_on.map(day),
        accepted_day: case.accepted_on.map(day),
        issued_day: case.issued_on.map(day),
        closed_day: case.closed_on.map(day),
        reason_code: text(case.reason_code.map(|reason| reason.code())),
        fee_charged_fen: case.fee_charged.get(),
        fee_reduced_fen: case.fee_reduced.get(),
        // A free text where the mapping has no codes for it.
        fee_reduction_reason: without_numbers(&text(
            case.fee_reduction_reason.as_ref().map(|code| code.as_str()),
        )),
        amount_fen: case.amount.get(),
        legal_aid: case.legal_aid,
        home_visit: case.home_visit,
        major: case.major,
        discussed: case.discussed,
        excused: case.excused.iter().map(excused).collect(),
        parties: case.parties.iter().map(|each| party(each, key)).collect(),
        subjects: case
            .subjects
            .iter()
            .map(|each| subject(each, key))
            .collect(),
        modified_at: case.modified_at.map(timestamp),
        approved_day: case.approved_on.map(day),
        approver_licence_no: text(case.approver_licence_no.as_ref().map(|no| no.as_str())),
        certificates: case.certificates.unwrap_or_default(),
        next_tokens: None,
    }
}

/// The case's tokens under the key that is to follow.
#[must_use]
pub fn next_tokens(case: &Case, key: &TokenKey) -> wire::NextTokens {
    let of_party = |each: &Party| {
        let identifier = each.identifier.as_ref().map(|each| identifier(each, key));
        let identifier = identifier.unwrap_or_default();
        wire::PartyTokens {
            identifier: identifier.token,
            segments: identifier.segment_tokens,
            phone: phone(each, key),
        }
    };
    wire::NextTokens {
        key_id: key.id(),
        parties: case.parties.iter().map(of_party).collect(),
        subjects: case
            .subjects
            .iter()
            .map(|each| bytes(key.subject(&each.number)))
            .collect(),
    }
}

/// What the hub is told of a row that is no case.
#[must_use]
pub fn rejected(reject: &Reject, now: OffsetDateTime) -> wire::RejectedRecord {
    let key = reject.source_case_id.as_ref();
    wire::RejectedRecord {
        mended: false,
        source_case_id: key.map(|key| key.as_str().to_owned()).unwrap_or_default(),
        source_location: location(&reject.location),
        rule_id: reject.rule.code().to_owned(),
        field: reject.field.clone(),
        value_shape: reject.value_shape.clone(),
        rejected_at: Some(timestamp(now)),
    }
}

/// Where a row stands, as it may be told: a file may be named after a person's number. Dates and times of exports stay,
/// for they tell files apart.
#[must_use]
pub fn location(location: &str) -> String {
    let of_a_person = |digits, rest: &str| match digits {
        15 => true,
        17 => rest.starts_with(['x', 'X']),
        _ => digits >= 18,
    };
    let told = without_runs(location, of_a_person, |_| false);
    let told = told.chars().filter(|c| !c.is_control());
    told.take(LOCATION_CHARS).collect()
}

/// A party as the hub may know it.
#[must_use]
pub fn party(party: &Party, key: &TokenKey) -> wire::Party {
    wire::Party {
        role: party_role(party.role),
        kind: party_kind(party.kind),
        name: without_numbers(party.name.as_str()),
        identifier: party.identifier.as_ref().map(|each| identifier(each, key)),
        sex: party.sex.map(sex).unwrap_or_default(),
        birth_day: party.birth_on.map(day),
        phone_token: phone(party, key),
        address_district: party
            .address_district
            .map(|district| district.as_str().to_owned())
            .unwrap_or_default(),
    }
}

fn phone(party: &Party, key: &TokenKey) -> Vec<u8> {
    let phone = party.phone.as_ref();
    phone
        .map(|phone| bytes(key.phone(phone)))
        .unwrap_or_default()
}

fn identifier(identifier: &ParsedIdentifier, key: &TokenKey) -> wire::IdentifierToken {
    let kind = identifier_kind(identifier.kind());
    let masked_tail = identifier.masked_tail().to_owned();
    match identifier {
        ParsedIdentifier::Verified(identifier) => wire::IdentifierToken {
            kind,
            token: bytes(key.identifier(identifier)),
            verified: true,
            masked_tail,
            segment_tokens: Vec::new(),
        },
        ParsedIdentifier::Unverified(identifier) => wire::IdentifierToken {
            kind,
            token: bytes(key.unverified(identifier)),
            verified: false,
            masked_tail,
            segment_tokens: key.segments(identifier).into_iter().map(bytes).collect(),
        },
    }
}

fn subject(subject: &Subject, key: &TokenKey) -> wire::Subject {
    wire::Subject {
        kind: subject_kind(subject.number.kind()),
        token: bytes(key.subject(&subject.number)),
        masked_tail: subject.number.masked_tail().to_owned(),
        district_code: subject
            .district_code
            .map(|district| district.as_str().to_owned())
            .unwrap_or_default(),
    }
}

fn excused(excused: &Excused) -> wire::ExcusedInterval {
    wire::ExcusedInterval {
        first_day: day(excused.first_on),
        last_day: day(excused.last_on),
        reason: excused.reason.map(excuse_reason).unwrap_or_default(),
    }
}

fn bytes(token: Token) -> Vec<u8> {
    token.as_bytes().to_vec()
}

/// Days since 1970-01-01.
fn day(date: Date) -> i32 {
    date.to_julian_day() - date!(1970 - 01 - 01).to_julian_day()
}

fn timestamp(at: OffsetDateTime) -> Timestamp {
    Timestamp {
        seconds: at.unix_timestamp(),
        nanos: at.nanosecond().try_into().unwrap_or_default(),
    }
}

/// People write numbers into name columns (`张三 330106…`); a `*` stands for each of them.
fn without_numbers(name: &str) -> String {
    let joins = |c: char| matches!(c, '-' | ' ' | '－' | '\u{3000}' | 'x' | 'X');
    without_runs(name, |digits, _| digits >= NUMBER_DIGITS, joins)
}

/// A `*` stands for each run of digits that is to `go`, by their number and the text behind; `joins` holds runs together.
fn without_runs(text: &str, go: impl Fn(usize, &str) -> bool, joins: fn(char) -> bool) -> String {
    let belongs = |c: char| c.is_numeric() || joins(c);
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(char::is_numeric) {
        let run = &rest[start..];
        let end = run.find(|c| !belongs(c)).unwrap_or(run.len());
        kept.push_str(&rest[..start]);
        match run[..end].chars().filter(|c| c.is_numeric()).count() {
            digits if go(digits, &run[end..]) => kept.push('*'),
            _ => kept.push_str(&run[..end]),
        }
        rest = &run[end..];
    }
    kept + rest
}

#[cfg(test)]
#[path = "minimise_tests.rs"]
mod tests;
