//! One stream from `Hello` to its end.

use std::sync::Arc;
use std::time::Duration;

use linkage::token::TokenKey;
use metrics::{counter, gauge};
use notary_proto::hub::v1::sync_request::Message as Out;
use notary_proto::hub::v1::sync_response::Message as In;
use notary_proto::hub::v1::sync_service_client::SyncServiceClient;
use notary_proto::hub::v1::{Ack, Batch, Hello, SyncRequest, SyncResponse, Welcome};
use prost_types::Timestamp;
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

use super::backoff::Backoff;
use super::flow::{Flow, Limits};
use super::{End, Sync};
use crate::dial::Refusal;
use crate::identity::{self, Identity};
use crate::outbox::Position;
use crate::telemetry::metrics::{
    ACKED_RECORDS, HUB_REJECTS, NOTICES, SENT_RECORDS, STREAMS, SYNC_CONNECTED, WAITING_RECORDS,
};

/// Room for the hub's answers is set here; the contract's are small.
const MAX_MESSAGE: usize = 4 << 20;
/// A clock that is off by more is worth a word.
const SKEW: i64 = 120_000;

/// The two directions of an open stream.
struct Stream {
    out: mpsc::Sender<SyncRequest>,
    from_hub: Streaming<SyncResponse>,
}

