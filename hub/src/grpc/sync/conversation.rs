//! What goes on between `Welcome` and the end of a stream.

use std::pin::Pin;
use std::time::Duration;

use metrics::counter;
use notary_proto::hub::v1::sync_request::Message;
use notary_proto::hub::v1::{Batch, Record, SyncRequest, SyncResponse};
use prost::Message as _;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};
use tonic::{Status, Streaming};

use super::outgoing;
use super::refusal::{
    draining, epoch_stale, heard_badly, not_stored, protocol_violation, stream_replaced,
    token_key_changed, violated,
};
use super::stream::tell;
use crate::ingest::batch::{Job, Outcome};
use crate::ingest::decode::Decoded;
use crate::ingest::{Ingest, Stopping};
use crate::store::token_key::Standing;
use crate::sync::feed::{Admission, Answer, Feed};
use crate::sync::notices::Notices;
use crate::sync::streams::Place;
use crate::sync::{Feeds, Opened};
use crate::telemetry::metrics::{SYNC_PAUSES, SYNC_RESENDS};
use crate::transport::Leaving;

/// Records decoded before others get a turn: below a millisecond.
const DECODED_AT_ONCE: usize = 128;
/// A stream that another hub's replaced learns of it this late.
const SEEN_EVERY: Duration = Duration::from_secs(5);
const NOTICES_EVERY: Duration = Duration::from_secs(2);
/// A batch that finds no room before its writer for this long means too much work for the hub.
const CROWDED_AFTER: Duration = Duration::from_secs(2);
/// What the agent is told then.
const PAUSE: Duration = Duration::from_secs(5);

/// A batch on its way to the writer.
type HandingOver =
    Pin<Box<dyn Future<Output = Result<oneshot::Receiver<Outcome>, Stopping>> + Send>>;

/// A stream that speaks for its office.
pub(super) struct Conversation<'a> {
    feeds: &'a Feeds,
    incoming: &'a mut Streaming<SyncRequest>,
    outgoing: &'a mpsc::Sender<Result<SyncResponse, Status>>,
    feed: Feed,
    notices: Notices,
    place: Place,
    /// As the stream was welcomed.
    token_keys: Standing,
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

impl<'a> Conversation<'a> {
    pub(super) fn new(
        feeds: &'a Feeds,
        opened: Opened,
        incoming: &'a mut Streaming<SyncRequest>,
        outgoing: &'a mpsc::Sender<Result<SyncResponse, Status>>,
    ) -> Self {
        Self {
            feeds,
            incoming,
            outgoing,
            feed: opened.feed,
            notices: opened.notices,
            place: opened.place,
            token_keys: opened.token_keys,
            handing_over: None,
            crowded_at: None,
            listening: true,
        }
    }

    pub(super) async fn run(mut self, leaving: &Leaving) -> Result<(), Status> {
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

    fn take(&mut self, batch: Batch) {
        let (office_id, epoch) = (self.feed.office_id(), self.feed.epoch());
        let ingest = self.feeds.ingest.clone();
        let token_key = self.token_keys.present.map(|key| key.id);
        self.handing_over = Some(Box::pin(async move {
            let job = Job {
                office_id,
                epoch,
                first_sequence: batch.first_sequence,
                records: decoded(&ingest, batch.records).await,
                backlog: batch.backlog,
                token_key,
            };
            ingest.submit(job).await
        }));
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
            Answer::TokenKeyChanged => Err(token_key_changed()),
            Answer::NotStored => Err(not_stored()),
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
        let seen = async {
            let ours = self.feeds.seen(office_id, connected_at).await?;
            Ok::<_, sqlx::Error>((ours, self.feeds.is_same_key(&self.token_keys).await?))
        };
        match seen.await {
            Ok((true, true)) => Ok(()),
            Ok((true, false)) => Err(token_key_changed()),
            Ok((false, _)) => Err(stream_replaced()),
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

/// Decodes in the stream's own task, so that the writer has less to do, and lets others go first now and then: a large
/// batch must not hold a look-up up.
async fn decoded(ingest: &Ingest, records: Vec<Record>) -> Vec<Decoded> {
    let mut decoded = Vec::with_capacity(records.len());
    for record in records {
        decoded.push(ingest.decode(record));
        if decoded.len().is_multiple_of(DECODED_AT_ONCE) {
            tokio::task::yield_now().await;
        }
    }
    decoded
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
