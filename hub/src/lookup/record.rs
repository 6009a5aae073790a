//! What the audit log says of a look-up: tokens and codes, no name and no number.

use data_encoding::HEXLOWER;
use linkage::subject::SubjectKind;
use linkage::token::Token;
use serde_json::{Value, json};

use super::question::{Asker, NumberCheck, Party, Question};
use crate::audit::{Action, Actor, Entry, Outcome};
use crate::store::lookup::Found;

pub(super) fn entry(
    asker: Asker,
    question: &Question,
    action: Action,
    outcome: Outcome,
    detail: Value,
) -> Entry {
    Entry {
        actor: Actor::Account(asker.account_id),
        office_id: Some(asker.office_id),
        action,
        outcome,
        purpose: Some(question.purpose.code()),
        case_reference: Some(question.case_reference.clone()),
        detail,
    }
}

/// What was asked.
pub(super) fn asked(question: &Question) -> Value {
    asked_about(question, &question.parties, &question.subjects)
}

/// What was asked about some of a question's parties and subjects.
pub(super) fn asked_about(
    question: &Question,
    parties: &[Party],
    subjects: &[(SubjectKind, Token)],
) -> Value {
    let parties: Vec<Value> = parties.iter().map(party).collect();
    let subjects: Vec<Value> = subjects
        .iter()
        .map(|(kind, token)| json!({ "kind": kind.code(), "token": hex(token) }))
        .collect();
    let mut asked = json!({
        "matter_type": question.matter_type.code(),
        "parties": parties,
        "subjects": subjects,
    });
    if let Some(place) = &question.place_of_use {
        asked["place_of_use"] = place.as_str().into();
    }
    if let Some(action) = question.intent {
        asked["intent"] = action.code().into();
    }
    asked
}

/// Of a description the log says which fields it had.
fn party(party: &Party) -> Value {
    let mut said = json!({ "role": party.role.code() });
    if let Some(number) = &party.number {
        said["kind"] = number.kind.code().into();
        said["token"] = hex(&number.token).into();
        said["verified"] = (number.check == NumberCheck::Verified).into();
    }
    if let Some(description) = &party.description {
        let fields = [
            ("name", true),
            ("sex", description.sex.is_some()),
            ("birth", description.birth_date.is_some()),
            ("phone", description.phone.is_some()),
            ("district", description.district.is_some()),
        ];
        said["described_by"] = fields
            .into_iter()
            .filter_map(|(field, there)| there.then_some(field))
            .collect();
    }
    said
}

/// What was told: office and the office's own key of each case, in the order of the answer.
pub(super) fn told(found: &[Found]) -> Value {
    found
        .iter()
        .map(|found| json!([found.office_id.as_str(), found.source_case_id]))
        .collect()
}

fn hex(token: &Token) -> String {
    HEXLOWER.encode(token.as_bytes())
}
