//! One sync stream from its `Hello` to its end.

use std::pin::Pin;
use std::time::Duration;

use metrics::{counter, gauge};
use notary_proto::hub::v1::sync_request::Message;
use notary_proto::hub::v1::{Batch, SyncRequest, SyncResponse};
use prost::Message as _;
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

use super::outgoing;
use crate::grpc::error::{Reason, database, invalid_field};
use crate::grpc::guard::revoked;
use crate::identity::OfficeIdentity;
use crate::identity::revocation::Revocations;
use crate::ingest::Stopping;
use crate::ingest::batch::{Job, Outcome};
use crate::sync::feed::{Admission, Answer, Feed, Violation};
use crate::sync::hello::{Hello, Raw};
use crate::sync::notices::Notices;
use crate::sync::streams::Place;
use crate::sync::{Opened, Sync};
use crate::telemetry::metrics::{
    AGENT_CLOCK_SKEW, OFFICE_MISMATCHES, SYNC_PAUSES, SYNC_RESENDS, SYNC_STREAMS_ENDED,
};
use crate::transport::Leaving;

/// How long an agent may take to say `Hello`.
const HELLO_TIME: Duration = Duration::from_secs(10);
/// How long an agent may take to read what it is told.
const READING_TIME: Duration = Duration::from_secs(60);
/// How long the last word may take.
const LAST_WORD_TIME: Duration = Duration::from_secs(1);
/// A stream that another hub's replaced learns of it this late.
const SEEN_EVERY: Duration = Duration::from_secs(5);
const NOTICES_EVERY: Duration = Duration::from_secs(2);
/// A batch that finds no room before its writer for this long means too much work for the hub.
const CROWDED_AFTER: Duration = Duration::from_secs(2);
/// What the agent is told then.
const PAUSE: Duration = Duration::from_secs(5);

/// A stream before its first message.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) sync: Sync,
    pub(super) revocations: Revocations,
    pub(super) office: OfficeIdentity,
    pub(super) leaving: Leaving,
    pub(super) incoming: Streaming<SyncRequest>,
    pub(super) outgoing: mpsc::Sender<Result<SyncResponse, Status>>,
}

/// A batch on its way to the writer.
type HandingOver =
    Pin<Box<dyn Future<Output = Result<oneshot::Receiver<Outcome>, Stopping>> + Send>>;

/// A stream that speaks for its office.
struct Conversation<'a> {
    sync: &'a Sync,
    incoming: &'a mut Streaming<SyncRequest>,
    outgoing: &'a mpsc::Sender<Result<SyncResponse, Status>>,
    feed: Feed,
    notices: Notices,
    place: &'a Place,
    /// At most one: nothing is read while a batch waits for room.
    handing_over: Option<HandingOver>,
    /// When the batch that waits for room means too much work.
    crowded_at: Option<Instant>,
    /// Cleared when the agent has said everything or the hub wants to hear nothing more.
    listening: bool,
}

/// What happens next on a stream.
enum Event {
    Answer(Answer),
    HandedOver(Result<oneshot::Receiver<Outcome>, Stopping>),
    Heard(Result<Option<SyncRequest>, Status>),
    Crowded,
    Seen,
    Notices,
    Leave,
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
        let office_id = self.office.office_id;
        let opened = self
            .sync
            .open(office_id, &hello)
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
        let welcome = outgoing::welcome(&self.sync, &opened, OffsetDateTime::now_utc());
        tell(&self.outgoing, welcome).await?;
        let Opened {
            feed,
            notices,
            place,
            ..
        } = opened;
        let replaced = place.replaced();
        let conversation = Conversation {
            sync: &self.sync,
            incoming: &mut self.incoming,
            outgoing: &self.outgoing,
            feed,
            notices,
            place: &place,
            handing_over: None,
            crowded_at: None,
            listening: true,
        };
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
        };
        let hello = Hello::parse(&raw, OffsetDateTime::now_utc())
            .map_err(|error| invalid_field(format!("hello.{}", error.field), error.expected))?;
        if let Some(skew) = hello.clock_skew_ms {
            gauge!(AGENT_CLOCK_SKEW, "office" => office.to_string()).set(skew as f64 / 1000.0);
        }
        Ok(hello)
    }
}