impl Sync {
    /// Connects, and serves the stream until it ends. `Ok` means: connect again at once, or stop.
    pub(super) async fn connect_and_serve(
        &mut self,
        stop: &CancellationToken,
        backoff: &mut Backoff,
    ) -> Result<(), End> {
        let identity = Arc::clone(&self.identities.borrow_and_update());
        let position = self.outbox.position().await?;
        let opened = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            opened = open(self, &identity, &position) => opened,
        };
        let (stream, welcome) = opened?;
        let flow = self.begin(&identity, position, &welcome).await?;
        backoff.reset();
        self.connected(&welcome);
        let result = self.serve(stream, flow, stop).await;
        gauge!(SYNC_CONNECTED).set(0.0);
        result
    }

    fn connected(&self, welcome: &Welcome) {
        let now = OffsetDateTime::now_utc();
        let skew = welcome.sent_at.map(|sent| skew_ms(now, sent));
        if let Some(skew) = skew.filter(|skew| skew.abs() > SKEW) {
            tracing::warn!(
                skew_ms = skew,
                "this machine's clock is not the hub's; set it right"
            );
        }
        tracing::info!(hub = %self.hub, committed = welcome.committed_sequence, "connected to the hub");
        gauge!(SYNC_CONNECTED).set(1.0);
        counter!(STREAMS).increment(1);
        self.state.send_modify(|state| {
            state.connected = true;
            state.identity_refused = false;
            state.connected_at = Some(now.unix_timestamp());
            state.hub_version = Some(welcome.hub_version.clone());
            state.clock_skew_ms = skew;
            if let Some(said) = &mut state.last_error {
                said.open = false;
            }
        });
    }

    /// Compares what both sides hold and says where to go on.
    async fn begin(
        &self,
        identity: &Identity,
        position: Position,
        welcome: &Welcome,
    ) -> Result<Flow, End> {
        same_token_key(identity, welcome)?;
        self.take_next_key(identity, welcome).await?;
        let committed = welcome.committed_sequence;
        let restored = !welcome.hub_epoch.is_empty()
            && !position.hub_epoch.is_empty()
            && welcome.hub_epoch != position.hub_epoch;
        // Beyond what we ever offered: this outbox is the restored one, and whatever it has read since stands under
        // sequences that were others' before. Before our first: what the hub lacks is gone here.
        if restored || committed > position.offered || committed + 1 < position.first_kept {
            self.outbox.reoffer(&welcome.hub_epoch).await?;
            return Err(End::Reoffered);
        }
        if position.hub_epoch.is_empty() && !welcome.hub_epoch.is_empty() {
            self.outbox.set_hub_epoch(&welcome.hub_epoch).await?;
        }
        if committed > position.acked {
            // The acknowledgement was lost on its way.
            self.outbox.acked(committed, Vec::new()).await?;
        }
        let limits = Limits::from(welcome.limits.unwrap_or_default());
        Ok(Flow::new(limits, committed + 1, position.offered))
    }

    /// Has tokens made under the next key as well from now on, or no longer, as the hub asks.
    async fn take_next_key(&self, identity: &Identity, welcome: &Welcome) -> Result<(), End> {
        let next = identity.next_token_key_if(Some(welcome.next_token_key_id));
        let asked = next.as_ref().map(TokenKey::id);
        // First what is read from now on, then what is to be read again: nothing is read again without.
        self.next_key.send_replace(next);
        Ok(self.outbox.ask_next_key(asked).await?)
    }

    async fn serve(
        &mut self,
        mut stream: Stream,
        mut flow: Flow,
        stop: &CancellationToken,
    ) -> Result<(), End> {
        let mut grown = self.outbox.grown();
        let mut leave_by: Option<Instant> = None;
        let mut more = true;
        loop {
            let leaving = leave_by.is_some();
            if leaving && flow.is_idle() {
                return Ok(());
            }
            let paused = flow.paused_until();
            if more && !leaving && paused.is_none() && flow.has_credit() {
                more = self.send_next(&stream, &mut flow).await?;
            }
            let idle_until = paused.unwrap_or_else(|| Instant::now() + self.timing.look);
            let may_send = !leaving && flow.has_credit() && paused.is_none();
            tokio::select! {
                biased;
                message = stream.from_hub.message() => self.take(message, &mut flow).await?,
                () = stop.cancelled(), if !leaving => {
                    leave_by = Some(Instant::now() + self.timing.drain);
                }
                changed = self.identities.changed(), if !leaving && changed_is_news(&self.identities) => {
                    // The old certificate will end; go over to the new one when nothing is on its way.
                    if changed.is_ok() {
                        leave_by = Some(Instant::now() + self.timing.drain);
                    }
                }
                () = std::future::ready(()), if more && may_send => {}
                _ = grown.changed(), if !more => more = true,
                () = sleep_until(idle_until) => more = true,
                () = sleep_until(leave_by.unwrap_or(idle_until)), if leaving => return Ok(()),
                () = maybe(flow.stalled_at(self.timing.stall)) => return Err(End::Stalled),
            }
        }
    }

    /// Sends the next batch, if there is one; says whether there may be more behind it.
    async fn send_next(&self, stream: &Stream, flow: &mut Flow) -> Result<bool, End> {
        let Limits { records, bytes, .. } = flow.limits();
        let window = self.outbox.read(flow.next(), records, bytes).await?;
        gauge!(WAITING_RECORDS).set((window.records.len() as u64 + window.behind) as f64);
        if window.records.is_empty() {
            return Ok(false);
        }
        let (count, behind) = (window.records.len(), window.behind);
        if window.first_sequence + count as u64 > flow.offered() + 1 {
            flow.offer(self.outbox.offer().await?);
        }
        let batch = Batch {
            first_sequence: window.first_sequence,
            records: window.records,
            backlog: behind,
        };
        // There is room for every batch the window allows, so this never waits for the network.
        stream
            .out
            .send(request(Out::Batch(batch)))
            .await
            .map_err(|_| End::Closed)?;
        counter!(SENT_RECORDS).increment(count as u64);
        flow.sent(count);
        Ok(behind > 0)
    }

    async fn take(
        &self,
        message: Result<Option<SyncResponse>, tonic::Status>,
        flow: &mut Flow,
    ) -> Result<(), End> {
        let message = message
            .map_err(|status| End::Refused(Refusal::of(&status)))?
            .ok_or(End::Closed)?
            .message;
        match message {
            Some(In::Ack(ack)) => self.take_ack(ack, flow).await,
            Some(In::Notice(notice)) => {
                if self.outbox.keep_notice(notice).await? {
                    counter!(NOTICES).increment(1);
                    tracing::info!("the hub has a notice; `office-agent status` shows it");
                }
                Ok(())
            }
            Some(In::Pause(pause)) => {
                let delay = pause.retry_after.and_then(|delay| delay.try_into().ok());
                flow.pause(delay.unwrap_or(Duration::from_secs(1)));
                Ok(())
            }
            Some(In::Resend(resend)) => self.go_back(resend.from_sequence, flow).await,
            Some(In::Welcome(_)) => Err(End::Protocol("it welcomed twice")),
            // A message of a later version; what it asks for is not vital, or it would not be optional.
            None => Ok(()),
        }
    }

    async fn take_ack(&self, ack: Ack, flow: &mut Flow) -> Result<(), End> {
        if ack.committed_sequence >= flow.next() {
            return Err(End::Protocol("it acknowledged what was not sent"));
        }
        let refused = self
            .outbox
            .acked(ack.committed_sequence, ack.rejects)
            .await?;
        if refused > 0 {
            counter!(HUB_REJECTS).increment(refused);
            tracing::warn!(
                count = refused,
                "the hub refused records; `office-agent status` says which and why"
            );
        }
        counter!(ACKED_RECORDS).absolute(ack.committed_sequence);
        flow.acked(ack.committed_sequence);
        self.state
            .send_modify(|state| state.acked_at = Some(OffsetDateTime::now_utc().unix_timestamp()));
        Ok(())
    }

    async fn go_back(&self, from: u64, flow: &mut Flow) -> Result<(), End> {
        let position = self.outbox.position().await?;
        if from == 0 || from > position.last + 1 {
            return Err(End::Protocol("it wants what was never sent"));
        }
        if from < position.first_kept {
            self.outbox.reoffer(&position.hub_epoch).await?;
            return Err(End::Reoffered);
        }
        tracing::info!(from, "the hub asks for records again");
        flow.resend(from);
        Ok(())
    }
}

