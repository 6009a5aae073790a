//! Wire record → [`Case`]. What the contract does not allow becomes a named reject of its own; nothing else
//! in the batch is held up by it. What follows from a case alone is worked out here as well, in the
//! stream's task, so that the writer has less to do.

pub mod code;
pub(crate) mod field;
mod next_tokens;

use linkage::case_no::CaseNo;
use linkage::matter::{MatterFacts, MatterType, RuleSet, RulesDigest};
use linkage::vocabulary::Sex;
use notary_proto::hub::v1 as wire;
use prost::Message;
use sha2::{Digest, Sha256};
use time::Date;

use self::field::{
    Checked, count, day, district, each, fen, optional, optional_day, required, segments, text,
    time, token,
};
use crate::case::reject::{AgentReject, kept_shape};
use crate::case::{Case, Check, ContentHash, Party, PartyIdentifier, Subject};
use crate::duplicates;
use crate::statistics::calendar::Calendar;
use crate::statistics::contribution::Figures;

// Bounds of the contract; see the comments in `common.proto`.
const KEY_CHARS: usize = 64;
const NAME_CHARS: usize = 200;
const NOTARY_CHARS: usize = 50;
const CODE_CHARS: usize = 64;
const LOCATION_CHARS: usize = 200;
const PARTIES: usize = 64;
const SUBJECTS: usize = 64;
const EXCUSED: usize = 16;
const MOST_CERTIFICATES: i32 = 10_000;
const IDENTIFIER_TAIL: usize = 4;
const SUBJECT_TAIL: usize = 6;

/// What one outbox entry turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    Case(Box<Case>),
    /// The agent could not make a case of its source record.
    Rejected(AgentReject),
    /// The record breaks the contract.
    Invalid(Invalid),
}

/// A field that the contract does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// `None` when the key itself is at fault.
    pub source_case_id: Option<String>,
    pub revision: Option<i64>,
    /// Path in the wire record, e.g. `parties[0].name`.
    pub field: String,
}

/// Decodes one record; never fails, because a bad record is an outcome of its own.
pub fn decode(record: wire::Record, rules: &RuleSet, calendar: &Calendar) -> Decoded {
    match record.payload {
        Some(wire::record::Payload::Case(record)) => decode_case(record, rules, calendar),
        Some(wire::record::Payload::Rejected(record)) => decode_rejected(record),
        None => invalid("payload".to_owned()),
    }
}

/// First 16 bytes of SHA-256 over the record's protobuf encoding with `revision` 0 and without `next_tokens`: what was
/// known before a change of the token key is the same case in the middle of it.
pub fn content_hash(record: &mut wire::CaseRecord) -> ContentHash {
    let revision = std::mem::take(&mut record.revision);
    let next_tokens = record.next_tokens.take();
    let digest = Sha256::digest(record.encode_to_vec());
    record.revision = revision;
    record.next_tokens = next_tokens;
    *digest.first_chunk().expect("SHA-256 has 32 bytes")
}

fn invalid(field: String) -> Decoded {
    Decoded::Invalid(Invalid {
        source_case_id: None,
        revision: None,
        field,
    })
}

fn decode_case(mut record: wire::CaseRecord, rules: &RuleSet, calendar: &Calendar) -> Decoded {
    let content_hash = content_hash(&mut record);
    // Of the whole record as well.
    let next_tokens = next_tokens::take(&mut record);
    let source_case_id = match required(
        std::mem::take(&mut record.source_case_id),
        KEY_CHARS,
        "source_case_id",
    ) {
        Ok(key) => key,
        Err(field) => return invalid(field),
    };
    let revision = i64::try_from(record.revision).ok();
    let case = checked_case(source_case_id.clone(), record, calendar);
    match case.and_then(|case| Ok((case, next_tokens?))) {
        Ok((mut case, next_tokens)) => {
            case.content_hash = content_hash;
            case.next_tokens = next_tokens;
            key(&mut case, rules);
            Decoded::Case(Box::new(case))
        }
        Err(field) => Decoded::Invalid(Invalid {
            source_case_id: Some(source_case_id),
            revision,
            field,
        }),
    }
}

fn checked_case(
    source_case_id: String,
    record: wire::CaseRecord,
    calendar: &Calendar,
) -> Checked<Case> {
    count(record.parties.len(), 1..=PARTIES, "parties")?;
    count(record.subjects.len(), 0..=SUBJECTS, "subjects")?;
    count(record.excused.len(), 0..=EXCUSED, "excused")?;
    let optional_code = |raw, field| text(raw, CODE_CHARS, field);
    Ok(Case {
        source_case_id,
        revision: i64::try_from(record.revision).map_err(|_| "revision")?,
        figures: figures(&record, calendar)?,
        case_no: optional(&record.case_no, CaseNo::parse, "case_no")?,
        place_of_use: optional_code(record.place_of_use, "place_of_use")?,
        notary_name: text(record.notary_name, NOTARY_CHARS, "notary_name")?,
        reason_code: optional_code(record.reason_code, "reason_code")?,
        fee_reduction_reason: optional_code(record.fee_reduction_reason, "fee_reduction_reason")?,
        amount_fen: fen(record.amount_fen, "amount_fen")?,
        major: record.major,
        discussed: record.discussed,
        approved_on: optional_day(record.approved_day, "approved_day")?,
        approver_licence_no: optional_code(record.approver_licence_no, "approver_licence_no")?,
        certificates: certificates(record.certificates)?,
        parties: each(record.parties, "parties", party)?,
        subjects: each(record.subjects, "subjects", subject)?,
        modified_at: record
            .modified_at
            .map(|at| time(at, "modified_at"))
            .transpose()?,
        matter_keys: Vec::new(),
        keyed_under: RulesDigest::default(),
        content_hash: ContentHash::default(),
        next_tokens: None,
    })
}

