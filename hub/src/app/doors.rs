//! The three addresses a hub listens on.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use super::{Addresses, AppError};
use crate::config::{self, Config};
use crate::identity::pki::authority::Authority;
use crate::identity::pki::server_certificate::ServerCertificate;
use crate::identity::revocation::Revocations;
use crate::transport::{Audience, Listener, Stop, agents_tls, people_tls};

/// Bound, not accepting yet.
#[derive(Debug)]
pub(super) struct Doors {
    agents: Listener,
    people: Listener,
    metrics: TcpListener,
    pub(super) addresses: Addresses,
}

impl Doors {
    pub(super) async fn bind(
        config: &Config,
        authority: &Arc<Authority>,
        certificate: Arc<ServerCertificate>,
        revocations: Revocations,
    ) -> Result<Self, AppError> {
        let oldest = config.tls.minimum_version;
        let grace = config.identity.renewal_grace.into();
        let tls = agents_tls(certificate.clone(), Arc::clone(authority), grace, oldest)?;
        let audience = Audience::Agents {
            trust_domain: authority.trust_domain().clone(),
            revocations,
        };
        let limits = || config.limits.clone();
        let agents = Listener::bind(config.agents.listen, audience, tls, limits())
            .await
            .map_err(failed("agents", config.agents.listen))?;
        let tls = people_tls(certificate, oldest)?;
        let people = Listener::bind(config.people.listen, Audience::People, tls, limits())
            .await
            .map_err(failed("people", config.people.listen))?;
        let metrics = TcpListener::bind(config.metrics.listen)
            .await
            .map_err(failed("metrics", config.metrics.listen))?;
        let addresses = Addresses {
            agents: reachable(agents.local_addr())
                .map_err(failed("agents", config.agents.listen))?,
            people: reachable(people.local_addr())
                .map_err(failed("people", config.people.listen))?,
            metrics: reachable(metrics.local_addr())
                .map_err(failed("metrics", config.metrics.listen))?,
        };
        Ok(Self {
            agents,
            people,
            metrics,
            addresses,
        })
    }

    /// Accepts on the two TLS listeners; returns the third.
    pub(super) fn open(
        self,
        agents: Router,
        people: Router,
        stop: &Stop,
        tasks: &TaskTracker,
    ) -> TcpListener {
        tasks.spawn(self.agents.serve(agents, stop.clone()));
        tasks.spawn(self.people.serve(people, stop.clone()));
        self.metrics
    }
}

fn reachable(bound: io::Result<SocketAddr>) -> io::Result<SocketAddr> {
    bound.map(config::Listener::reachable)
}

fn failed(section: &'static str, address: SocketAddr) -> impl FnOnce(io::Error) -> AppError {
    move |source| AppError::Listen {
        section,
        address,
        source,
    }
}