async fn open(
    sync: &Sync,
    identity: &Arc<Identity>,
    position: &Position,
) -> Result<(Stream, Welcome), End> {
    let channel = sync.hub.dial(identity).await?;
    let hello = Hello {
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        epoch: position.epoch.clone(),
        last_sequence: position.last,
        sent_at: Some(timestamp(OffsetDateTime::now_utc())),
        office_id: identity.office_id().to_string(),
        next_token_key_id: identity.next_token_key().map_or(0, TokenKey::id),
    };
    // Hello, and every batch the widest window allows.
    let (out, requests) = mpsc::channel(16);
    out.send(request(Out::Hello(hello)))
        .await
        .map_err(|_| End::Closed)?;
    let refused = |status: tonic::Status| End::Refused(Refusal::of(&status));
    let answer = async {
        let mut from_hub = SyncServiceClient::new(channel)
            .max_decoding_message_size(MAX_MESSAGE)
            .sync(ReceiverStream::new(requests))
            .await
            .map_err(refused)?
            .into_inner();
        let first = from_hub.message().await.map_err(refused)?;
        Ok::<_, End>((from_hub, first.ok_or(End::Closed)?.message))
    };
    let answer = tokio::time::timeout(sync.timing.stall, answer).await;
    match answer.map_err(|_| End::Stalled)?? {
        (from_hub, Some(In::Welcome(welcome))) => Ok((Stream { out, from_hub }, welcome)),
        _ => Err(End::Protocol("its first message is no welcome")),
    }
}

fn same_token_key(identity: &Identity, welcome: &Welcome) -> Result<(), End> {
    let key = identity.token_key();
    let algorithm = identity::algorithm(welcome.token_algorithm());
    if welcome.token_key_id == key.id() && algorithm == Some(key.algorithm()) {
        return Ok(());
    }
    let next = identity.next_token_key_if(Some(welcome.token_key_id));
    if let Some(next) = next.filter(|next| algorithm == Some(next.algorithm())) {
        return Err(End::GoOver { key_id: next.id() });
    }
    let algorithm = algorithm.map_or("of an unknown algorithm", |algorithm| algorithm.code());
    Err(End::TokenKey {
        wants: format!("{} ({algorithm})", welcome.token_key_id),
        has: format!("{} ({})", key.id(), key.algorithm()),
    })
}

fn request(message: Out) -> SyncRequest {
    SyncRequest {
        message: Some(message),
    }
}

fn timestamp(time: OffsetDateTime) -> Timestamp {
    Timestamp {
        seconds: time.unix_timestamp(),
        nanos: i32::try_from(time.nanosecond()).unwrap_or_default(),
    }
}

fn skew_ms(now: OffsetDateTime, sent: Timestamp) -> i64 {
    let here = i64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    let there = sent
        .seconds
        .saturating_mul(1000)
        .saturating_add(i64::from(sent.nanos) / 1_000_000);
    here.saturating_sub(there)
}

async fn maybe(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// False once nobody can announce an identity any more, so that waiting for one does not spin.
fn changed_is_news(identities: &crate::identity::Identities) -> bool {
    identities.has_changed().is_ok()
}
