//! What an office's agent does on the wire.

use std::time::Duration;

use notary_hub::embedded::testing::TestDatabase;
use notary_hub::store;
use notary_proto::hub::v1 as wire;
use notary_proto::hub::v1::sync_service_client::SyncServiceClient;
use sqlx::{PgPool, PgTransaction};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};
use uuid::Uuid;
use wire::{Ack, Batch, Hello, Record, SyncRequest, Welcome, sync_request, sync_response};

use crate::support::hub::{Hub, Office};

/// An outbox of one office.
pub struct Agent {
    pub office_id: String,
    pub office: Office,
    pub epoch: Uuid,
}

/// An open stream.
pub struct Stream {
    to_hub: mpsc::Sender<SyncRequest>,
    from_hub: Streaming<wire::SyncResponse>,
}

impl Agent {
    pub async fn enrol(hub: &Hub, office_id: &str) -> Self {
        Self {
            office_id: office_id.to_owned(),
            office: hub.enrol(office_id).await,
            epoch: Uuid::now_v7(),
        }
    }

    pub fn hello(&self) -> Hello {
        Hello {
            agent_version: "0.1.0".to_owned(),
            epoch: self.epoch.to_string(),
            last_sequence: 0,
            sent_at: None,
            office_id: self.office_id.clone(),
            next_token_key_id: 0,
        }
    }

    /// A stream on which nothing has been said.
    pub async fn connect(&self, hub: &Hub) -> Stream {
        self.try_connect(hub).await.unwrap()
    }

    pub async fn try_connect(&self, hub: &Hub) -> Result<Stream, Status> {
        Stream::over(hub.agents(&self.office)).await
    }

    /// A stream that was welcomed.
    pub async fn open(&self, hub: &Hub) -> (Stream, Welcome) {
        let mut stream = self.connect(hub).await;
        stream.greet(self.hello()).await;
        let welcome = stream.welcomed().await;
        (stream, welcome)
    }
}

impl Stream {
    /// A stream on which nothing has been said.
    pub async fn over(channel: Channel) -> Result<Self, Status> {
        let mut client = SyncServiceClient::new(channel).max_encoding_message_size(16 << 20);
        let (to_hub, requests) = mpsc::channel(32);
        let from_hub = client.sync(ReceiverStream::new(requests)).await?;
        Ok(Self {
            to_hub,
            from_hub: from_hub.into_inner(),
        })
    }

    pub async fn greet(&self, hello: Hello) {
        self.say(sync_request::Message::Hello(hello)).await;
    }

    pub async fn send<R: Into<Record>>(&self, first_sequence: u64, records: Vec<R>) {
        let records = records.into_iter().map(Into::into).collect();
        self.say(sync_request::Message::Batch(Batch {
            first_sequence,
            records,
            backlog: 0,
        }))
        .await;
    }

    pub async fn say(&self, message: sync_request::Message) {
        let message = Some(message);
        // A stream that the hub has ended takes nothing more; what it says tells why.
        let _ = self.to_hub.send(SyncRequest { message }).await;
    }

    /// The next message, or why the stream ended.
    pub async fn hear(&mut self) -> Result<sync_response::Message, Status> {
        let heard = tokio::time::timeout(Duration::from_secs(30), self.from_hub.message());
        match heard.await.expect("the hub says something")? {
            Some(response) => Ok(response.message.unwrap()),
            None => Err(Status::ok("ended")),
        }
    }

    /// What the hub says to a greeting.
    pub async fn welcomed(&mut self) -> Welcome {
        match self.hear().await.unwrap() {
            sync_response::Message::Welcome(welcome) => welcome,
            other => panic!("no welcome: {other:?}"),
        }
    }

    /// The next ack.
    pub async fn ack(&mut self) -> Ack {
        loop {
            match self.hear().await.unwrap() {
                sync_response::Message::Ack(ack) => return ack,
                sync_response::Message::Notice(_) => {}
                other => panic!("no ack: {other:?}"),
            }
        }
    }

    /// Waits until everything up to here is acknowledged.
    pub async fn acked(&mut self, sequence: u64) {
        while self.ack().await.committed_sequence < sequence {}
    }

    /// Why the stream ended.
    pub async fn end(&mut self) -> Status {
        loop {
            match self.hear().await {
                Err(status) => return status,
                Ok(sync_response::Message::Ack(_) | sync_response::Message::Notice(_)) => {}
                Ok(other) => panic!("no end: {other:?}"),
            }
        }
    }

    /// Says that nothing more comes.
    pub fn finish(self) -> Streaming<wire::SyncResponse> {
        self.from_hub
    }
}

/// Holds all feeds, so that no batch can commit.
pub async fn hold(pool: &PgPool) -> PgTransaction<'_> {
    let mut holder = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM sync_position FOR UPDATE")
        .execute(&mut *holder)
        .await
        .unwrap();
    holder
}

/// Waits until this many writers wait for feeds that are held.
pub async fn writers_wait(db: &TestDatabase, writers: i64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                      AND application_name = 'notary-hub writer' AND wait_event_type = 'Lock'";
    until(&db.pool, waiting, writers).await;
}

/// Waits until the query says this number.
pub async fn until(pool: &PgPool, sql: &'static str, expected: i64) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while count(pool, sql).await != expected {
        assert!(tokio::time::Instant::now() < deadline, "{sql}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub async fn count(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

pub async fn cases(hub: &Hub) -> i64 {
    count(&hub.db.pool, "SELECT count(*) FROM case_record").await
}

/// Another hub takes the office's stream over.
pub async fn taken_over_elsewhere(hub: &Hub, agent: &Agent) {
    let greeting = store::feed::sync::Greeting {
        office_id: agent.office_id.parse().unwrap(),
        epoch: agent.epoch,
        last_sequence: 0,
        agent_version: "0.1.0",
        clock_skew_ms: None,
        next_token_key: None,
    };
    store::feed::sync::open(&hub.db.pool, &greeting)
        .await
        .unwrap()
        .expect("not stale");
}
