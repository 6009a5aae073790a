//! What runs beside the listeners until the hub has drained.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Database;
use super::parts::Engines;
use super::services::Services;
use super::{rotation, watch};
use crate::audit::Checkpoints;
use crate::background::kept;
use crate::config::Config;
use crate::entrance::Entrance;
use crate::export::Exports;
use crate::identity::pki::server_certificate::ServerCertificate;
use crate::identity::revocation::RevocationsReader;
use crate::statistics::calendar::Calendar;
use crate::statistics::{feeds, fold, nightly};
use crate::supervision::worker::Supervision;

/// Tasks that end together.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    pub(super) tracker: TaskTracker,
    pub(super) stop: CancellationToken,
}

impl Tasks {
    /// Runs a worker with what it needs, and begins it again with the same should a defect end it.
    pub(super) fn keep<S, F>(
        &self,
        worker: &'static str,
        needed: S,
        mut begin: impl FnMut(S, CancellationToken) -> F + Send + 'static,
    ) where
        S: Clone + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, told) = (self.stop.clone(), self.stop.clone());
        let begin = move || begin(needed.clone(), told.clone());
        self.tracker.spawn(kept(worker, stop, begin));
    }

    /// Asks all to end and waits until they have.
    pub(super) async fn end(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// Begins everything that a hub does without being asked.
pub(super) fn begin(
    tasks: &Tasks,
    config: &Config,
    database: &Database,
    services: &Services,
    certificate: &Arc<ServerCertificate>,
    engines: Engines,
) {
    let (parts, general) = (&services.parts, &database.general);
    let Engines { revocations, log } = engines;
    tasks.keep("revocations", revocations, RevocationsReader::run);
    // They end behind the log, when everything is recorded.
    let kept = (
        Arc::clone(&parts.checkpoints),
        log.grown(),
        config.audit.clone(),
    );
    tasks.keep("checkpoints", kept, |(checkpoints, grown, audit), _| {
        let (every, entries) = (audit.checkpoint_every, audit.checkpoint_entries);
        Checkpoints::run(checkpoints, every.into(), entries.get().into(), grown)
    });
    // A defect ends none of its rounds but the one in which it happens.
    tasks.tracker.spawn(log.run(tasks.stop.clone()));
    tasks.keep("entrance", Arc::clone(&parts.entrance), Entrance::run);
    let followed = (parts.rules.clone(), general.clone());
    tasks.keep("rules", followed, |(rules, pool), stop| {
        rules.follow(pool, stop)
    });
    let followed = (parts.supervision_rules.clone(), general.clone());
    tasks.keep("supervision_rules", followed, |(rules, pool), stop| {
        rules.follow(pool, stop)
    });
    let watched = (database.pools(), parts.health.clone());
    tasks.keep("database", watched, |(pools, health), stop| {
        watch::database(pools, health, stop)
    });
    tasks.keep("service_manager", (), |(), stop| {
        watch::service_manager(stop)
    });
    tasks.keep("exports", parts.exports.clone(), Exports::sweep);
    tasks.keep("next_tokens", general.clone(), watch::next_tokens);
    tasks.keep("copies", general.clone(), watch::copies);
    tasks.keep("nightly", general.clone(), |pool, stop| {
        nightly::run(pool, Calendar::builtin(), stop)
    });
    tasks.keep("feeds", general.clone(), |pool, stop| {
        feeds::run(pool, Calendar::builtin(), stop)
    });
    let yielding = (general.clone(), parts.traffic.clone());
    tasks.keep("fold", yielding, |(pool, traffic), stop| {
        fold::run(pool, traffic, stop)
    });
    let keys = rotation::Keys {
        config: config.clone(),
        pool: general.clone(),
        authority: Arc::clone(&parts.authority),
        certificate: Arc::clone(certificate),
        sessions: Arc::clone(&parts.sessions),
        enrolment: Arc::clone(&services.enrolment),
    };
    tasks.keep("keys", keys.clone(), rotation::Keys::follow);
    tasks.keep("server_certificate", keys, |keys, stop| {
        watch::server_certificate(keys.config, keys.authority, keys.certificate, stop)
    });
    let supervision = Supervision {
        pool: database.supervision.clone(),
        ..services.supervision.clone()
    };
    let yielding = (supervision, parts.traffic.clone());
    tasks.keep("supervision", yielding, |(supervision, traffic), stop| {
        supervision.run(traffic, stop)
    });
}
