//! Cases in a hub's database, taken in by the hub's own ingest, and sessions of people.

use std::time::Duration;

use notary_hub::identity::{Person, Role};
use notary_hub::ingest::batch::{Job, Outcome};
use notary_hub::ingest::{Ingest, IngestConfig, Writers};
use notary_hub::rules::Rules;
use notary_hub::statistics::calendar::Calendar;
use notary_hub::store;
use notary_hub::store::feed::sync::Greeting;
use notary_hub::traffic::Traffic;
use notary_proto::hub::v1::Record;
use time::OffsetDateTime;
use uuid::Uuid;

use super::hub::Hub;

/// Takes cases in beside a running hub.
pub struct Seed {
    ingest: Ingest,
    _writers: Writers,
}

impl Seed {
    pub fn new(hub: &Hub) -> Self {
        let (ingest, writers) = Ingest::start(
            store::pool::writers(&hub.db.url, 2).unwrap(),
            Rules::shipped(),
            Calendar::builtin(),
            Traffic::default(),
            IngestConfig {
                writers: 1,
                first_token_key: 1,
            },
        );
        Self {
            ingest,
            _writers: writers,
        }
    }

    /// An office's outbox with these records; the office is there already. Twice for one office is a new epoch.
    pub async fn office<R: Into<Record>>(&self, hub: &Hub, office_id: &str, records: Vec<R>) {
        let greeting = Greeting {
            office_id: office_id.parse().unwrap(),
            epoch: Uuid::now_v7(),
            last_sequence: records.len() as u64,
            agent_version: "0.1.0",
            clock_skew_ms: Some(40),
            next_token_key: None,
        };
        store::feed::sync::open(&hub.db.pool, &greeting)
            .await
            .unwrap()
            .expect("a newer epoch");
        let records = records.into_iter().map(Into::into);
        let job = Job {
            office_id: greeting.office_id,
            epoch: greeting.epoch,
            first_sequence: 1,
            records: records.map(|record| self.ingest.decode(record)).collect(),
            backlog: 0,
            token_key: None,
        };
        let outcome = self.ingest.submit(job).await.unwrap().await.unwrap();
        assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome:?}");
    }
}

/// A bearer token of somebody with that role.
pub fn session(hub: &Hub, role: Role) -> String {
    session_of(hub, Uuid::now_v7(), role)
}

pub fn session_of(hub: &Hub, account_id: Uuid, role: Role) -> String {
    let person = Person::new(account_id, role);
    let keys = &hub.keys.pki.session_keys;
    let now = OffsetDateTime::now_utc();
    let end = now + Duration::from_secs(600);
    keys.issue(Uuid::now_v7(), &person, 0, now, end).0
}

pub fn notary(office_id: &str) -> Role {
    Role::Notary(office_id.parse().unwrap())
}
