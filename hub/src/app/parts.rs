//! What a running hub is built of, in the order in which it can be.

use std::sync::Arc;

use linkage::token::TokenKeys;
use sqlx::PgPool;

use super::background::Tasks;
use super::{AppError, Database};
use crate::audit::{Audit, AuditLog, Checkpoints, key_file};
use crate::config::Config;
use crate::entrance::Entrance;
use crate::export::Exports;
use crate::export::subject::Known;
use crate::grpc::health::Health;
use crate::identity::Sessions;
use crate::identity::account::oidc::Provider;
use crate::identity::account::second_factor::SecondFactor;
use crate::identity::pki::authority::Authority;
use crate::identity::pki::{AccountKeys, Pki};
use crate::identity::revocation::{Revocations, RevocationsReader};
use crate::identity::session::SessionKeys;
use crate::ingest::{Ingest, IngestConfig, Writers};
use crate::linking::model::Models;
use crate::rules::Rules;
use crate::statistics::calendar::Calendar;
use crate::supervision::edition;
use crate::traffic::Traffic;

/// What more than one thing in a hub works with.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) authority: Arc<Authority>,
    pub(super) token_keys: TokenKeys,
    pub(super) sessions: Arc<Sessions>,
    pub(super) provider: Option<Arc<Provider>>,
    pub(super) entrance: Arc<Entrance>,
    pub(super) revocations: Revocations,
    pub(super) health: Health,
    pub(super) ingest: Ingest,
    pub(super) audit: Audit,
    pub(super) models: Models,
    pub(super) checkpoints: Arc<Checkpoints>,
    pub(super) rules: Rules,
    pub(super) supervision_rules: edition::Current,
    pub(super) exports: Exports,
    pub(super) traffic: Traffic,
}

/// What keeps some of them going, each to be run once.
pub(super) struct Engines {
    pub(super) revocations: RevocationsReader,
    pub(super) log: AuditLog,
}

impl Parts {
    pub(super) async fn build(
        config: &Config,
        database: &Database,
        pki: Pki,
        tasks: &Tasks,
    ) -> Result<(Self, Engines, Writers), AppError> {
        let general = &database.general;
        let (revocations, reader) = Revocations::load(database.revocations.clone())
            .await
            .map_err(AppError::Revocations)?;
        let rules = Rules::load(general).await?;
        let supervision_rules = edition::Current::load(general).await?;
        let traffic = Traffic::new(config.background.share_percent);
        let (ingest, writers) = Ingest::start(
            database.writers.clone(),
            rules.clone(),
            Calendar::builtin(),
            traffic.clone(),
            IngestConfig {
                writers: config.ingest.writers,
                first_token_key: pki.token_keys.present.id(),
            },
        );
        let checkpoint_key = Arc::new(key_file::load_or_make(config)?);
        let (audit, log) = Audit::new(database.audit.clone(), Arc::clone(&checkpoint_key));
        let checkpoints =
            Checkpoints::open(general.clone(), checkpoint_key, config.checkpoint_dir())?;
        let sessions = Arc::new(sessions(
            config,
            general,
            pki.session_keys,
            pki.account_keys,
            &revocations,
        ));
        let second_factor = || config.identity.second_factor.clone();
        let provider = config.oidc.as_ref();
        let provider = provider.map(|oidc| Provider::new(oidc, second_factor()));
        let entrance = Entrance::new(general.clone(), Arc::clone(&sessions), audit.clone());
        let exports = Exports::new(
            audit.clone(),
            Known {
                pool: general.clone(),
                rules: supervision_rules.clone(),
            },
            config.exports.keep.into(),
            tasks.tracker.clone(),
            tasks.stop.clone(),
        );
        let parts = Self {
            authority: Arc::new(pki.authority),
            token_keys: pki.token_keys,
            sessions,
            provider: provider.transpose()?.map(Arc::new),
            entrance: Arc::new(entrance),
            revocations,
            health: Health::new().await,
            ingest,
            audit,
            models: Models::default(),
            checkpoints: Arc::new(checkpoints),
            rules,
            supervision_rules,
            exports,
            traffic,
        };
        let engines = Engines {
            revocations: reader,
            log,
        };
        Ok((parts, engines, writers))
    }
}

fn sessions(
    config: &Config,
    general: &PgPool,
    session_keys: SessionKeys,
    account_keys: AccountKeys,
    revocations: &Revocations,
) -> Sessions {
    let policy = config.identity.second_factor.clone();
    Sessions::new(
        general.clone(),
        session_keys,
        config.identity.session_ttl.into(),
        revocations.clone(),
        SecondFactor::new(account_keys.second_factors, policy),
        account_keys.passwords,
    )
}
