//! One CA follows another while offices work, and a revocation reaches the second hub of a database.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use notary_hub::app::App;
use notary_hub::embedded::testing::fresh_database;
use notary_hub::identity::enrolment::still_chained_elsewhere;
use notary_hub::identity::pki::authority::Authority;
use notary_hub::identity::pki::ca::{self, Step};
use notary_hub::store;
use time::OffsetDateTime;
use tokio::time::{interval, timeout};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::agent::Agent;
use crate::support::hub::Hub;
use crate::support::{Keys, config};

const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

impl Agent {
    async fn works(&self) -> bool {
        let mut health = HealthClient::new(self.channel());
        health.check(HealthCheckRequest::default()).await.is_ok()
    }
}

/// An office that calls without pause, and how that goes.
struct Office24 {
    agent: RwLock<Agent>,
    calls: AtomicU64,
    failures: AtomicU64,
}

impl Office24 {
    fn now(&self) -> Agent {
        self.agent.read().unwrap().clone()
    }

    async fn call_on(self: Arc<Self>) {
        loop {
            let worked = self.now().works().await;
            self.calls.fetch_add(1, Ordering::Relaxed);
            self.failures
                .fetch_add(u64::from(!worked), Ordering::Relaxed);
        }
    }

    /// Renews until what the hub answers is `as_wanted`.
    async fn renew_until(&self, as_wanted: impl Fn(&Agent) -> bool) {
        let renewing = async {
            // An office has two dozen renewals at once.
            let mut ticks = interval(Duration::from_millis(500));
            loop {
                ticks.tick().await;
                let next = self.now().renewed().await;
                *self.agent.write().unwrap() = next.clone();
                if as_wanted(&next) {
                    return;
                }
            }
        };
        timeout(Duration::from_secs(30), renewing)
            .await
            .expect("the running hub takes the step in");
    }
}

#[tokio::test]
async fn an_office_goes_on_across_a_succession_without_a_failed_call() {
    let hub = Hub::start().await;
    let first = Agent::of(&hub, &hub.enrol("hzgl").await);
    let office = Arc::new(Office24 {
        agent: RwLock::new(first.clone()),
        calls: AtomicU64::new(0),
        failures: AtomicU64::new(0),
    });
    let calling = tokio::spawn(Arc::clone(&office).call_on());
    let take = |step| ca::step(&hub.keys.config, step, OffsetDateTime::now_utc()).unwrap();
    let left = async || {
        let authority = Authority::load(&hub.keys.config).unwrap();
        still_chained_elsewhere(&hub.db.pool, &authority, MONTH)
            .await
            .unwrap()
    };

    take(Step::Rotate);
    office.renew_until(|agent| agent.anchors.len() == 2).await;
    let next = office.now().anchors[1].clone();
    take(Step::Activate);
    assert_eq!(left().await[0].office_id.as_str(), "hzgl");
    office.renew_until(|agent| agent.chain[1] == next).await;
    assert_eq!(
        left().await.len(),
        1,
        "an earlier certificate is good still"
    );
    // A day later.
    sqlx::query("UPDATE certificate SET not_after = now() - interval '1 hour' WHERE issuer <> $1")
        .bind(ca::fingerprint(&next).as_slice())
        .execute(&hub.db.pool)
        .await
        .unwrap();
    assert!(left().await.is_empty());
    take(Step::Retire);
    office
        .renew_until(|agent| agent.anchors == [next.clone()])
        .await;

    assert!(
        office.now().works().await,
        "the hub's own certificate as well"
    );
    calling.abort();
    let of_the_old_ca = Agent {
        anchors: vec![next],
        ..first
    };
    assert!(!of_the_old_ca.works().await, "the old CA is of the past");
    assert!(office.calls.load(Ordering::Relaxed) > 10);
    assert_eq!(office.failures.load(Ordering::Relaxed), 0);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_office_away_with_a_certificate_of_the_old_ca_keeps_it_from_being_retired() {
    let hub = Hub::start().await;
    hub.enrol("hzgl").await;
    let take = |step| ca::step(&hub.keys.config, step, OffsetDateTime::now_utc()).unwrap();
    take(Step::Rotate);
    take(Step::Activate);
    sqlx::query("UPDATE certificate SET not_after = now() - interval '7 days'")
        .execute(&hub.db.pool)
        .await
        .unwrap();
    let authority = Authority::load(&hub.keys.config).unwrap();
    let left = async || {
        still_chained_elsewhere(&hub.db.pool, &authority, MONTH)
            .await
            .unwrap()
    };
    assert_eq!(left().await.len(), 1, "it may come back and renew");
    store::office::revoke(&hub.db.pool, "hzgl".parse().unwrap())
        .await
        .unwrap();
    assert!(left().await.is_empty());
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_revocation_cuts_open_streams_at_the_second_hub_of_a_database_within_five_seconds() {
    let hub = Hub::start().await;
    let office = hub.enrol("hzgl").await;
    let folder = tempfile::tempdir().unwrap();
    let url = &hub.db.url;
    let second = config(
        folder.path(),
        &format!(
            "database.url = '{url}'\nlimits.drain = '2s'\nagents.listen = '127.0.0.1:0'\n\
             people.listen = '127.0.0.1:0'\nmetrics.listen = '127.0.0.1:0'"
        ),
    );
    let pki = second.pki_dir();
    std::fs::create_dir_all(&pki).unwrap();
    for file in std::fs::read_dir(hub.keys.config.pki_dir()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), pki.join(file.file_name())).unwrap();
    }
    let second = App::start(second).await.unwrap();
    let agent = Agent {
        hub: second.addresses().agents,
        ..Agent::of(&hub, &office)
    };
    let mut watching = HealthClient::new(agent.channel())
        .watch(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    watching.message().await.unwrap();
    store::office::revoke(&hub.db.pool, "hzgl".parse().unwrap())
        .await
        .unwrap();
    let ended = timeout(Duration::from_secs(5), watching.message()).await;
    assert!(ended.expect("the open stream ends").is_err());
    assert!(!agent.works().await);
    second.stop().await.unwrap();
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_hub_that_starts_takes_a_step_that_was_killed_to_its_end() {
    let db = fresh_database().await;
    let url = &db.url;
    let keys = Keys::with(&format!(
        "database.url = '{url}'\nagents.listen = '127.0.0.1:0'\npeople.listen = '127.0.0.1:0'\nmetrics.listen = '127.0.0.1:0'"
    ));
    let anchors = keys.config.pki_dir().join("anchors.pem");
    let whole = std::fs::read(&anchors).unwrap();
    std::fs::write(&anchors, "").unwrap();
    let app = App::start(keys.config.clone()).await.unwrap();
    assert_eq!(std::fs::read(&anchors).unwrap(), whole);
    app.stop().await.unwrap();
}
