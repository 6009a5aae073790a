//! The least that an agent is: a certificate, a stream, a window.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, bail};
use linkage::office::OfficeId;
use notary_proto::hub::v1::sync_service_client::SyncServiceClient;
use notary_proto::hub::v1::{Batch, Hello, SyncRequest, SyncResponse, sync_request, sync_response};
use rustls::ClientConfig;
use sandbox::client::{self, Identity};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

use crate::site::Hub;

/// A stream that was welcomed.
#[derive(Debug)]
pub(crate) struct Agent {
    to_hub: mpsc::Sender<SyncRequest>,
    from_hub: Streaming<SyncResponse>,
    window: usize,
    /// Keeps the connection.
    _channel: Channel,
}

impl Agent {
    /// Enrols, connects and says hello with a new outbox.
    pub(crate) async fn open(hub: &Hub, office_id: OfficeId) -> anyhow::Result<Self> {
        let identity = enrol(hub, office_id).await?;
        let config = client::config(&hub.ca_file, Some(identity))?;
        let channel = channel_of(office_id, hub.addresses().agents, config);
        let (to_hub, requests) = mpsc::channel(32);
        let mut from_hub = SyncServiceClient::new(channel.clone())
            .sync(ReceiverStream::new(requests))
            .await?
            .into_inner();
        let hello = sync_request::Message::Hello(Hello {
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            epoch: Uuid::now_v7().to_string(),
            last_sequence: 0,
            sent_at: None,
            office_id: office_id.to_string(),
            next_token_key_id: 0,
        });
        to_hub.send(request(hello)).await?;
        let welcome = from_hub
            .message()
            .await?
            .and_then(|response| response.message);
        let Some(sync_response::Message::Welcome(welcome)) = welcome else {
            bail!("the hub did not welcome {office_id}");
        };
        let limits = welcome.limits.context("a welcome states its limits")?;
        Ok(Self {
            to_hub,
            from_hub,
            window: limits.max_unacked_batches as usize,
            _channel: channel,
        })
    }

    /// Sends everything within the window; ends with the last ack.
    pub(crate) async fn send(&mut self, batches: Vec<Batch>) -> anyhow::Result<()> {
        let mut unacked = std::collections::VecDeque::new();
        let mut batches = batches.into_iter();
        loop {
            while unacked.len() < self.window
                && let Some(batch) = batches.next()
            {
                unacked.push_back(batch.first_sequence + batch.records.len() as u64 - 1);
                let batch = request(sync_request::Message::Batch(batch));
                if self.to_hub.send(batch).await.is_err() {
                    // What follows from the hub says why.
                    break;
                }
            }
            if unacked.is_empty() {
                return Ok(());
            }
            let response = self.from_hub.message().await?.context("the stream ended")?;
            match response.message {
                Some(sync_response::Message::Ack(ack)) => {
                    unacked.retain(|last| *last > ack.committed_sequence);
                }
                Some(sync_response::Message::Notice(_) | sync_response::Message::Pause(_)) => {}
                other => bail!("not expected: {other:?}"),
            }
        }
    }
}

fn request(message: sync_request::Message) -> SyncRequest {
    SyncRequest {
        message: Some(message),
    }
}

pub(crate) async fn enrol(hub: &Hub, office_id: OfficeId) -> anyhow::Result<Identity> {
    let config = client::config(&hub.ca_file, None)?;
    let people = channel_of(office_id, hub.addresses().people, config);
    client::enrol(people, hub.join_token(office_id).await?).await
}

pub(crate) fn channel(address: SocketAddr, config: Arc<ClientConfig>) -> Channel {
    client::channel(&endpoint(), address, config)
}

/// From an address of the office's own.
fn channel_of(office_id: OfficeId, address: SocketAddr, config: Arc<ClientConfig>) -> Channel {
    let mut hasher = DefaultHasher::new();
    office_id.hash(&mut hasher);
    let [one, two, three, ..] = hasher.finish().to_be_bytes();
    // Neither a network's own address nor its broadcast.
    let own = Ipv4Addr::new(127, one.max(1), two, three.clamp(1, 254));
    client::channel_from(&endpoint(), own, address, config)
}

fn endpoint() -> Endpoint {
    client::endpoint()
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(8 << 20)
}
