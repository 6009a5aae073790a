//! The agent as it is, but for TLS: outbox, sync, and an office's system that hands cases over.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use notary_proto::hub::v1::CaseRecord;
use office_agent::config::{HubUrl, SourceName};
use office_agent::dial::{self, DialError, Dialer};
use office_agent::identity::{self, Identity};
use office_agent::outbox::{Clock, Entry, FILE, Outbox};
use office_agent::sync::{Sync, SyncState, Timing};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rcgen::{CertificateParams, KeyPair};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::ledger::Shared;
use crate::{HUB, PORT, TOKEN_KEY};

/// Cases that an office works on; few, so that they change often.
const CASES: u32 = 40;

/// What an agent needs to begin anew after a crash.
#[derive(Clone, Debug)]
pub(crate) struct Office {
    pub(crate) folder: PathBuf,
    pub(crate) ledger: Shared,
    pub(crate) seed: u64,
    /// Whether the office's system still changes cases.
    pub(crate) working: watch::Receiver<bool>,
    /// Whether all that was promised is at the hub, and the agent knows.
    pub(crate) settled: Arc<watch::Sender<bool>>,
}

impl Office {
    /// Runs until the host crashes.
    pub(crate) async fn run(self) -> turmoil::Result {
        let outbox = Outbox::open_in_simulation(self.folder.join(FILE), clock())?;
        let hub: HubUrl = format!("https://{HUB}:{PORT}").parse()?;
        let identity = Arc::new(identity::load(&self.folder)?);
        let (_identities, identities) = watch::channel(identity);
        let sync = Sync {
            hub: Dialer::by(hub.clone(), move |_| reach(hub.clone())),
            outbox: outbox.clone(),
            identities,
            certificate_ended: Arc::default(),
            timing: Timing {
                stall: Duration::from_secs(30),
                seed: self.seed,
                ..Timing::default()
            },
            state: Arc::new(watch::Sender::new(SyncState::default())),
            next_key: Arc::default(),
        };
        tokio::spawn(sync.run(CancellationToken::new()));
        self.work(outbox).await
    }

    /// Hands changes over while there are any, and looks after the outbox.
    async fn work(self, outbox: Outbox) -> turmoil::Result {
        let source: SourceName = "cases".parse()?;
        let mut dice = ChaCha8Rng::seed_from_u64(self.seed);
        loop {
            sleep(Duration::from_millis(dice.random_range(20..400))).await;
            let position = outbox.position().await?;
            self.ledger.lock().compare(&position);
            if !*self.working.borrow() {
                let settled = position.acked == position.last && self.ledger.lock().lost() == 0;
                self.settled.send_replace(settled);
                continue;
            }
            let changed: Vec<_> = (0..dice.random_range(1..6))
                .map(|_| changed(&mut dice))
                .collect();
            let entries = changed.iter().cloned().map(Box::new).map(Entry::Case);
            outbox.append(&source, entries.collect(), None).await?;
            // No crash comes in between: nothing was awaited.
            for case in changed {
                let mut ledger = self.ledger.lock();
                ledger.promise(case.source_case_id, case.fee_charged_fen);
            }
        }
    }
}

/// A case with a content that is newer than all before it, over all lives of the agent.
fn changed(dice: &mut ChaCha8Rng) -> CaseRecord {
    let now = turmoil::sim_elapsed().unwrap_or_default();
    CaseRecord {
        source_case_id: format!("case-{}", dice.random_range(0..CASES)),
        fee_charged_fen: i64::try_from(now.as_micros()).unwrap_or(i64::MAX),
        ..CaseRecord::default()
    }
}

/// The simulation's time.
fn clock() -> Clock {
    let begun = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    Arc::new(move || begun + turmoil::sim_elapsed().unwrap_or_default())
}

async fn reach(hub: HubUrl) -> Result<tonic::transport::Channel, DialError> {
    let connecting = timeout(
        Duration::from_secs(20),
        turmoil::net::TcpStream::connect((HUB, PORT)),
    );
    let stream = connecting
        .await
        .map_err(|_| DialError::TimedOut { hub: hub.clone() })?
        .map_err(|source| DialError::Unreachable {
            hub: hub.clone(),
            source,
        })?;
    dial::over(&hub, stream).await
}

/// Writes an identity that the agent takes for its own.
pub fn enrol(folder: &Path) -> anyhow::Result<Identity> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["office".to_owned()])?.self_signed(&key)?;
    let der = BASE64.encode(certificate.der());
    let identity = serde_json::json!({
        "office_id": "hzgl",
        "office_name": "杭州市某某公证处",
        "private_key": BASE64.encode(&key.serialize_der()),
        "certificate_chain": [der],
        "trust_anchors": [der],
        "received_at": 1_700_000_000,
        "token_key_id": TOKEN_KEY,
        "token_algorithm": "hmac_sha256",
        "token_secret": BASE64.encode(&[7; 32]),
    });
    let file = folder.join("identity.json");
    fs::write(&file, identity.to_string())?;
    fs::set_permissions(&file, Permissions::from_mode(0o600))?;
    Ok(identity::load(folder)?)
}
