//! An office's agent, its syncing part.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use linkage::token::TokenKey;
use notary_proto::hub::v1 as wire;
use office_agent::config::{Config, SourceName};
use office_agent::dial::Dialer;
use office_agent::identity::{self, EnrolError, Identity, Renewal};
use office_agent::outbox::{self, Entry, Outbox};
use office_agent::sync::{Sync, SyncState, Timing};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Hub;

pub struct Agent {
    pub config: Config,
    pub outbox: Outbox,
    pub renewal: Renewal,
    /// The next token key, as pipelines see it.
    pub next_key: Arc<watch::Sender<Option<TokenKey>>>,
    state: watch::Receiver<SyncState>,
    stop: CancellationToken,
    syncing: Option<JoinHandle<Option<u32>>>,
    folder: TempDir,
}

/// A configuration for a hub, in a folder of its own.
pub fn configured(hub: &Hub) -> (TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ca.pem"), &hub.authority.pem).unwrap();
    let text = format!(
        "data_dir = 'data'\n[hub]\nagents = 'https://localhost:{}'\npeople = 'https://localhost:{}'\nca_file = 'ca.pem'\n[local]\nlisten = '127.0.0.1:0'",
        hub.agents.port(),
        hub.people.port()
    );
    let file = folder.path().join("office-agent.toml");
    fs::write(&file, text).unwrap();
    let config = Config::load(&file).unwrap();
    (folder, config)
}

pub async fn enrolled(config: &Config) -> Result<Identity, EnrolError> {
    identity::enrol(config, "TOKEN").await
}

impl Agent {
    /// Enrolled, with an empty outbox; does not sync yet.
    pub async fn new(hub: &Hub) -> Self {
        let (folder, config) = configured(hub);
        let identity = enrolled(&config).await.unwrap();
        let outbox = Outbox::open(config.data_dir.join(outbox::FILE)).unwrap();
        let renewal = Renewal {
            data_dir: config.data_dir.clone(),
            hub: config.hub.agents.clone(),
            current: watch::Sender::new(Arc::new(identity)),
            ended: Arc::default(),
        };
        Self {
            config,
            outbox,
            renewal,
            state: watch::channel(SyncState::default()).1,
            stop: CancellationToken::new(),
            syncing: None,
            next_key: Arc::default(),
            folder,
        }
    }

    pub fn start(&mut self) {
        let state = Arc::new(watch::Sender::new(SyncState::default()));
        self.state = state.subscribe();
        let sync = Sync {
            hub: Dialer::of(self.config.hub.agents.clone()),
            outbox: self.outbox.clone(),
            identities: self.renewal.current.subscribe(),
            certificate_ended: Arc::clone(&self.renewal.ended),
            timing: Timing {
                retry_from: Duration::from_millis(5),
                retry_to: Duration::from_millis(20),
                look: Duration::from_millis(20),
                ..Timing::default()
            },
            state,
            next_key: Arc::clone(&self.next_key),
        };
        self.syncing = Some(tokio::spawn(sync.run(self.stop.clone())));
    }

    /// Enrolled, syncing, with so many cases waiting.
    pub async fn syncing(hub: &Hub, cases: usize) -> Self {
        let mut agent = Self::new(hub).await;
        agent.put(0..cases).await;
        agent.start();
        agent
    }

    pub async fn put(&self, cases: std::ops::Range<usize>) {
        let source: SourceName = "cases".parse().unwrap();
        let entries = cases
            .map(|number| {
                Entry::Case(Box::new(wire::CaseRecord {
                    source_case_id: format!("case-{number}"),
                    ..wire::CaseRecord::default()
                }))
            })
            .collect();
        self.outbox.append(&source, entries, None).await.unwrap();
    }

    /// Waits until the outbox knows that the hub has committed `sequence`.
    pub async fn acked(&mut self, sequence: u64) {
        while self.outbox.position().await.unwrap().acked < sequence {
            self.state.changed().await.unwrap();
        }
    }

    /// Waits for an error that stands and returns its words.
    pub async fn error(&mut self) -> (String, String) {
        let state = self
            .state
            .wait_for(|state| state.last_error.as_ref().is_some_and(|said| said.open))
            .await
            .unwrap();
        let said = state.last_error.clone().unwrap();
        (said.text, said.text_zh)
    }

    pub fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    pub async fn stopped(mut self) -> TempDir {
        self.stop.cancel();
        self.syncing.take().unwrap().await.unwrap();
        self.folder
    }
}

pub fn keys(batch: &wire::Batch) -> Vec<String> {
    batch
        .records
        .iter()
        .map(|record| match record.payload.as_ref().unwrap() {
            wire::record::Payload::Case(case) => case.source_case_id.clone(),
            wire::record::Payload::Rejected(rejected) => rejected.source_location.clone(),
        })
        .collect()
}

pub fn cases(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("case-{number}")).collect()
}
