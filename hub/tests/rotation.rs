//! Certificates that live a few seconds, ten thousand times over, while their offices call. A test executable of its
//! own: it keeps every processor busy, and others count seconds.
#![allow(clippy::unwrap_used, unreachable_pub)]

#[path = "trust/agent.rs"]
mod agent;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use agent::Agent;
use support::hub::Hub;

const OFFICES: usize = 8;
const ROTATIONS: usize = 10_000;
/// A certificate is used for a fraction of it, and most end before the test does.
const LIFE: &str = "15s";

/// What the offices of a city have done together.
#[derive(Default)]
struct Tally {
    rotations: AtomicUsize,
    calls: AtomicU64,
    failures: AtomicU64,
}

impl Tally {
    /// One more rotation is wanted, and is now somebody's to do.
    fn take_one(&self) -> bool {
        self.rotations.fetch_add(1, Ordering::Relaxed) < ROTATIONS
    }
}

async fn is_answered(channel: Channel) -> bool {
    let question = HealthCheckRequest::default();
    HealthClient::new(channel).check(question).await.is_ok()
}

/// Gets the next certificate over the one before, as soon as it has that, and announces it.
async fn rotate(current: watch::Sender<Agent>, tally: Arc<Tally>) {
    while tally.take_one() {
        let old = current.borrow().clone();
        current.send_replace(old.renewed().await);
    }
}

/// Calls over one connection for as long as its certificate is the newest, then opens the next: until there is no
/// newer one.
async fn call(mut newest: watch::Receiver<Agent>, tally: Arc<Tally>) {
    loop {
        let channel = newest.borrow_and_update().channel();
        loop {
            let answered = is_answered(channel.clone()).await;
            tally.calls.fetch_add(1, Ordering::Relaxed);
            tally
                .failures
                .fetch_add(u64::from(!answered), Ordering::Relaxed);
            match newest.has_changed() {
                Ok(false) => {}
                Ok(true) => break,
                Err(_) => return,
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_rotations_of_short_lived_certificates_fail_no_call() {
    let hub = Hub::with(&format!(
        "limits.drain = '2s'\nidentity.certificate_ttl = '{LIFE}'\nidentity.renewals = {ROTATIONS}"
    ))
    .await;
    let tally = Arc::new(Tally::default());
    let (mut rotating, mut calling) = (JoinSet::new(), JoinSet::new());
    for office in 0..OFFICES {
        let enrolled = hub.enrol(&format!("office{office}")).await;
        let (sender, newest) = watch::channel(Agent::of(&hub, &enrolled));
        rotating.spawn(rotate(sender, Arc::clone(&tally)));
        calling.spawn(call(newest, Arc::clone(&tally)));
    }
    rotating.join_all().await;
    calling.join_all().await;

    let issued: i64 = sqlx::query_scalar("SELECT count(*) FROM certificate")
        .fetch_one(&hub.db.pool)
        .await
        .unwrap();
    let of_enrolment = OFFICES;
    assert_eq!(issued, i64::try_from(ROTATIONS + of_enrolment).unwrap());
    let calls = tally.calls.load(Ordering::Relaxed);
    assert!(calls >= u64::try_from(OFFICES).unwrap(), "{calls} calls");
    assert_eq!(
        tally.failures.load(Ordering::Relaxed),
        0,
        "of {calls} calls"
    );
    hub.app.stop().await.unwrap();
}
