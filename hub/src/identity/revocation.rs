//! Who may no longer speak: offices, certificates, people's sessions. Every hub reads the list each second, so
//! that a revocation reaches open connections and new calls everywhere well within five seconds.

use std::sync::Arc;
use std::time::Duration;

use metrics::gauge;
use sqlx::PgPool;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::OfficeIdentity;
use super::session::Verified;
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
    /// Held while the list is read, so that what was read earlier never replaces what was read later.
    reading: Mutex<()>,
}

/// Keeps the list current.
#[derive(Clone, Debug)]
pub struct RevocationsReader(Revocations);

impl Revocations {
    /// Reads the list for the first time; a hub that cannot must not serve.
    pub async fn load(pool: PgPool) -> Result<(Self, RevocationsReader), sqlx::Error> {
        let (list, _) = watch::channel(Arc::new(revocation::read(&pool).await?));
        let revocations = Self(Arc::new(Shared {
            pool,
            list,
            reading: Mutex::default(),
        }));
        Ok((revocations.clone(), RevocationsReader(revocations)))
    }

    /// Reads the list now: what this hub has just changed, it knows at once.
    pub async fn refresh(&self) -> Result<(), sqlx::Error> {
        let _turn = self.0.reading.lock().await;
        let list = revocation::read(&self.0.pool).await?;
        self.0.list.send_if_modified(|current| {
            let changed = **current != list;
            if changed {
                *current = Arc::new(list);
            }
            changed
        });
        Ok(())
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
        let mut ticks = interval(READ_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut read_at = Instant::now();
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            match self.0.refresh().await {
                Ok(()) => read_at = Instant::now(),
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    age_seconds = read_at.elapsed().as_secs(),
                    "revocations could not be read; the last list stays in force"
                ),
            }
            gauge!(REVOCATIONS_AGE).set(read_at.elapsed().as_secs_f64());
        }
    }
}
