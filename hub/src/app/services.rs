//! The use cases of a running hub, and the routers that lead to them.

use std::sync::Arc;

use axum::Router;
use sqlx::PgPool;

use super::Database;
use super::parts::Parts;
use crate::alarm::Alarms;
use crate::config::Config;
use crate::details::Details;
use crate::grpc;
use crate::http;
use crate::identity::enrolment::Enrolment;
use crate::lookup::Lookup;
use crate::statistics::calendar::Calendar;
use crate::store::token_key::InForce;
use crate::supervision::worker::Supervision;
use crate::sync::Feeds;
use crate::sync::streams::Streams;

/// Everything a request can lead to.
#[derive(Clone, Debug)]
pub(super) struct Services {
    pub(super) parts: Parts,
    /// What gives certificates and keys to offices.
    pub(super) enrolment: Arc<Enrolment>,
    /// What judges cases by the rules.
    pub(super) supervision: Supervision,
    feeds: Feeds,
    lookup: Arc<Lookup>,
    alarms: Alarms,
    general: PgPool,
}

impl Services {
    pub(super) fn new(config: &Config, database: &Database, parts: Parts) -> Self {
        let pool = &database.general;
        let audit = || parts.audit.clone();
        let present = &parts.token_keys.present;
        let feeds = Feeds {
            pool: database.feeds.clone(),
            audit: audit(),
            ingest: parts.ingest.clone(),
            first_token_key: InForce {
                id: present.id(),
                algorithm: present.algorithm(),
            },
            streams: Streams::default(),
        };
        let alarms = Alarms::new(pool.clone(), audit(), config.lookup.alarm.clone());
        let lookup = Lookup::new(
            database.lookups.clone(),
            audit(),
            parts.rules.clone(),
            parts.models.clone(),
            alarms.clone(),
            parts.traffic.clone(),
            &config.lookup,
        );
        let enrolment = Enrolment::new(
            pool.clone(),
            audit(),
            Arc::clone(&parts.authority),
            parts.token_keys.clone(),
            &config.identity,
        );
        let rules = parts.supervision_rules.clone();
        Self {
            enrolment: Arc::new(enrolment),
            supervision: Supervision::new(pool.clone(), rules, Calendar::builtin()),
            feeds,
            lookup: Arc::new(lookup),
            alarms,
            general: pool.clone(),
            parts,
        }
    }

    /// What offices reach.
    pub(super) fn agents(&self) -> grpc::Agents {
        let parts = &self.parts;
        grpc::Agents {
            enrolment: Arc::clone(&self.enrolment),
            revocations: parts.revocations.clone(),
            health: parts.health.clone(),
            feeds: self.feeds.clone(),
            lookup: Arc::clone(&self.lookup),
            sessions: Arc::clone(&parts.sessions),
            details: Details::new(
                self.general.clone(),
                parts.audit.clone(),
                parts.rules.clone(),
            ),
            supervision: self.supervision.clone(),
            audit: parts.audit.clone(),
        }
    }

    /// What people reach.
    pub(super) fn people(&self) -> Router {
        grpc::People {
            enrolment: Arc::clone(&self.enrolment),
            entrance: Arc::clone(&self.parts.entrance),
            health: self.parts.health.clone(),
        }
        .router()
        .merge(self.rest().router())
    }

    /// What the REST interface is made of.
    pub(super) fn rest(&self) -> http::Api {
        let parts = &self.parts;
        http::Api {
            pool: self.general.clone(),
            sessions: Arc::clone(&parts.sessions),
            provider: parts.provider.clone(),
            entrance: Arc::clone(&parts.entrance),
            audit: parts.audit.clone(),
            alarms: self.alarms.clone(),
            models: parts.models.clone(),
            checkpoints: Arc::clone(&parts.checkpoints),
            rules: parts.rules.clone(),
            supervision: self.supervision.clone(),
            exports: parts.exports.clone(),
        }
    }
}
