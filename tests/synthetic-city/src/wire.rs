//! Wire records straight from the model, past all vendor shapes: for benchmarks and tests that need many.
use linkage::case_no::CaseNo;
use linkage::identifier::{IdentifierKind, ParsedIdentifier};
use linkage::office::OfficeId;
use linkage::phone::PhoneNumber;
use linkage::subject::{SubjectKind, SubjectNumber};
use linkage::token::TokenKey;
use linkage::vocabulary::{CaseState, ExcuseReason, ForeignRelation, PartyKind, PartyRole, Sex};
use notary_proto::hub::v1;
use prost_types::Timestamp;
use serde_json::{Value, json};
use time::{Date, UtcOffset};

use crate::case::{Case, Document, Party, Subject};
use crate::city::City;
use crate::filing::Filing;
use crate::plan::{CityPlan, PlanError};

/// Every storable case of a city with its office, office after office, tokens made with `key`. Records whose
/// flaw an agent would refuse are left out.
pub fn records(
    plan: &CityPlan,
    key: &TokenKey,
) -> Result<impl Iterator<Item = (OfficeId, v1::CaseRecord)>, PlanError> {
    let city = City::generate(plan)?;
    let key = key.clone();
    let offices = city.offices().len();
    Ok((0..offices).flat_map(move |office| {
        let (city, key) = (city.clone(), key.clone());
        let house = &city.offices()[office];
        let (id, cases) = (house.id, house.cases);
        (0..cases).filter_map(move |ordinal| {
            let case = city.case(office, ordinal);
            case.flaw
                .is_none()
                .then(|| (id, record(&city, &case, &key)))
        })
    }))
}

/// Storable cases of one office.
pub fn office_records<'a>(
    city: &'a City,
    office: usize,
    key: &'a TokenKey,
) -> impl Iterator<Item = v1::CaseRecord> + 'a {
    city.cases(office)
        .filter(|case| case.flaw.is_none())
        .map(|case| record(city, &case, key))
}

/// One case as the office's agent would send it.
pub fn record(city: &City, case: &Case, key: &TokenKey) -> v1::CaseRecord {
    let notary = &city.offices()[case.office].notaries[case.notary];
    v1::CaseRecord {
        source_case_id: case.source_case_id.clone(),
        revision: case.revision,
        state: state(case.state).into(),
        case_no: case
            .case_no
            .as_deref()
            .map(normalised_case_no)
            .unwrap_or_default(),
        matter_type: case.matter_type.code().to_owned(),
        foreign_relation: foreign_relation(case.foreign_relation).into(),
        place_of_use: case.place_of_use.unwrap_or_default().to_owned(),
        notary_licence_no: notary.licence_no.clone(),
        notary_name: notary.name.clone(),
        applied_day: Some(day(case.applied_on)),
        accepted_day: case.accepted_on.map(day),
        issued_day: case.issued_on.map(day),
        closed_day: case.closed_on.map(day),
        reason_code: case
            .reason_code
            .map(|reason| reason.code())
            .unwrap_or_default()
            .to_owned(),
        fee_charged_fen: case.fee_charged_fen,
        fee_reduced_fen: case.fee_reduced_fen,
        fee_reduction_reason: case.fee_reduction_reason.unwrap_or_default().to_owned(),
        amount_fen: case.amount_fen,
        legal_aid: case.legal_aid,
        home_visit: case.home_visit,
        major: case.major,
        discussed: case.discussed,
        excused: case
            .excused
            .iter()
            .map(|excused| v1::ExcusedInterval {
                first_day: day(excused.first_on),
                last_day: day(excused.last_on),
                reason: excuse_reason(excused.reason).into(),
            })
            .collect(),
        parties: case.parties.iter().map(|each| party(each, key)).collect(),
        subjects: case
            .subjects
            .iter()
            .map(|each| subject(each, key))
            .collect(),
        modified_at: Some(Timestamp {
            seconds: case
                .modified_at
                .assume_offset(UtcOffset::from_hms(8, 0, 0).expect("China is eight hours ahead"))
                .unix_timestamp(),
            nanos: 0,
        }),
        approved_day: case.approved_on.map(day),
        approver_licence_no: case
            .approver
            .map(|at| city.offices()[case.office].notaries[at].licence_no.clone())
            .unwrap_or_default(),
        certificates: case.certificates.unwrap_or_default(),
        next_tokens: None,
    }
}

