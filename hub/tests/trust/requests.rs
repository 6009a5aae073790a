//! Requests that are in order, for tests that send every method of the contract.

use notary_proto::hub::v1 as wire;
use prost::Message;
use uuid::Uuid;

const CASE_REFERENCE: &str = "2024-接-1";

pub fn check() -> Vec<u8> {
    check_and(wire::IntentAction::Unspecified)
}

/// The same with something done about the own intent.
pub fn check_and(intent: wire::IntentAction) -> Vec<u8> {
    let request = wire::CheckApplicationRequest {
        purpose: wire::LookupPurpose::BeforeAcceptance.into(),
        case_reference: CASE_REFERENCE.to_owned(),
        matter_type: "mandate".to_owned(),
        parties: vec![principal()],
        intent: intent.into(),
        ..Default::default()
    };
    request.encode_to_vec()
}

pub fn batch_check() -> Vec<u8> {
    let request = wire::BatchCheckRequest {
        purpose: wire::LookupPurpose::BeforeAcceptance.into(),
        case_reference: CASE_REFERENCE.to_owned(),
        matter_type: "mandate".to_owned(),
        parties: vec![principal()],
        ..Default::default()
    };
    request.encode_to_vec()
}

pub fn find_person() -> Vec<u8> {
    let request = wire::FindPersonRequest {
        purpose: wire::LookupPurpose::BeforeAcceptance.into(),
        case_reference: CASE_REFERENCE.to_owned(),
        matter_type: "mandate".to_owned(),
        person: Some(principal()),
    };
    request.encode_to_vec()
}

pub fn watch_matter() -> Vec<u8> {
    let request = wire::WatchMatterRequest {
        purpose: wire::LookupPurpose::BeforeAcceptance.into(),
        case_reference: CASE_REFERENCE.to_owned(),
        matter_type: "birth".to_owned(),
        parties: vec![wire::LookupParty {
            role: wire::PartyRole::Applicant.into(),
            ..principal()
        }],
        ..Default::default()
    };
    request.encode_to_vec()
}

pub fn end_watch(watch_id: Uuid) -> Vec<u8> {
    let watch_id = watch_id.to_string();
    wire::EndWatchRequest { watch_id }.encode_to_vec()
}

/// About the first hit of the look-up that an entry of the audit log is about.
pub fn request_details(audit_entry: u64) -> Vec<u8> {
    let request = wire::RequestDetailsRequest {
        request_id: Uuid::new_v4().to_string(),
        audit_entry,
        hit: 0,
        question: "请核实。".to_owned(),
    };
    request.encode_to_vec()
}

pub fn list_details_requests() -> Vec<u8> {
    let request = wire::ListDetailsRequestsRequest {
        side: wire::DetailsSide::AskedOfUs.into(),
        ..Default::default()
    };
    request.encode_to_vec()
}

pub fn answer_details(request_id: Uuid) -> Vec<u8> {
    let request = wire::AnswerDetailsRequest {
        request_id: request_id.to_string(),
        outcome: wire::DetailsOutcome::Verified.into(),
        answer: "属实。".to_owned(),
    };
    request.encode_to_vec()
}

fn principal() -> wire::LookupParty {
    wire::LookupParty {
        role: wire::PartyRole::Principal.into(),
        identifier: Some(wire::IdentifierToken {
            kind: wire::IdentifierKind::ResidentId.into(),
            token: vec![1; 16],
            verified: true,
            ..Default::default()
        }),
        ..Default::default()
    }
}
