//! An answer in the form of the wire.

use linkage::matter::Severity;
use linkage::score::{Decision, Explanation};
use linkage::vocabulary::CaseState;
use linkage::weights::MatchWeight;
use notary_proto::hub::v1 as wire;

use super::padding::Untold;
use super::value::{day, timestamp};
use crate::audit::Receipt;
use crate::lookup::{Answer, BatchAnswer, Hit, PersonAnswer, PersonMatch};
use crate::store::lookup::Freshness;
use crate::store::lookup::intent::Standing;

pub(super) fn check(told: Answer) -> wire::CheckApplicationResponse {
    let mut answer = wire::CheckApplicationResponse {
        feeds: told.feeds.iter().map(feed).collect(),
        receipt: Some(receipt(&told.receipt)),
        ..Default::default()
    };
    let untold = Untold::of(&answer);
    answer.hits = told.hits.into_iter().map(hit).collect();
    answer.truncated = told.truncated;
    answer.intents = told.intents.into_iter().map(intent).collect();
    answer.intent_expires_at = told.intent_expires_at.map(timestamp);
    answer.padding = untold.padding(&answer, 1);
    answer
}

pub(super) fn batch(told: BatchAnswer) -> wire::BatchCheckResponse {
    let receipts = told.answers.iter().map(|one| wire::BatchAnswer {
        receipt: Some(receipt(&one.receipt)),
        ..Default::default()
    });
    let mut answer = wire::BatchCheckResponse {
        answers: receipts.collect(),
        feeds: told.feeds.iter().map(feed).collect(),
        ..Default::default()
    };
    let untold = Untold::of(&answer);
    for (one, told) in answer.answers.iter_mut().zip(told.answers) {
        one.hits = told.hits.into_iter().map(hit).collect();
        one.truncated = told.truncated;
    }
    answer.padding = untold.padding(&answer, answer.answers.len());
    answer
}

pub(super) fn person(told: PersonAnswer) -> wire::FindPersonResponse {
    let mut answer = wire::FindPersonResponse {
        feeds: told.feeds.iter().map(feed).collect(),
        receipt: Some(receipt(&told.receipt)),
        ..Default::default()
    };
    let untold = Untold::of(&answer);
    answer.hits = told.hits.into_iter().map(hit).collect();
    answer.truncated = told.truncated;
    answer.padding = untold.padding(&answer, 1);
    answer
}

fn intent(intent: Standing) -> wire::LookupIntent {
    wire::LookupIntent {
        office_id: intent.office_id.to_string(),
        office_name: intent.office_name,
        matter_type: intent.matter_type.code().into(),
        registered_at: Some(timestamp(intent.registered_at)),
        expires_at: Some(timestamp(intent.expires_at)),
    }
}

fn hit(hit: Hit) -> wire::LookupHit {
    let identifier = hit
        .by_identifier
        .then_some(wire::MatchedOn::Identifier.into());
    let subject = hit.by_subject.then_some(wire::MatchedOn::Subject.into());
    let person = hit
        .person
        .is_some()
        .then_some(wire::MatchedOn::Person.into());
    wire::LookupHit {
        office_id: hit
            .office_id
            .map(|office_id| office_id.to_string())
            .unwrap_or_default(),
        office_name: hit.office_name,
        case_no: hit.case_no.unwrap_or_default(),
        matter_type: hit
            .matter_type
            .map(|matter| matter.code().into())
            .unwrap_or_default(),
        state: hit.state.map_or(wire::CaseState::Unspecified, state).into(),
        accepted_day: hit.accepted_on.map(day),
        matched_on: [identifier, subject, person]
            .into_iter()
            .flatten()
            .collect(),
        masked_names: hit.masked_names,
        severity: severity(hit.severity).into(),
        first_accepting: hit.first_accepting,
        person: hit.person.map(person_match),
    }
}

fn person_match(person: PersonMatch) -> wire::PersonMatch {
    let said = person.explanation.as_ref();
    wire::PersonMatch {
        party: u32::try_from(person.party).unwrap_or_default(),
        decision: match person.decision {
            Decision::Same => wire::MatchDecision::Same,
            Decision::Possible => wire::MatchDecision::Possible,
            Decision::Different => wire::MatchDecision::Unspecified,
        }
        .into(),
        weight_millibits: person.weight.map(MatchWeight::millibits),
        explanation_zh: said.map(Explanation::to_chinese).unwrap_or_default(),
        explanation_en: said.map(Explanation::to_english).unwrap_or_default(),
        fields: said
            .into_iter()
            .flat_map(|said| &said.contributions)
            .map(|part| wire::ComparedField {
                field: part.field.code().to_owned(),
                level: part.level.to_owned(),
                weight_millibits: part.weight.millibits(),
            })
            .collect(),
    }
}

fn state(state: CaseState) -> wire::CaseState {
    match state {
        CaseState::Applied => wire::CaseState::Applied,
        CaseState::Accepted => wire::CaseState::Accepted,
        CaseState::Refused => wire::CaseState::Refused,
        CaseState::UnderReview => wire::CaseState::UnderReview,
        CaseState::Approved => wire::CaseState::Approved,
        CaseState::Issued => wire::CaseState::Issued,
        CaseState::Archived => wire::CaseState::Archived,
        CaseState::Rejected => wire::CaseState::Rejected,
        CaseState::Terminated => wire::CaseState::Terminated,
        CaseState::Corrected => wire::CaseState::Corrected,
        CaseState::Revoked => wire::CaseState::Revoked,
        CaseState::Withdrawn => wire::CaseState::Withdrawn,
    }
}

fn severity(severity: Option<Severity>) -> wire::MatchSeverity {
    match severity {
        None => wire::MatchSeverity::Unspecified,
        Some(Severity::Related) => wire::MatchSeverity::Related,
        Some(Severity::Conflict) => wire::MatchSeverity::Conflict,
        Some(Severity::Duplicate) => wire::MatchSeverity::Duplicate,
    }
}

fn feed(feed: &Freshness) -> wire::FeedFreshness {
    wire::FeedFreshness {
        office_id: feed.office_id.to_string(),
        office_name: feed.office_name.clone(),
        last_commit_at: feed.last_commit_at.map(timestamp),
        caught_up_at: feed.up_to_date_at.map(timestamp),
        connected: feed.connected,
    }
}

pub(super) fn receipt(receipt: &Receipt) -> wire::Receipt {
    let inclusion = receipt.inclusion();
    wire::Receipt {
        audit_entry: u64::try_from(receipt.entry_no).unwrap_or_default(),
        recorded_at: Some(timestamp(receipt.recorded_at)),
        leaf_hash: inclusion.leaf_hash.to_vec(),
        leaf_index: inclusion.leaf_index,
        inclusion_path: inclusion.path.iter().map(|hash| hash.to_vec()).collect(),
        checkpoint: inclusion.checkpoint,
    }
}