/// A filing as the office's agent would hand it in: relatives are tokens.
pub fn filing(filing: &Filing, key: &TokenKey) -> v1::SubmitFilingRequest {
    let kind = format!("FILING_KIND_{}", filing.kind.to_uppercase());
    let mut fields = filing.fields.clone();
    let kin = fields.get_mut("kin").and_then(Value::as_array_mut);
    for relative in kin.into_iter().flatten() {
        let text = |field: &str| relative[field].as_str().unwrap_or_default();
        let kind = text("id_kind").parse().expect("kinds are written by code");
        let number = ParsedIdentifier::parse(kind, text("id_number")).expect("readable numbers");
        let token = match &number {
            ParsedIdentifier::Verified(identifier) => key.identifier(identifier),
            ParsedIdentifier::Unverified(identifier) => key.unverified(identifier),
        };
        let token: String = token
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        *relative = json!({ "relation": relative["relation"], "token": token });
    }
    v1::SubmitFilingRequest {
        filing_id: filing.filing_id.clone(),
        kind: v1::FilingKind::from_str_name(&kind)
            .expect("kinds are the contract's")
            .into(),
        source_case_id: filing.source_case_id.clone(),
        text: filing.text.to_owned(),
        detail: fields.to_string(),
    }
}

fn normalised_case_no(raw: &str) -> String {
    CaseNo::parse(raw)
        .expect("generated case numbers have a known shape")
        .as_str()
        .to_owned()
}

/// Days since 1970-01-01.
fn day(date: Date) -> i32 {
    date.to_julian_day() - 2_440_588
}

fn party(party: &Party, key: &TokenKey) -> v1::Party {
    v1::Party {
        role: role(party.role).into(),
        kind: match party.kind {
            PartyKind::Natural => v1::PartyKind::Natural,
            PartyKind::Legal => v1::PartyKind::Legal,
        }
        .into(),
        name: party.name.trim().to_owned(),
        identifier: party
            .document
            .as_ref()
            .map(|document| identifier(document, key)),
        sex: match party.sex {
            Some(Sex::Male) => v1::Sex::Male,
            Some(Sex::Female) => v1::Sex::Female,
            None => v1::Sex::Unspecified,
        }
        .into(),
        birth_day: party.birth_on.map(day),
        phone_token: party
            .phone
            .as_deref()
            .and_then(|phone| PhoneNumber::parse(phone).ok())
            .map(|phone| key.phone(&phone).as_bytes().to_vec())
            .unwrap_or_default(),
        address_district: party.district.to_owned(),
    }
}

fn identifier(document: &Document, key: &TokenKey) -> v1::IdentifierToken {
    let bytes = |token: linkage::token::Token| token.as_bytes().to_vec();
    let kind = identifier_kind(document.kind).into();
    match ParsedIdentifier::parse(document.kind, &document.number)
        .expect("generated numbers are readable")
    {
        ParsedIdentifier::Verified(identifier) => v1::IdentifierToken {
            kind,
            token: bytes(key.identifier(&identifier)),
            verified: true,
            masked_tail: identifier.masked_tail().to_owned(),
            segment_tokens: Vec::new(),
        },
        ParsedIdentifier::Unverified(identifier) => v1::IdentifierToken {
            kind,
            token: bytes(key.unverified(&identifier)),
            verified: false,
            masked_tail: identifier.masked_tail().to_owned(),
            segment_tokens: key.segments(&identifier).into_iter().map(bytes).collect(),
        },
    }
}

