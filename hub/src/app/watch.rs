//! Small tasks beside the listeners.

use std::sync::Arc;
use std::time::Duration;

use linkage::office::OfficeId;
use metrics::{Gauge, gauge};
use sd_notify::NotifyState;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::grpc::health::{Health, Standing};
use crate::identity::authority::Authority;
use crate::identity::server_certificate::ServerCertificate;
use crate::store::{pool, token_key};
use crate::telemetry::metrics::{NEXT_TOKENS_LACKING, POOL_CONNECTIONS};

const DATABASE_EVERY: Duration = Duration::from_secs(5);
const NEXT_TOKENS_EVERY: Duration = Duration::from_secs(600);
const CERTIFICATE_EVERY: Duration = Duration::from_secs(24 * 3600);

/// Periods until a stop.
struct Every {
    ticks: Interval,
    stop: CancellationToken,
}

impl Every {
    async fn new(period: Duration, stop: CancellationToken) -> Self {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick comes at once; everything has just been looked at.
        ticks.tick().await;
        Self { ticks, stop }
    }

    /// Waits for the next period; false when it is time to stop.
    async fn next(&mut self) -> bool {
        self.stop
            .run_until_cancelled(self.ticks.tick())
            .await
            .is_some()
    }
}

/// Health follows the database: a hub without one can answer nothing. The pools are measured on the way.
pub(super) async fn database(
    pools: [(&'static str, PgPool); 9],
    health: Health,
    stop: CancellationToken,
) {
    let mut every = Every::new(DATABASE_EVERY, stop).await;
    while every.next().await {
        for (name, pool) in &pools {
            let (idle, open) = (pool.num_idle(), pool.size() as usize);
            gauge!(POOL_CONNECTIONS, "pool" => *name, "state" => "idle").set(idle as f64);
            let used = open.saturating_sub(idle);
            gauge!(POOL_CONNECTIONS, "pool" => *name, "state" => "used").set(used as f64);
        }
        let (_, general) = &pools[0];
        let standing = match pool::ping(general).await {
            Ok(()) => Standing::Serving,
            // Every connection is in use: load, not absence.
            Err(sqlx::Error::PoolTimedOut) if general.size() > 0 => continue,
            Err(error) => {
                tracing::error!(%error, "the database does not answer");
                Standing::WithoutDatabase
            }
        };
        health.set(standing).await;
    }
}

/// How far offices have come in a change of the token key, while one is under way.
pub(super) async fn next_tokens(pool: PgPool, stop: CancellationToken) {
    let mut every = Every::new(NEXT_TOKENS_EVERY, stop).await;
    let mut told = Vec::new();
    while every.next().await {
        let offices = async {
            match token_key::under_way(&pool).await? {
                Some(next) => token_key::offices(&pool, next).await,
                None => Ok(Vec::new()),
            }
        };
        match offices.await {
            Ok(offices) => {
                for office in told.drain(..) {
                    lacking(office).set(0.0);
                }
                for office in offices {
                    lacking(office.office_id).set(office.lacking as f64);
                    told.push(office.office_id);
                }
            }
            Err(error) => tracing::warn!(%error, "cases without next tokens could not be counted"),
        }
    }
}

fn lacking(office: OfficeId) -> Gauge {
    gauge!(NEXT_TOKENS_LACKING, "office" => office.to_string())
}

/// Replaces the hub's own certificate in good time.
pub(super) async fn server_certificate(
    config: Config,
    authority: Arc<Authority>,
    certificate: Arc<ServerCertificate>,
    stop: CancellationToken,
) {
    let mut every = Every::new(CERTIFICATE_EVERY, stop).await;
    while every.next().await {
        let now = OffsetDateTime::now_utc();
        if let Err(error) = certificate.renew_if_due(&config, &authority, now) {
            tracing::error!(%error, "the hub's own certificate could not be replaced");
        }
    }
}

/// Tells systemd that the hub is alive, twice in the time it allows.
pub(super) async fn service_manager(stop: CancellationToken) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut every = Every::new(limit / 2, stop).await;
    while every.next().await {
        tell_service_manager(NotifyState::Watchdog);
    }
}

pub(super) fn tell_service_manager(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