impl Conversation<'_> {
    async fn run(mut self, leaving: &Leaving) -> Result<(), Status> {
        let mut seen = every(SEEN_EVERY);
        seen.reset();
        let mut notices = every(NOTICES_EVERY);
        let mut draining_since = None;
        loop {
            let event = tokio::select! {
                answer = self.feed.answer() => Event::Answer(answer),
                handed = handed_over(&mut self.handing_over) => Event::HandedOver(handed),
                heard = self.incoming.message(), if self.listening && self.handing_over.is_none() => {
                    Event::Heard(heard)
                }
                () = at(self.crowded_at) => Event::Crowded,
                _ = seen.tick() => Event::Seen,
                _ = notices.tick() => Event::Notices,
                () = leaving.asked(), if draining_since.is_none() => Event::Leave,
            };
            match event {
                Event::Answer(answer) => self.answered(answer).await?,
                Event::HandedOver(handed) => self.handed_over(handed)?,
                Event::Heard(Ok(Some(request))) => self.heard(request).await?,
                Event::Heard(Ok(None)) => self.listening = false,
                Event::Heard(Err(status)) => return Err(heard_badly(status)),
                Event::Crowded => self.crowded().await?,
                Event::Seen => self.seen().await?,
                Event::Notices => self.tell_notices().await?,
                Event::Leave => {
                    self.listening = false;
                    draining_since = Some(Instant::now());
                }
            }
            if !self.listening && self.feed.is_settled() && self.handing_over.is_none() {
                return match draining_since {
                    Some(_) => Err(draining()),
                    None => Ok(()),
                };
            }
        }
    }

    async fn heard(&mut self, request: SyncRequest) -> Result<(), Status> {
        let Some(Message::Batch(batch)) = request.message else {
            return Err(protocol_violation("only batches follow Hello"));
        };
        let (records, bytes) = (batch.records.len(), batch.encoded_len());
        match self.feed.admit(batch.first_sequence, records, bytes) {
            Ok(Admission::Take) => {
                self.take(batch);
                Ok(())
            }
            Ok(Admission::Resend { from_sequence }) => self.resend(from_sequence).await,
            Ok(Admission::Ignore) => Ok(()),
            Err(violation) => Err(violated(violation)),
        }
    }

    /// Decodes here, in the stream's own task, so that the writer has less to do.
    fn take(&mut self, batch: Batch) {
        let ingest = self.sync.ingest.clone();
        let job = Job {
            office_id: self.feed.office_id(),
            epoch: self.feed.epoch(),
            first_sequence: batch.first_sequence,
            records: batch
                .records
                .into_iter()
                .map(|record| ingest.decode(record))
                .collect(),
            backlog: batch.backlog,
        };
        self.handing_over = Some(Box::pin(async move { ingest.submit(job).await }));
        self.crowded_at = Some(Instant::now() + CROWDED_AFTER);
    }

    fn handed_over(
        &mut self,
        handed: Result<oneshot::Receiver<Outcome>, Stopping>,
    ) -> Result<(), Status> {
        self.handing_over = None;
        self.crowded_at = None;
        self.feed
            .handed_over(handed.map_err(|Stopping| draining())?);
        Ok(())
    }

    async fn answered(&mut self, answer: Answer) -> Result<(), Status> {
        match answer {
            Answer::Committed {
                committed_sequence,
                rejects,
            } => self.tell(outgoing::ack(committed_sequence, rejects)).await,
            Answer::Resend { from_sequence } => self.resend(from_sequence).await,
            Answer::EpochStale => Err(epoch_stale()),
            Answer::Lost => Err(draining()),
        }
    }

    async fn resend(&mut self, from_sequence: u64) -> Result<(), Status> {
        tracing::warn!(from_sequence, "a gap; the agent is asked to go back");
        counter!(SYNC_RESENDS, "office" => self.feed.office_id().to_string()).increment(1);
        self.tell(outgoing::resend(from_sequence)).await
    }

    async fn crowded(&mut self) -> Result<(), Status> {
        counter!(SYNC_PAUSES).increment(1);
        self.crowded_at = Some(Instant::now() + PAUSE);
        self.tell(outgoing::pause(PAUSE)).await
    }

    /// While the database is away the stream stays: batches wait as well.
    async fn seen(&mut self) -> Result<(), Status> {
        let (office_id, connected_at) = (self.feed.office_id(), self.place.connected_at());
        match self.sync.seen(office_id, connected_at).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(stream_replaced()),
            Err(error) => {
                tracing::warn!(%error, "the stream's sign of life was not stored");
                Ok(())
            }
        }
    }

    async fn tell_notices(&mut self) -> Result<(), Status> {
        match self.notices.due(Instant::now()).await {
            Ok(due) => {
                for notice in due {
                    self.tell(outgoing::notice(notice)).await?;
                }
            }
            Err(error) => tracing::warn!(%error, "notices could not be read; trying again"),
        }
        Ok(())
    }

    async fn tell(&mut self, message: SyncResponse) -> Result<(), Status> {
        tell(self.outgoing, message).await
    }
}

async fn tell(
    outgoing: &mpsc::Sender<Result<SyncResponse, Status>>,
    message: SyncResponse,
) -> Result<(), Status> {
    match timeout(READING_TIME, outgoing.send(Ok(message))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Status::cancelled("the agent has gone")),
        Err(_) => Err(Status::deadline_exceeded("the agent does not read")),
    }
}

async fn handed_over(
    handing_over: &mut Option<HandingOver>,
) -> Result<oneshot::Receiver<Outcome>, Stopping> {
    match handing_over {
        Some(handing_over) => handing_over.await,
        None => std::future::pending().await,
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
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

/// What went wrong while listening: mostly that the agent has gone.
fn heard_badly(status: Status) -> Status {
    match status.code() {
        // tonic's own refusal of a message beyond the limit.
        Code::OutOfRange => violated(Violation::TooLarge),
        Code::Internal => protocol_violation("a message could not be read"),
        _ => status,
    }
}

fn violated(violation: Violation) -> Status {
    let reason = match violation {
        Violation::TooLarge => Reason::BatchTooLarge,
        Violation::WindowExceeded => Reason::WindowExceeded,
        Violation::SequenceOutOfRange => Reason::ProtocolViolation,
    };
    reason.because(violation.to_string()).into()
}

fn protocol_violation(message: &str) -> Status {
    Reason::ProtocolViolation.because(message).into()
}

fn epoch_stale() -> Status {
    Reason::EpochStale
        .because("a newer epoch of the office's outbox is known")
        .into()
}

fn stream_replaced() -> Status {
    Reason::StreamReplaced
        .because("a newer stream of the office took over")
        .into()
}

fn draining() -> Status {
    Reason::Draining
        .because("go on with a new connection")
        .retry_after(Duration::from_secs(1))
        .into()
}

/// The reason as a metric's label.
fn reason_of(status: &Status) -> String {
    match status.get_error_details().error_info() {
        Some(info) => info.reason.clone(),
        None => format!("{:?}", status.code()),
    }
}