fn subject(subject: &Subject, key: &TokenKey) -> v1::Subject {
    let number = SubjectNumber::parse(subject.kind, &subject.number)
        .expect("generated numbers are readable");
    v1::Subject {
        kind: match subject.kind {
            SubjectKind::RealEstateUnit => v1::SubjectKind::RealEstateUnit,
            SubjectKind::RealEstateCertificate => v1::SubjectKind::RealEstateCertificate,
            SubjectKind::Contract => v1::SubjectKind::Contract,
            SubjectKind::Vehicle => v1::SubjectKind::Vehicle,
            SubjectKind::Certificate => v1::SubjectKind::Certificate,
        }
        .into(),
        token: key.subject(&number).as_bytes().to_vec(),
        masked_tail: number.masked_tail().to_owned(),
        district_code: subject.district.unwrap_or_default().to_owned(),
    }
}

fn state(state: CaseState) -> v1::CaseState {
    match state {
        CaseState::Applied => v1::CaseState::Applied,
        CaseState::Accepted => v1::CaseState::Accepted,
        CaseState::Refused => v1::CaseState::Refused,
        CaseState::UnderReview => v1::CaseState::UnderReview,
        CaseState::Approved => v1::CaseState::Approved,
        CaseState::Issued => v1::CaseState::Issued,
        CaseState::Archived => v1::CaseState::Archived,
        CaseState::Rejected => v1::CaseState::Rejected,
        CaseState::Terminated => v1::CaseState::Terminated,
        CaseState::Corrected => v1::CaseState::Corrected,
        CaseState::Revoked => v1::CaseState::Revoked,
        CaseState::Withdrawn => v1::CaseState::Withdrawn,
    }
}

fn foreign_relation(relation: ForeignRelation) -> v1::ForeignRelation {
    match relation {
        ForeignRelation::Domestic => v1::ForeignRelation::Domestic,
        ForeignRelation::Foreign => v1::ForeignRelation::Foreign,
        ForeignRelation::HongKongMacao => v1::ForeignRelation::HongKongMacao,
        ForeignRelation::Taiwan => v1::ForeignRelation::Taiwan,
    }
}

fn role(role: PartyRole) -> v1::PartyRole {
    match role {
        PartyRole::Applicant => v1::PartyRole::Applicant,
        PartyRole::Testator => v1::PartyRole::Testator,
        PartyRole::Decedent => v1::PartyRole::Decedent,
        PartyRole::Heir => v1::PartyRole::Heir,
        PartyRole::Principal => v1::PartyRole::Principal,
        PartyRole::Agent => v1::PartyRole::Agent,
        PartyRole::Donor => v1::PartyRole::Donor,
        PartyRole::Donee => v1::PartyRole::Donee,
        PartyRole::Debtor => v1::PartyRole::Debtor,
        PartyRole::Creditor => v1::PartyRole::Creditor,
        PartyRole::Adopter => v1::PartyRole::Adopter,
        PartyRole::Adoptee => v1::PartyRole::Adoptee,
        PartyRole::Counterpart => v1::PartyRole::Counterpart,
        PartyRole::Ward => v1::PartyRole::Ward,
        PartyRole::Guardian => v1::PartyRole::Guardian,
        PartyRole::Related => v1::PartyRole::Related,
    }
}

fn identifier_kind(kind: IdentifierKind) -> v1::IdentifierKind {
    match kind {
        IdentifierKind::ResidentId => v1::IdentifierKind::ResidentId,
        IdentifierKind::HongKongMacaoPermit => v1::IdentifierKind::HongKongMacaoPermit,
        IdentifierKind::TaiwanPermit => v1::IdentifierKind::TaiwanPermit,
        IdentifierKind::ResidencePermit => v1::IdentifierKind::ResidencePermit,
        IdentifierKind::ForeignPermanentResident => v1::IdentifierKind::ForeignPermanentResident,
        IdentifierKind::Passport => v1::IdentifierKind::Passport,
        IdentifierKind::CreditCode => v1::IdentifierKind::CreditCode,
    }
}

fn excuse_reason(reason: ExcuseReason) -> v1::ExcuseReason {
    match reason {
        ExcuseReason::ForceMajeure => v1::ExcuseReason::ForceMajeure,
        ExcuseReason::SupplementingMaterial => v1::ExcuseReason::SupplementingMaterial,
        ExcuseReason::Verification => v1::ExcuseReason::Verification,
    }
}
