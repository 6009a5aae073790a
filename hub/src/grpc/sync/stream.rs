//! One sync stream from its `Hello` to its end.

use std::time::Duration;

use metrics::{counter, gauge};
use notary_proto::hub::v1::sync_request::Message;
use notary_proto::hub::v1::{SyncRequest, SyncResponse};
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::{Status, Streaming};

use super::conversation::Conversation;
use super::outgoing;
use super::refusal::{
    draining, epoch_stale, heard_badly, protocol_violation, reason_of, stream_replaced,
};
use crate::grpc::error::{database, invalid_field};
use crate::grpc::guard::revoked;
use crate::identity::OfficeIdentity;
use crate::identity::revocation::Revocations;
use crate::refusal::Reason;
use crate::sync::Feeds;
use crate::sync::hello::{Hello, Raw};
use crate::telemetry::metrics::{AGENT_CLOCK_SKEW, OFFICE_MISMATCHES, SYNC_STREAMS_ENDED};
use crate::transport::Leaving;

/// How long an agent may take to say `Hello`.
const HELLO_TIME: Duration = Duration::from_secs(10);
/// How long an agent may take to read what it is told.
const READING_TIME: Duration = Duration::from_secs(60);
/// How long the last word may take.
const LAST_WORD_TIME: Duration = Duration::from_secs(1);

/// A stream before its first message.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) feeds: Feeds,
    pub(super) revocations: Revocations,
    pub(super) office: OfficeIdentity,
    pub(super) leaving: Leaving,
    pub(super) incoming: Streaming<SyncRequest>,
    pub(super) outgoing: mpsc::Sender<Result<SyncResponse, Status>>,
}

impl Connection {
    /// Serves the stream to its end and says why it ended.
    pub(super) async fn serve(mut self) {
        let outgoing = self.outgoing.clone();
        let revoked_later = {
            let (revocations, office) = (self.revocations.clone(), self.office);
            async move { revocations.revoked(office).await }
        };
        let end = tokio::select! {
            end = self.run() => end,
            revocation = revoked_later => Err(revoked(revocation)),
            () = outgoing.closed() => Err(Status::cancelled("the agent has gone")),
        };
        let reason = end.as_ref().err().map_or("done".to_owned(), reason_of);
        tracing::info!(reason, "stream ended");
        counter!(SYNC_STREAMS_ENDED, "reason" => reason).increment(1);
        if let Err(status) = end {
            // An agent that does not read hears it from the connection's end.
            let _ = timeout(LAST_WORD_TIME, outgoing.send(Err(status))).await;
        }
    }

    async fn run(&mut self) -> Result<(), Status> {
        let hello = self.hello().await?;
        let mut opened = self
            .feeds
            .open(self.office, &hello)
            .await
            .map_err(|error| database(&error))?
            .ok_or_else(epoch_stale)?;
        tracing::info!(
            epoch = %hello.epoch,
            agent_version = hello.agent_version,
            committed_sequence = opened.committed_sequence,
            last_sequence = hello.last_sequence,
            clock_skew_ms = hello.clock_skew_ms,
            "stream opened"
        );
        let welcome = outgoing::welcome(&self.feeds, &opened, OffsetDateTime::now_utc());
        tell(&self.outgoing, welcome).await?;
        let rejects = std::mem::take(&mut opened.rejects);
        if !rejects.is_empty() {
            let again = outgoing::ack(opened.committed_sequence, rejects);
            tell(&self.outgoing, again).await?;
        }
        let replaced = opened.place.replaced();
        let conversation =
            Conversation::new(&self.feeds, opened, &mut self.incoming, &self.outgoing);
        tokio::select! {
            end = conversation.run(&self.leaving) => end,
            () = replaced.cancelled() => Err(stream_replaced()),
        }
    }

    /// Reads the greeting. One that speaks for another office has no effect but the alarm.
    async fn hello(&mut self) -> Result<Hello, Status> {
        let first = tokio::select! {
            first = timeout(HELLO_TIME, self.incoming.message()) => first,
            () = self.leaving.asked() => return Err(draining()),
        };
        let first = first.map_err(|_| protocol_violation("no Hello within 10 seconds"))?;
        let message = first.map_err(heard_badly)?.and_then(|first| first.message);
        let Some(Message::Hello(hello)) = message else {
            return Err(protocol_violation("the first message must be Hello"));
        };
        let office = self.office.office_id;
        if hello.office_id != office.as_str() {
            tracing::warn!("an agent spoke for another office than its certificate's");
            counter!(OFFICE_MISMATCHES, "office" => office.to_string()).increment(1);
            return Err(Reason::OfficeMismatch
                .because("Hello names another office than the certificate")
                .field("hello.office_id", "the certificate's office")
                .into());
        }
        let raw = Raw {
            epoch: &hello.epoch,
            last_sequence: hello.last_sequence,
            agent_version: &hello.agent_version,
            sent_at: hello.sent_at.and_then(moment),
            next_token_key_id: hello.next_token_key_id,
        };
        let hello = Hello::parse(&raw, OffsetDateTime::now_utc())
            .map_err(|error| invalid_field(format!("hello.{}", error.field), error.expected))?;
        if let Some(skew) = hello.clock_skew_ms {
            gauge!(AGENT_CLOCK_SKEW, "office" => office.to_string()).set(skew as f64 / 1000.0);
        }
        Ok(hello)
    }
}

pub(super) async fn tell(
    outgoing: &mpsc::Sender<Result<SyncResponse, Status>>,
    message: SyncResponse,
) -> Result<(), Status> {
    match timeout(READING_TIME, outgoing.send(Ok(message))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Status::cancelled("the agent has gone")),
        Err(_) => Err(Status::deadline_exceeded("the agent does not read")),
    }
}

fn moment(at: prost_types::Timestamp) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(at.seconds)
        .ok()
        .and_then(|second| {
            second
                .replace_nanosecond(u32::try_from(at.nanos).ok()?)
                .ok()
        })
}
