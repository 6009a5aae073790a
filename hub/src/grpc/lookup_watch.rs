//! Standing questions in the form of the wire.

use notary_proto::hub::v1 as wire;
use notary_proto::hub::v1::{
    CheckApplicationRequest, EndWatchRequest, ListWatchesResponse, WatchMatterRequest,
    WatchMatterResponse,
};
use uuid::Uuid;

use super::lookup_answer::receipt;
use super::lookup_question;
use super::padding::Untold;
use super::value::timestamp;
use crate::lookup::watch::{Days, Watching};
use crate::lookup::{Denial, Question};
use crate::store::lookup::watch::Watch;

/// A matter is named as in a check.
pub(super) fn question(request: WatchMatterRequest) -> Result<(Question, Days), Denial> {
    let days = Days::new(request.days).ok_or_else(|| Denial::Field {
        path: "days".to_owned(),
        expected: "0 to 366",
    })?;
    let question = lookup_question::check(CheckApplicationRequest {
        purpose: request.purpose,
        case_reference: request.case_reference,
        matter_type: request.matter_type,
        parties: request.parties,
        subjects: request.subjects,
        place_of_use: request.place_of_use,
        intent: wire::IntentAction::Unspecified.into(),
    })?;
    Ok((question, days))
}

pub(super) fn which(request: EndWatchRequest) -> Result<Uuid, Denial> {
    Uuid::parse_str(&request.watch_id).map_err(|_| Denial::Field {
        path: "watch_id".to_owned(),
        expected: "a UUID",
    })
}

pub(super) fn put(put: Watching) -> WatchMatterResponse {
    let mut answer = WatchMatterResponse {
        watch_id: put.watch.watch_id.to_string(),
        expires_at: Some(timestamp(put.watch.expires_at)),
        receipt: Some(receipt(&put.receipt)),
        ..Default::default()
    };
    let untold = Untold::of(&answer);
    answer.already_open = u32::try_from(put.already_open).unwrap_or(u32::MAX);
    answer.padding = untold.padding(&answer, 1);
    answer
}

pub(super) fn list(watches: Vec<Watch>) -> ListWatchesResponse {
    let watches = watches.into_iter().map(|watch| wire::Watch {
        watch_id: watch.watch_id.to_string(),
        matter_type: watch.matter_type.code().to_owned(),
        case_reference: watch.case_reference,
        put_at: Some(timestamp(watch.put_at)),
        expires_at: Some(timestamp(watch.expires_at)),
    });
    ListWatchesResponse {
        watches: watches.collect(),
    }
}
