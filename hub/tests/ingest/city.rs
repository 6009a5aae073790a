//! A hub's ingest over a fresh database, and offices that send to it.

use std::time::Duration;

use linkage::office::OfficeId;
use notary_hub::embedded::testing::{TestDatabase, fresh_database};
use notary_hub::ingest::batch::{HubReject, Job, Outcome};
use notary_hub::ingest::{Ingest, IngestConfig, Writers};
use notary_hub::linking::Linking;
use notary_hub::linking::model::Models;
use notary_hub::rules::Rules;
use notary_hub::statistics::calendar::Calendar;
use notary_hub::statistics::verify::{Verification, verify};
use notary_hub::store;
use notary_hub::store::feed::sync::Greeting;
use notary_hub::traffic::Traffic;
use notary_proto::hub::v1::Record;
use sqlx::PgPool;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::support::add_office;

pub struct Hub {
    pub pool: PgPool,
    pub ingest: Ingest,
    writers: Writers,
    database: TestDatabase,
}

/// An office's outbox.
#[derive(Clone, Copy, Debug)]
pub struct Office {
    pub office_id: OfficeId,
    pub epoch: Uuid,
    pub next: u64,
}

impl Hub {
    pub async fn start() -> Self {
        let database = fresh_database().await;
        let (ingest, writers) = start(&database, 2);
        Self {
            pool: database.pool.clone(),
            ingest,
            writers,
            database,
        }
    }

    /// A second hub on the same database.
    pub fn another(&self) -> (Ingest, Writers) {
        start(&self.database, 2)
    }

    /// The same with one writer for all offices.
    pub fn single(&self) -> (Ingest, Writers) {
        start(&self.database, 1)
    }

    pub async fn office(&self, office_id: &str) -> Office {
        add_office(&self.pool, office_id).await;
        let office = Office {
            office_id: office_id.parse().unwrap(),
            epoch: Uuid::now_v7(),
            next: 1,
        };
        office.open(&self.pool).await;
        office
    }

    /// Of its database.
    pub fn url(&self) -> &str {
        &self.database.url
    }

    /// Links persons, over connections of its own.
    pub fn linking(&self) -> Linking {
        let pool = store::pool::linking(&self.database.url, 4).unwrap();
        Linking::new(pool, Models::default(), Rules::shipped())
    }

    /// Drains and stops the writers.
    pub async fn stop(self) -> PgPool {
        self.writers.shutdown(Duration::from_secs(30)).await;
        self.pool
    }

    pub async fn text(&self, sql: &'static str) -> Option<String> {
        sqlx::query_scalar(sql)
            .fetch_optional(&self.pool)
            .await
            .unwrap()
            .flatten()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    /// Recomputes the rollup and finds it equal.
    pub async fn figures_are_right(&self) {
        let Verification { differences, .. } =
            verify(&self.pool, &Calendar::builtin()).await.unwrap();
        assert!(differences.is_empty(), "{differences:?}");
    }
}

fn start(database: &TestDatabase, writers: u32) -> (Ingest, Writers) {
    Ingest::start(
        store::pool::writers(&database.url, 4).unwrap(),
        Rules::shipped(),
        Calendar::builtin(),
        Traffic::default(),
        IngestConfig {
            writers,
            first_token_key: 1,
        },
    )
}

impl Office {
    /// Opens a stream; `None` when the epoch is stale.
    pub async fn open(&self, pool: &PgPool) -> Option<u64> {
        let greeting = Greeting {
            office_id: self.office_id,
            epoch: self.epoch,
            last_sequence: self.next - 1,
            agent_version: "0.1.0",
            clock_skew_ms: Some(0),
            next_token_key: None,
        };
        let opened = store::feed::sync::open(pool, &greeting).await.unwrap();
        opened.map(|opened| opened.committed_sequence)
    }

    /// A rebuilt outbox.
    pub async fn rebuilt(&self, hub: &Hub) -> Self {
        let rebuilt = Self {
            epoch: Uuid::now_v7(),
            next: 1,
            ..*self
        };
        assert_eq!(rebuilt.open(&hub.pool).await, Some(0));
        rebuilt
    }

    /// Sends the records with the next sequences and waits for the outcome.
    pub async fn send(&mut self, hub: &Hub, records: Vec<Record>) -> Outcome {
        let first = self.next;
        self.next += records.len() as u64;
        self.send_at(&hub.ingest, first, records).await
    }

    pub async fn send_at(&self, ingest: &Ingest, first: u64, records: Vec<Record>) -> Outcome {
        self.hand_over(ingest, first, records).await.await.unwrap()
    }

    /// Hands the records over, and does not wait for the outcome.
    pub async fn hand_over(
        &self,
        ingest: &Ingest,
        first: u64,
        records: Vec<Record>,
    ) -> oneshot::Receiver<Outcome> {
        let job = Job {
            office_id: self.office_id,
            epoch: self.epoch,
            first_sequence: first,
            records: records
                .into_iter()
                .map(|record| ingest.decode(record))
                .collect(),
            backlog: 0,
            token_key: None,
        };
        ingest.submit(job).await.unwrap()
    }

    /// Sends and expects that all is taken; returns the rules that refused records.
    pub async fn taken(&mut self, hub: &Hub, records: Vec<impl Into<Record>>) -> Vec<&'static str> {
        let records = records.into_iter().map(Into::into).collect();
        match self.send(hub, records).await {
            Outcome::Committed {
                committed_sequence,
                rejects,
            } => {
                assert_eq!(committed_sequence, self.next - 1);
                rejects
                    .iter()
                    .map(|reject: &HubReject| reject.rule.code())
                    .collect()
            }
            other => panic!("not taken: {other:?}"),
        }
    }
}