fn certificates(count: u32) -> Checked<Option<i32>> {
    match i32::try_from(count) {
        Ok(0) => Ok(None),
        Ok(count) if count <= MOST_CERTIFICATES => Ok(Some(count)),
        _ => Err("certificates".to_owned()),
    }
}

fn figures(record: &wire::CaseRecord, calendar: &Calendar) -> Checked<Figures> {
    let accepted_on = optional_day(record.accepted_day, "accepted_day")?;
    let issued_on = optional_day(record.issued_day, "issued_day")?;
    let excused = each(record.excused.clone(), "excused", excused_interval)?;
    // Only what lies between acceptance and issuance, or may yet, takes days off the limit.
    let excused = accepted_on.map_or(0, |accepted| {
        calendar.excused_days(&excused, accepted, issued_on.unwrap_or(Date::MAX))
    });
    Ok(Figures {
        state: code::case_state(record.state).ok_or("state")?,
        matter_type: MatterType::from_code(&record.matter_type).ok_or("matter_type")?,
        foreign_relation: code::foreign_relation(record.foreign_relation)
            .ok_or("foreign_relation")?,
        notary_licence_no: text(
            record.notary_licence_no.clone(),
            CODE_CHARS,
            "notary_licence_no",
        )?,
        applied_on: optional_day(record.applied_day, "applied_day")?,
        accepted_on,
        issued_on,
        closed_on: optional_day(record.closed_day, "closed_day")?,
        fee_charged_fen: fen(record.fee_charged_fen, "fee_charged_fen")?,
        fee_reduced_fen: fen(record.fee_reduced_fen, "fee_reduced_fen")?,
        legal_aid: record.legal_aid,
        home_visit: record.home_visit,
        excused_working_days: i16::try_from(excused).unwrap_or(i16::MAX),
    })
}

fn excused_interval(interval: wire::ExcusedInterval) -> Checked<(Date, Date)> {
    let first = day(interval.first_day, "first_day")?;
    let last = day(interval.last_day, "last_day")?;
    match first <= last {
        true => Ok((first, last)),
        false => Err("last_day".to_owned()),
    }
}

fn party(party: wire::Party) -> Checked<Party> {
    Ok(Party {
        role: code::party_role(party.role).ok_or("role")?,
        kind: code::party_kind(party.kind).ok_or("kind")?,
        name: required(party.name, NAME_CHARS, "name")?,
        sex: match wire::Sex::try_from(party.sex) {
            Ok(wire::Sex::Unspecified) => None,
            Ok(wire::Sex::Male) => Some(Sex::Male),
            Ok(wire::Sex::Female) => Some(Sex::Female),
            Err(_) => return Err("sex".to_owned()),
        },
        birth_date: optional_day(party.birth_day, "birth_day")?,
        identifier: party
            .identifier
            .map(identifier)
            .transpose()
            .map_err(|field| format!("identifier.{field}"))?,
        phone_token: match party.phone_token.as_slice() {
            [] => None,
            bytes => Some(token(bytes, "phone_token")?),
        },
        address_district: district(&party.address_district, "address_district")?,
    })
}

fn identifier(identifier: wire::IdentifierToken) -> Checked<PartyIdentifier> {
    let segments = segments(&identifier.segment_tokens, "segment_tokens")?;
    Ok(PartyIdentifier {
        kind: code::identifier_kind(identifier.kind).ok_or("kind")?,
        token: token(&identifier.token, "token")?,
        check: match identifier.verified {
            true => Check::Verified,
            false => Check::Unverified { segments },
        },
        tail: text(identifier.masked_tail, IDENTIFIER_TAIL, "masked_tail")?,
    })
}

fn subject(subject: wire::Subject) -> Checked<Subject> {
    Ok(Subject {
        kind: code::subject_kind(subject.kind).ok_or("kind")?,
        token: token(&subject.token, "token")?,
        tail: text(subject.masked_tail, SUBJECT_TAIL, "masked_tail")?,
        district_code: district(&subject.district_code, "district_code")?,
    })
}

/// Gives a case the keys that it has under these rules.
pub fn key(case: &mut Case, rules: &RuleSet) {
    let parties: Vec<_> = case
        .parties
        .iter()
        .map(|party| {
            let number = party.identifier.as_ref();
            (
                party.role,
                number.and_then(|identifier| identifier.verified()),
            )
        })
        .collect();
    let subjects: Vec<_> = case
        .subjects
        .iter()
        .map(|subject| (subject.kind, subject.token))
        .collect();
    let facts = MatterFacts {
        matter_type: case.matter_type(),
        parties: &parties,
        subjects: &subjects,
        place_of_use: case.place_of_use.as_deref(),
    };
    case.matter_keys = duplicates::keys(rules, case.state(), &facts);
    case.keyed_under = *rules.digest();
}

fn decode_rejected(record: wire::RejectedRecord) -> Decoded {
    match checked_reject(record) {
        Ok(reject) => Decoded::Rejected(reject),
        Err(field) => invalid(field),
    }
}

fn checked_reject(record: wire::RejectedRecord) -> Checked<AgentReject> {
    let source_case_id = text(record.source_case_id, KEY_CHARS, "source_case_id")?;
    let source_location = text(record.source_location, LOCATION_CHARS, "source_location")?;
    let rule_id = required(record.rule_id, CODE_CHARS, "rule_id")?;
    Ok(AgentReject {
        record_key: source_case_id
            .or_else(|| source_location.clone())
            .ok_or("source_location")?,
        source_location,
        field: text(record.field, CODE_CHARS, "field")?.unwrap_or_default(),
        value_shape: kept_shape(&rule_id, &record.value_shape),
        rule_id,
        mended: record.mended,
    })
}
