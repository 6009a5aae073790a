//! The hand that writes: the least that an agent is.

use std::time::Duration;

use anyhow::{Context, bail};
use notary_proto::hub::v1::sync_service_client::SyncServiceClient;
use notary_proto::hub::v1::{
    Batch, CaseRecord, CaseState, ForeignRelation, Hello, IdentifierKind, IdentifierToken, Party,
    PartyKind, PartyRole, Record, RecordReject, SyncRequest, SyncResponse, record, sync_request,
    sync_response,
};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;
use uuid::Uuid;

use super::history::{History, case_of};
use super::place::Place;
use super::{ANSWER, MATTER, OFFICE, Shared, lock, token};

/// A batch at this distance from the acknowledgement of the one before.
const EVERY: Duration = Duration::from_millis(100);
/// Another stream at this distance from the end of the one before.
const AGAIN: Duration = Duration::from_millis(300);

/// Hands over one write after the other until it is to stop, whatever becomes of its streams.
pub(super) async fn write(mut place: Place, history: Shared, stop: CancellationToken) {
    let epoch = Uuid::now_v7().to_string();
    while !stop.is_cancelled() {
        let stream = async {
            if let Err(error) = hand_over(&mut place, &epoch, &history).await {
                lock(&history).failed(format!("{error:#}"));
            }
            sleep(AGAIN).await;
        };
        stop.run_until_cancelled(stream).await;
    }
}

/// One stream, until it breaks or its certificate is due.
async fn hand_over(place: &mut Place, epoch: &str, history: &Shared) -> anyhow::Result<()> {
    let channel = timeout(ANSWER, place.connect()).await??;
    let (to_hub, requests) = mpsc::channel(4);
    let hello = Hello {
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        epoch: epoch.to_owned(),
        last_sequence: lock(history).sent(),
        office_id: OFFICE.to_owned(),
        ..Hello::default()
    };
    to_hub
        .send(request(sync_request::Message::Hello(hello)))
        .await?;
    let mut client = SyncServiceClient::new(channel);
    let stream = timeout(ANSWER, client.sync(ReceiverStream::new(requests)));
    let mut from_hub = stream.await??.into_inner();
    let sync_response::Message::Welcome(welcome) = next(&mut from_hub).await? else {
        bail!("the hub did not welcome its office");
    };
    lock(history).told_of(welcome.committed_sequence);
    let mut from = welcome.committed_sequence + 1;
    while !place.is_due() {
        // One to three writes in a batch.
        let last = from + from % 3;
        lock(history).send(last);
        let batch = Batch {
            first_sequence: from,
            records: (from..=last).map(the_write).collect(),
            backlog: 0,
        };
        to_hub
            .send(request(sync_request::Message::Batch(batch)))
            .await?;
        from = acknowledged(&mut from_hub, history, last).await? + 1;
        sleep(EVERY).await;
    }
    Ok(())
}

/// Waits until the hub has the write or wants to have an earlier one again. Returns what it has.
async fn acknowledged(
    from_hub: &mut Streaming<SyncResponse>,
    history: &Shared,
    last: u64,
) -> anyhow::Result<u64> {
    loop {
        match next(from_hub).await? {
            sync_response::Message::Ack(ack) => {
                let committed = ack.committed_sequence;
                note(&mut lock(history), committed, &ack.rejects);
                if committed >= last {
                    return Ok(committed);
                }
            }
            sync_response::Message::Resend(resend) => {
                let committed = resend.from_sequence.saturating_sub(1);
                lock(history).told_of(committed);
                return Ok(committed);
            }
            sync_response::Message::Notice(_) | sync_response::Message::Pause(_) => {}
            sync_response::Message::Welcome(_) => bail!("a second welcome"),
        }
    }
}

fn note(history: &mut History, committed: u64, rejects: &[RecordReject]) {
    history.acknowledge(committed);
    for reject in rejects {
        history.refuse(reject.sequence, &reject.rule_id);
    }
}

async fn next(from_hub: &mut Streaming<SyncResponse>) -> anyhow::Result<sync_response::Message> {
    let response = timeout(ANSWER, from_hub.message()).await??;
    let message = response.context("the hub ended the stream")?.message;
    message.context("an empty message")
}

fn request(message: sync_request::Message) -> SyncRequest {
    SyncRequest {
        message: Some(message),
    }
}

/// A new revision of the case whose turn it is; the case number says which.
fn the_write(write: u64) -> Record {
    let case = case_of(write);
    let person = Party {
        role: PartyRole::Principal.into(),
        kind: PartyKind::Natural.into(),
        name: "见证人".to_owned(),
        identifier: Some(IdentifierToken {
            kind: IdentifierKind::ResidentId.into(),
            token: token(case),
            verified: true,
            ..IdentifierToken::default()
        }),
        ..Party::default()
    };
    let case = CaseRecord {
        source_case_id: format!("case-{case}"),
        revision: write,
        state: CaseState::Accepted.into(),
        case_no: super::case_no(write),
        matter_type: MATTER.to_owned(),
        foreign_relation: ForeignRelation::Domestic.into(),
        applied_day: Some(ACCEPTED),
        accepted_day: Some(ACCEPTED),
        parties: vec![person],
        ..CaseRecord::default()
    };
    Record {
        payload: Some(record::Payload::Case(case)),
    }
}

/// 2024-03-01, days since 1970-01-01.
const ACCEPTED: i32 = 19_783;
