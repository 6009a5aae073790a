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
use crate::identity::pki::authority::Authority;
use crate::identity::pki::server_certificate::ServerCertificate;
use crate::local_time::{SHANGHAI, local_day};
use crate::statistics::calendar::Calendar;
use crate::store::{pool, slot, token_key};
use crate::telemetry::metrics::{
    BASE_BACKUP, NEXT_TOKENS_LACKING, POOL_CONNECTIONS, SLOT_TAKEN, WAL_KEPT, WORKING_DAYS_END,
};

const DATABASE_EVERY: Duration = Duration::from_secs(5);
const COPIES_EVERY: Duration = Duration::from_secs(30);
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
    pools: [(&'static str, PgPool); 10],
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

/// What the database keeps for backups and standbys, for a taker that stays away fills its disk; and when it was last copied
/// as a whole.
pub(super) async fn copies(pool: PgPool, stop: CancellationToken) {
    let mut every = Every::new(COPIES_EVERY, stop).await;
    let mut told: Vec<String> = Vec::new();
    while every.next().await {
        match slot::base_backup_at(&pool).await {
            Ok(at) => base_backup(at),
            Err(error) => tracing::warn!(%error, "the last base backup's time could not be read"),
        }
        let slots = match slot::list(&pool).await {
            Ok(slots) => slots,
            Err(error) => {
                tracing::warn!(%error, "the database's replication slots could not be read");
                continue;
            }
        };
        // One that was dropped keeps nothing, and nobody is missed at it.
        for gone in told.drain(..) {
            gauge!(WAL_KEPT, "slot" => gone.clone()).set(0.0);
            gauge!(SLOT_TAKEN, "slot" => gone).set(1.0);
        }
        for slot in slots {
            gauge!(WAL_KEPT, "slot" => slot.name.clone()).set(slot.kept_bytes as f64);
            gauge!(SLOT_TAKEN, "slot" => slot.name.clone()).set(f64::from(u8::from(slot.taken)));
            told.push(slot.name);
        }
    }
}

/// Before the first copy there is nothing to tell.
fn base_backup(at: Option<OffsetDateTime>) {
    if let Some(at) = at {
        gauge!(BASE_BACKUP).set(at.unix_timestamp() as f64);
    }
}

/// Says when the calendar ends, and warns in good time: working days beyond it are plain weekdays.
pub(super) fn calendar(calendar: &Calendar, now: OffsetDateTime) {
    let last = calendar.last();
    let end = last.midnight().assume_offset(SHANGHAI) + time::Duration::DAY;
    gauge!(WORKING_DAYS_END).set(end.unix_timestamp() as f64);
    if calendar.is_ending(local_day(now)) {
        tracing::warn!(
            %last,
            "this version knows the State Council's working days until then; later limits count plain weekdays: \
             upgrade to a version that knows the next year"
        );
    }
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

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use time::macros::datetime;

    use super::*;

    /// What is exposed after `tell`.
    fn told(tell: impl FnOnce()) -> String {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, tell);
        recorder.handle().render()
    }

    #[test]
    fn a_base_backup_is_told_once_there_is_one() {
        let told = |at| told(|| base_backup(at));
        assert_eq!(told(None), "");
        let at = datetime!(2026-11-20 0:40 +8);
        let line = format!("{BASE_BACKUP} {}", at.unix_timestamp());
        assert!(told(Some(at)).contains(&line));
    }

    #[test]
    fn the_calendars_end_is_told() {
        let text = "first_year = 2025\nlast_year = 2026\nweekdays_off = []\nweekends_worked = []";
        let to_2026 = Calendar::parse(text).expect("a calendar");
        let told = told(|| calendar(&to_2026, datetime!(2026-11-20 0:00 UTC)));
        let end = datetime!(2027-01-01 0:00 +8).unix_timestamp();
        assert!(
            told.contains(&format!("{WORKING_DAYS_END} {end}")),
            "{told}"
        );
    }
}
