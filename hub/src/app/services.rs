//! The use cases of a running hub, and the routers that lead to them.

use std::sync::Arc;

use axum::Router;
use linkage::token::TokenKeys;
use sqlx::PgPool;

use super::Database;
use crate::alarm::Alarms;
use crate::audit::{Audit, Checkpoints};
use crate::config::Config;
use crate::details::Details;
use crate::entrance::Entrance;
use crate::export::Exports;
use crate::grpc;
use crate::grpc::health::Health;
use crate::http;
use crate::identity::Sessions;
use crate::identity::authority::Authority;
use crate::identity::enrol::Enrolment;
use crate::identity::oidc::Provider;
use crate::identity::revocation::Revocations;
use crate::ingest::Ingest;
use crate::linking::model::Models;
use crate::lookup::Lookup;
use crate::rules::Rules;
use crate::statistics::calendar::Calendar;
use crate::store::token_key::InForce;
use crate::supervision::edition::Current;
use crate::supervision::worker::Supervision;
use crate::sync::Feeds;
use crate::sync::streams::Streams;
use crate::traffic::Traffic;

/// Everything a request can lead to.
#[derive(Clone, Debug)]
pub(super) struct Services {
    enrolment: Arc<Enrolment>,
    sessions: Arc<Sessions>,
    provider: Option<Arc<Provider>>,
    entrance: Arc<Entrance>,
    revocations: Revocations,
    health: Health,
    feeds: Feeds,
    lookup: Arc<Lookup>,
    alarms: Alarms,
    audit: Audit,
    models: Models,
    checkpoints: Arc<Checkpoints>,
    rules: Rules,
    supervision: Supervision,
    exports: Exports,
    general: PgPool,
}

impl Services {
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one thing that a hub is built from"
    )]
    pub(super) fn new(
        config: &Config,
        database: &Database,
        authority: Arc<Authority>,
        token_keys: TokenKeys,
        sessions: Arc<Sessions>,
        provider: Option<Arc<Provider>>,
        entrance: Arc<Entrance>,
        revocations: Revocations,
        health: Health,
        ingest: Ingest,
        audit: Audit,
        models: Models,
        checkpoints: Arc<Checkpoints>,
        rules: Rules,
        supervision_rules: Current,
        exports: Exports,
        traffic: Traffic,
    ) -> Self {
        let pool = &database.general;
        let feeds = Feeds {
            pool: database.feeds.clone(),
            audit: audit.clone(),
            ingest,
            first_token_key: InForce {
                id: token_keys.present.id(),
                algorithm: token_keys.present.algorithm(),
            },
            streams: Streams::default(),
        };
        let by_hand = config.identity.approve_enrolment;
        let lookups = database.lookups.clone();
        let alarms = Alarms::new(pool.clone(), audit.clone(), config.lookup.alarm.clone());
        let lookup = Lookup::new(
            lookups,
            audit.clone(),
            rules.clone(),
            models.clone(),
            alarms.clone(),
            traffic,
            &config.lookup,
        );
        Self {
            enrolment: Arc::new(Enrolment::new(pool.clone(), authority, token_keys, by_hand)),
            sessions,
            provider,
            entrance,
            revocations,
            health,
            feeds,
            lookup: Arc::new(lookup),
            alarms,
            audit,
            models,
            checkpoints,
            rules,
            supervision: Supervision::new(pool.clone(), supervision_rules, Calendar::builtin()),
            exports,
            general: pool.clone(),
        }
    }

    /// What gives certificates and keys to offices.
    pub(super) fn enrolment(&self) -> Arc<Enrolment> {
        Arc::clone(&self.enrolment)
    }

    /// What judges cases by the rules.
    pub(super) fn supervision(&self) -> Supervision {
        self.supervision.clone()
    }

    /// What offices reach.
    pub(super) fn agents(&self) -> grpc::Agents {
        grpc::Agents {
            enrolment: Arc::clone(&self.enrolment),
            revocations: self.revocations.clone(),
            health: self.health.clone(),
            feeds: self.feeds.clone(),
            lookup: Arc::clone(&self.lookup),
            sessions: Arc::clone(&self.sessions),
            details: Details::new(self.general.clone(), self.audit.clone(), self.rules.clone()),
            supervision: self.supervision.clone(),
            audit: self.audit.clone(),
        }
    }

    /// What people reach.
    pub(super) fn people(&self) -> Router {
        grpc::People {
            enrolment: Arc::clone(&self.enrolment),
            entrance: Arc::clone(&self.entrance),
            health: self.health.clone(),
        }
        .router()
        .merge(self.rest().router())
    }

    /// What the REST interface is made of.
    pub(super) fn rest(&self) -> http::Api {
        http::Api {
            pool: self.general.clone(),
            sessions: Arc::clone(&self.sessions),
            provider: self.provider.clone(),
            entrance: Arc::clone(&self.entrance),
            audit: self.audit.clone(),
            alarms: self.alarms.clone(),
            models: self.models.clone(),
            checkpoints: Arc::clone(&self.checkpoints),
            rules: self.rules.clone(),
            supervision: self.supervision.clone(),
            exports: self.exports.clone(),
        }
    }
}
