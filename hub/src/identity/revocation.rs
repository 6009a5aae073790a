//! Who may no longer speak: offices, certificates, people's sessions. Every hub reads the list each second, so
//! that a revocation reaches open connections and new calls everywhere well within five seconds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::gauge;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::OfficeIdentity;
use super::session::Verified;
use crate::recent::Recent;
use crate::store::office::revocation::{self, Revoked};
use crate::telemetry::metrics::REVOCATIONS_AGE;

const READ_EVERY: Duration = Duration::from_secs(1);

/// What was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The office may no longer take part.
    Office,
    /// This certificate is no longer good; the office may enrol again.
    Certificate,
}

/// The list as last read. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Revocations(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pool: PgPool,
    list: watch::Sender<Arc<Revoked>>,
    /// One reads at a time, for all who ask meanwhile: what was read earlier never replaces what was read later.
    reading: Recent<()>,
    /// When the list in force began to be read: what was revoked since may not be in it.
    as_of: watch::Sender<Instant>,
}

/// Keeps the list current.
#[derive(Clone, Debug)]
pub struct RevocationsReader(Revocations);

impl Revocations {
    /// Reads the list for the first time; a hub that cannot must not serve.
    pub async fn load(pool: PgPool) -> Result<(Self, RevocationsReader), sqlx::Error> {
        let begun = Instant::now();
        let list = Arc::new(revocation::read(&pool).await?);
        let revocations = Self(Arc::new(Shared {
            pool,
            list: watch::Sender::new(list),
            reading: Recent::default(),
            as_of: watch::Sender::new(begun),
        }));
        Ok((revocations.clone(), RevocationsReader(revocations)))
    }

    /// Reads the list now: what this hub has just changed, it knows at once.
    pub async fn refresh(&self) -> Result<(), sqlx::Error> {
        let read = async {
            let begun = Instant::now();
            let list = revocation::read(&self.0.pool).await?;
            self.0.list.send_if_modified(|current| {
                let changed = **current != list;
                if changed {
                    *current = Arc::new(list);
                }
                changed
            });
            self.0.as_of.send_replace(begun);
            Ok(())
        };
        self.0.reading.since(Instant::now(), read).await
    }

    /// How old the list in force is.
    fn age(&self) -> Duration {
        self.0.as_of.borrow().elapsed()
    }

    /// Whether a person's session was ended before its time.
    pub fn has_ended(&self, session: &Verified) -> bool {
        let list = self.0.list.borrow();
        let office_id = session.person.office_id();
        list.sessions.contains(&session.session_id)
            || list
                .generations
                .get(&session.person.account_id)
                .is_some_and(|first| session.generation < *first)
            || office_id.is_some_and(|office_id| list.offices.contains(&office_id))
    }

    /// What of this identity is revoked, if anything.
    pub fn of(&self, office: &OfficeIdentity) -> Option<Revocation> {
        find(&self.0.list.borrow(), office)
    }

    pub fn is_revoked(&self, office: &OfficeIdentity) -> bool {
        self.of(office).is_some()
    }

    /// Ends when the identity is revoked; at once when it is already.
    pub async fn revoked(&self, office: OfficeIdentity) -> Revocation {
        let mut list = self.0.list.subscribe();
        loop {
            if let Some(revocation) = find(&list.borrow_and_update(), &office) {
                return revocation;
            }
            if list.changed().await.is_err() {
                // The hub is going down and takes the connections with it.
                return std::future::pending().await;
            }
        }
    }
}

fn find(list: &Revoked, office: &OfficeIdentity) -> Option<Revocation> {
    if list.offices.contains(&office.office_id) {
        Some(Revocation::Office)
    } else if list.serials.contains(&office.serial) {
        Some(Revocation::Certificate)
    } else {
        None
    }
}

impl RevocationsReader {
    /// Reads the list until `stop`. While the database is away the last list stays in force.
    pub async fn run(self, stop: CancellationToken) {
        let reading = async {
            let mut ticks = ticks();
            loop {
                ticks.tick().await;
                if let Err(error) = self.0.refresh().await {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        age_seconds = self.0.age().as_secs(),
                        "revocations could not be read; the last list stays in force"
                    );
                }
            }
        };
        // Apart from the reading: one that takes long, or never ends, is what has to be told.
        let telling = async {
            let mut ticks = ticks();
            loop {
                ticks.tick().await;
                gauge!(REVOCATIONS_AGE).set(self.0.age().as_secs_f64());
            }
        };
        stop.run_until_cancelled(async { tokio::join!(reading, telling) })
            .await;
    }
}

fn ticks() -> Interval {
    let mut ticks = interval(READ_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::embedded::testing::fresh_database;

    fn told(metrics: &str) -> Option<f64> {
        let line = metrics.lines().find(|line| {
            line.strip_prefix(REVOCATIONS_AGE)
                .is_some_and(|rest| rest.starts_with(' '))
        });
        line?.split_once(' ')?.1.parse().ok()
    }

    #[tokio::test]
    async fn a_reading_that_does_not_end_shows_in_the_age_of_the_list() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        let _recording = metrics::set_default_local_recorder(&recorder);
        let database = fresh_database().await;
        let (_, reader) = Revocations::load(database.pool.clone())
            .await
            .expect("the database answers");
        let mut holder = database.pool.begin().await.expect("the database answers");
        sqlx::query("LOCK TABLE office IN ACCESS EXCLUSIVE MODE")
            .execute(&mut *holder)
            .await
            .expect("nobody else has it");
        let reading = tokio::spawn(reader.run(CancellationToken::new()));
        let grown = async {
            while told(&metrics.render()).is_none_or(|age| age < 2.0) {
                tokio::task::yield_now().await;
            }
        };
        let grown = tokio::time::timeout(Duration::from_secs(10), grown).await;
        assert!(grown.is_ok(), "{:?}", told(&metrics.render()));
        reading.abort();
    }
}
