//! What tests of the hub share: a hub's keys in a folder of their own, and what an office's agent would do.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

pub mod client;
pub mod gateway;
pub mod hub;
pub mod meet;
pub mod program;
pub mod seed;
mod serving;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use linkage::token::TokenAlgorithm;
use notary_hub::audit::{Audit, key_file};
use notary_hub::config::Config;
use notary_hub::embedded::testing::TestDatabase;
use notary_hub::identity::account::pepper::Pepper;
use notary_hub::identity::account::second_factor::SecondFactor;
use notary_hub::identity::enrolment::Enrolment;
use notary_hub::identity::pki::Pki;
use notary_hub::identity::pki::authority::Authority;
use notary_hub::identity::revocation::Revocations;
use notary_hub::identity::{RoleKind, Sessions};
use notary_hub::store;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use sqlx::PgPool;
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// A hub's data folder with keys made by `init`.
pub struct Keys {
    pub config: Config,
    pub pki: Pki,
    _folder: TempDir,
}

impl Keys {
    pub fn new() -> Self {
        Self::with("")
    }

    /// `extra` is appended to the configuration file.
    pub fn with(extra: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), extra);
        Pki::create(
            &config,
            TokenAlgorithm::HmacSha256,
            OffsetDateTime::now_utc(),
        )
        .unwrap();
        Self {
            pki: Pki::load(&config).unwrap(),
            config,
            _folder: folder,
        }
    }
}

/// What gives certificates as a hub does, and its CA. Its audit log runs as long as the test. `extra` is appended to the
/// configuration file.
pub fn enrolment(db: &TestDatabase, extra: &str) -> (Enrolment, Arc<Authority>) {
    let Keys {
        pki,
        config,
        _folder,
    } = Keys::with(extra);
    let key = Arc::new(key_file::load_or_make(&config).unwrap());
    let (audit, log) = Audit::new(store::pool::audit(&db.url).unwrap(), key);
    tokio::spawn(log.run(CancellationToken::new()));
    let authority = Arc::new(pki.authority);
    let enrolment = Enrolment::new(
        db.pool.clone(),
        audit,
        Arc::clone(&authority),
        pki.token_keys,
        &config.identity,
    );
    (enrolment, authority)
}

/// What passwords are hashed with where no whole hub reads its own key.
pub fn pepper() -> Pepper {
    Pepper::of(&[7; 32])
}

/// Signs people in with the keys of `keys`; `required` cannot without a second factor.
pub async fn sessions(
    pool: &PgPool,
    keys: &Keys,
    required: impl IntoIterator<Item = RoleKind>,
) -> Sessions {
    let (revocations, _) = Revocations::load(pool.clone()).await.unwrap();
    let pki = Pki::load(&keys.config).unwrap();
    Sessions::new(
        pool.clone(),
        pki.session_keys,
        Duration::from_secs(900),
        revocations,
        SecondFactor::new(pki.account_keys.second_factors, required),
        pepper(),
    )
}

pub fn config(folder: &Path, extra: &str) -> Config {
    let text = format!("data_dir = '{}'\n{extra}", folder.join("hub").display());
    Config::parse(&text, &PathBuf::from("test.toml"), []).unwrap()
}

/// An agent's key and the request it sends.
pub fn csr() -> (KeyPair, Vec<u8>) {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let csr = csr_for(&key);
    (key, csr)
}

pub fn csr_for(key: &KeyPair) -> Vec<u8> {
    let request = CertificateParams::default().serialize_request(key).unwrap();
    request.der().to_vec()
}

pub async fn add_office(pool: &PgPool, office_id: &str) {
    let office = store::office::NewOffice {
        office_id: office_id.parse().unwrap(),
        name: format!("杭州市{office_id}公证处"),
        level: store::office::Level::Municipal,
        district: "330102".parse().unwrap(),
    };
    assert!(store::office::insert(pool, &office).await.unwrap());
}

/// GET over plain HTTP.
pub async fn get(address: std::net::SocketAddr, path: &str) -> (u16, String) {
    let tcp = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = http::Request::get(path).header("host", "localhost");
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// What Prometheus would read.
pub async fn metrics(hub: &hub::Hub) -> String {
    get(hub.app.addresses().metrics, "/metrics").await.1
}
