//! What the hub says, as it travels.

use std::time::Duration;

use linkage::token::TokenAlgorithm;
use notary_proto::hub::v1::sync_response::Message;
use notary_proto::hub::v1::{self as wire, DigestResponse, SyncResponse};
use time::OffsetDateTime;

use crate::grpc::value::{day, timestamp};
use crate::ingest::batch::HubReject;
use crate::store::feed::notice::{Notice, NoticeKind};
use crate::sync::digest::{CaseDigest, MonthDigest};
use crate::sync::feed::{MAX_BATCH_BYTES, MAX_BATCH_RECORDS, MAX_UNACKED_BATCHES};
use crate::sync::{Feeds, Opened};

pub(super) fn welcome(feeds: &Feeds, opened: &Opened, now: OffsetDateTime) -> SyncResponse {
    let key = opened.token_keys.present.unwrap_or(feeds.first_token_key);
    let algorithm = match key.algorithm {
        TokenAlgorithm::HmacSha256 => wire::TokenAlgorithm::HmacSha256,
        TokenAlgorithm::HmacSm3 => wire::TokenAlgorithm::HmacSm3,
    };
    response(Message::Welcome(wire::Welcome {
        committed_sequence: opened.committed_sequence,
        token_key_id: key.id,
        token_algorithm: algorithm.into(),
        limits: Some(wire::SyncLimits {
            max_batch_records: MAX_BATCH_RECORDS as u32,
            max_batch_bytes: MAX_BATCH_BYTES as u32,
            max_unacked_batches: MAX_UNACKED_BATCHES as u32,
        }),
        hub_version: env!("CARGO_PKG_VERSION").to_owned(),
        sent_at: Some(timestamp(now)),
        hub_epoch: opened.hub_epoch.to_string(),
        next_token_key_id: opened.token_keys.next.unwrap_or(0),
    }))
}

pub(super) fn ack(committed_sequence: u64, rejects: Vec<HubReject>) -> SyncResponse {
    let rejects = rejects.into_iter().map(|reject| wire::RecordReject {
        sequence: reject.sequence,
        source_case_id: reject.source_case_id.unwrap_or_default(),
        rule_id: reject.rule.code().to_owned(),
        field: reject.field,
        message_zh: reject.rule.remedy_zh().to_owned(),
    });
    response(Message::Ack(wire::Ack {
        committed_sequence,
        rejects: rejects.collect(),
    }))
}

pub(super) fn resend(from_sequence: u64) -> SyncResponse {
    response(Message::Resend(wire::Resend { from_sequence }))
}

pub(super) fn pause(retry_after: Duration) -> SyncResponse {
    response(Message::Pause(wire::Pause {
        retry_after: prost_types::Duration::try_from(retry_after).ok(),
    }))
}

pub(super) fn notice(notice: Notice) -> SyncResponse {
    let kind = match notice.kind {
        Some(NoticeKind::DuplicateFound) => wire::NoticeKind::DuplicateFound,
        Some(NoticeKind::ReportWanted) => wire::NoticeKind::ReportWanted,
        Some(NoticeKind::RectificationAsked) => wire::NoticeKind::RectificationAsked,
        Some(NoticeKind::MatterOpened) => wire::NoticeKind::MatterOpened,
        Some(NoticeKind::DetailsAsked) => wire::NoticeKind::DetailsAsked,
        Some(NoticeKind::DetailsAnswered) => wire::NoticeKind::DetailsAnswered,
        None => wire::NoticeKind::Unspecified,
    };
    response(Message::Notice(wire::Notice {
        notice_id: notice.notice_id.to_string(),
        kind: kind.into(),
        source_case_id: notice.source_case_id.unwrap_or_default(),
        text_zh: notice.text_zh,
        created_at: Some(timestamp(notice.created_at)),
    }))
}

pub(super) fn month_digests(months: Vec<MonthDigest>) -> DigestResponse {
    let months = months.into_iter().map(|month| wire::MonthDigest {
        month: day(month.month),
        cases: month.cases,
        digest: month.digest.to_vec(),
    });
    DigestResponse {
        months: months.collect(),
        cases: Vec::new(),
    }
}

pub(super) fn case_digests(cases: Vec<CaseDigest>) -> DigestResponse {
    let cases = cases.into_iter().map(|case| wire::CaseDigest {
        source_case_id: case.source_case_id,
        revision: case.revision.unsigned_abs(),
        content_hash: case.content_hash.to_vec(),
    });
    DigestResponse {
        months: Vec::new(),
        cases: cases.collect(),
    }
}

fn response(message: Message) -> SyncResponse {
    SyncResponse {
        message: Some(message),
    }
}
