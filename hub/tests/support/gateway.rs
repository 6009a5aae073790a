//! One TLS listener of a hub with nothing behind it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use notary_hub::embedded::testing::fresh_database;
use notary_hub::identity::pki::authority::Authority;
use notary_hub::identity::pki::server_certificate::ServerCertificate;
use notary_hub::identity::revocation::Revocations;
use notary_hub::transport::{Audience, Listener, Stop, agents_tls, people_tls};
use time::OffsetDateTime;

use super::Keys;

/// Ends when dropped.
pub struct Gateway {
    pub keys: Keys,
    pub address: SocketAddr,
    pub stop: Stop,
}

impl Gateway {
    /// The agents' listener. `extra` is appended to the configuration file.
    pub async fn agents(extra: &str) -> Self {
        let keys = Keys::with(extra);
        let (revocations, _) = Revocations::load(fresh_database().await.pool)
            .await
            .unwrap();
        let trust_domain = keys.pki.authority.trust_domain().clone();
        let oldest = keys.config.tls.minimum_version;
        let authority = Arc::new(Authority::load(&keys.config).unwrap());
        let grace = keys.config.identity.renewal_grace.into();
        let tls = agents_tls(certificate(&keys), authority, grace, oldest).unwrap();
        let audience = Audience::Agents {
            trust_domain,
            revocations,
        };
        Self::serve(keys, audience, tls).await
    }

    /// The people's listener.
    pub async fn people(extra: &str) -> Self {
        let keys = Keys::with(extra);
        let tls = people_tls(certificate(&keys), keys.config.tls.minimum_version).unwrap();
        Self::serve(keys, Audience::People, tls).await
    }

    async fn serve(keys: Keys, audience: Audience, tls: rustls::ServerConfig) -> Self {
        let limits = keys.config.limits.clone();
        let any_port = "127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind(any_port, audience, tls, limits)
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Stop::default();
        tokio::spawn(listener.serve(Router::new(), stop.clone()));
        Self {
            keys,
            address,
            stop,
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop.drain.cancel();
        self.stop.kill.cancel();
    }
}

fn certificate(keys: &Keys) -> Arc<ServerCertificate> {
    let now = OffsetDateTime::now_utc();
    let certificate = ServerCertificate::load_or_make(&keys.config, &keys.pki.authority, now);
    Arc::new(certificate.unwrap())
}
