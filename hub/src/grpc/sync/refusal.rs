//! Why a stream ends before its agent is done.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::refusal::Reason;
use crate::sync::feed::Violation;

/// What went wrong while listening: mostly that the agent has gone.
pub(super) fn heard_badly(status: Status) -> Status {
    match status.code() {
        // Refusals of a message beyond the limit: as it is declared, decompressed, or made of elements.
        Code::OutOfRange | Code::ResourceExhausted => violated(Violation::TooLarge),
        Code::Internal => protocol_violation("a message could not be read"),
        _ => status,
    }
}

pub(super) fn violated(violation: Violation) -> Status {
    let reason = match violation {
        Violation::TooLarge => Reason::BatchTooLarge,
        Violation::WindowExceeded => Reason::WindowExceeded,
        Violation::SequenceOutOfRange => Reason::ProtocolViolation,
    };
    reason.because(violation.to_string()).into()
}

pub(super) fn protocol_violation(message: &str) -> Status {
    Reason::ProtocolViolation.because(message).into()
}

pub(super) fn epoch_stale() -> Status {
    Reason::EpochStale
        .because("a newer epoch of the office's outbox is known")
        .into()
}

pub(super) fn token_key_changed() -> Status {
    Reason::TokenKeyUnknown
        .because("the city went over to another token key; `Welcome` of the next stream names it")
        .into()
}

/// Until somebody has mended it nothing will be different.
pub(super) fn not_stored() -> Status {
    Reason::Internal
        .because("a fault of the hub's keeps the office's records from being stored; its log has the details")
        .retry_after(Duration::from_secs(60))
        .into()
}

pub(super) fn stream_replaced() -> Status {
    Reason::StreamReplaced
        .because("a newer stream of the office took over")
        .into()
}

pub(super) fn draining() -> Status {
    Reason::Draining
        .because("go on with a new connection")
        .retry_after(Duration::from_secs(1))
        .into()
}

/// The reason as a metric's label.
pub(super) fn reason_of(status: &Status) -> String {
    match status.get_error_details().error_info() {
        Some(info) => info.reason.clone(),
        None => format!("{:?}", status.code()),
    }
}
