//! The reckoning is honest: it finds each thing that can be wrong, and nothing when nothing is.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use linkage::token::{TokenAlgorithm, TokenKey};
use notary_hub::embedded::testing::fresh_database;
use notary_hub::ingest::batch::{Job, Outcome};
use notary_hub::ingest::{Ingest, IngestConfig};
use notary_hub::rules::Rules;
use notary_hub::statistics::calendar::Calendar;
use notary_hub::store;
use notary_hub::store::office::NewOffice;
use notary_hub::store::sync::Greeting;
use notary_proto::hub::v1::Record;
use notary_proto::hub::v1::record::Payload;
use sandbox::Reckoning;
use sqlx::{AssertSqlSafe, PgPool};
use synthetic_city::{City, CityPlan, wire};
use uuid::Uuid;

const OFFICES: [usize; 3] = [0, 1, 2];

/// A hub's database that holds a city as it should.
struct Hub {
    city: City,
    pool: PgPool,
}

impl Hub {
    async fn with_a_city() -> Self {
        let plan = CityPlan {
            offices: OFFICES.len() as u32,
            ..CityPlan::of_size(3, 900)
        };
        let city = City::generate(&plan).unwrap();
        let database = fresh_database().await;
        let (ingest, writers) = Ingest::start(
            store::pool::writers(&database.url, 4).unwrap(),
            Rules::shipped(),
            Calendar::builtin(),
            IngestConfig {
                writers: 2,
                token_key_id: 1,
            },
        );
        for office in OFFICES {
            take_in(&city, office, &ingest, &database.pool).await;
        }
        writers.shutdown(Duration::from_secs(30)).await;
        let hub = Self {
            city,
            pool: database.pool,
        };
        hub.name_rejects().await;
        hub
    }

    async fn name_rejects(&self) {
        for reject in self.city.truth().rejects {
            let key = match reject.key_readable {
                true => reject.source_case_id.clone(),
                false => format!("cases.csv:{}", reject.source_case_id),
            };
            sqlx::query(
                "INSERT INTO reject (office_id, record_key, rule_id, found_by, first_seen_at, last_seen_at) \
                 VALUES ($1, $2, $3, 'agent', now(), now())",
            )
            .bind(reject.office_id)
            .bind(key)
            .bind(reject.rule_id)
            .execute(&self.pool)
            .await
            .unwrap();
        }
    }

    async fn reckon(&self) -> Reckoning {
        Reckoning::take(&self.city, &OFFICES, &self.pool)
            .await
            .unwrap()
    }

    /// Does something to the database; returns the reckoning after it.
    async fn after(&self, sql: &str) -> Reckoning {
        let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(&self.pool)
            .await
            .unwrap();
        assert_eq!(done.rows_affected(), 1, "{sql}");
        self.reckon().await
    }
}

async fn take_in(city: &City, office: usize, ingest: &Ingest, pool: &PgPool) {
    let house = &city.offices()[office];
    let new = NewOffice {
        office_id: house.id,
        name: house.name.clone(),
        level: store::office::Level::County,
        district: house.district_code.parse().unwrap(),
    };
    assert!(store::office::insert(pool, &new).await.unwrap());
    let key = TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32]);
    let records: Vec<_> = wire::office_records(city, office, &key)
        .map(|case| {
            ingest.decode(Record {
                payload: Some(Payload::Case(case)),
            })
        })
        .collect();
    let epoch = Uuid::now_v7();
    let greeting = Greeting {
        office_id: house.id,
        epoch,
        last_sequence: records.len() as u64,
        agent_version: "0.1.0",
        clock_skew_ms: None,
    };
    store::sync::open(pool, &greeting).await.unwrap();
    let job = Job {
        office_id: house.id,
        epoch,
        first_sequence: 1,
        records,
        backlog: 0,
    };
    let outcome = ingest.submit(job).await.unwrap().await.unwrap();
    assert!(matches!(outcome, Outcome::Committed { rejects, .. } if rejects.is_empty()));
}

const ONE_CASE: &str = "(office_id, source_case_id) = \
    (SELECT office_id, source_case_id FROM case_record WHERE office_id = 'hzgl' ORDER BY 2 LIMIT 1)";

#[tokio::test]
async fn a_city_that_arrived_has_no_complaints() {
    let hub = Hub::with_a_city().await;
    let reckoning = hub.reckon().await;
    assert_eq!(reckoning.complaints(), Vec::<String>::new());
    assert_eq!(reckoning.at_sources(), 900);
    assert_eq!(reckoning.at_hub() + reckoning.rejected(), 900);
    assert!(reckoning.rejected() > 0);
    assert!(reckoning.planted > 0);
    assert_eq!(reckoning.found, reckoning.planted);
}

#[tokio::test]
async fn a_case_that_is_missing_or_older_is_lost() {
    let hub = Hub::with_a_city().await;
    let older =
        format!("UPDATE case_record SET fee_charged_fen = fee_charged_fen + 1 WHERE {ONE_CASE}");
    let reckoning = hub.after(&older).await;
    assert_eq!(reckoning.lost(), 1);
    let reckoning = hub
        .after(&format!("DELETE FROM case_record WHERE {ONE_CASE}"))
        .await;
    assert_eq!(reckoning.lost(), 1);
    assert_eq!(reckoning.complaints().len(), 1);
}

#[tokio::test]
async fn a_record_refused_for_another_reason_is_lost_and_the_reason_unexplained() {
    let hub = Hub::with_a_city().await;
    let reckoning = hub
        .after(
            "UPDATE reject SET rule_id = 'CASE_NO_TAKEN' WHERE ctid = \
             (SELECT ctid FROM reject WHERE record_key NOT LIKE '%:%' LIMIT 1)",
        )
        .await;
    assert_eq!(reckoning.lost(), 1);
    assert_eq!(reckoning.complaints().len(), 2);
}

#[tokio::test]
async fn a_second_effect_of_one_change_is_seen() {
    let hub = Hub::with_a_city().await;
    let again = format!(
        "INSERT INTO case_history SELECT office_id, source_case_id, 0, now(), now(), now(), '{{}}' \
         FROM case_record WHERE {ONE_CASE}"
    );
    let reckoning = hub.after(&again).await;
    assert_eq!(reckoning.repeated(), 1);
    assert_eq!(reckoning.lost(), 0);
}

#[tokio::test]
async fn findings_that_are_missing_or_too_many_are_seen() {
    let hub = Hub::with_a_city().await;
    let planted = hub.reckon().await.planted;
    let reckoning = hub
        .after(
            "UPDATE duplicate_finding SET right_case = 'another' WHERE ctid = \
             (SELECT ctid FROM duplicate_finding LIMIT 1)",
        )
        .await;
    assert_eq!(reckoning.found, planted - 1);
    assert_eq!(reckoning.missed.len(), 1);
    assert_eq!(reckoning.false_findings.len(), 1);
    let reckoning = hub
        .after("DELETE FROM duplicate_finding WHERE right_case = 'another'")
        .await;
    assert_eq!(reckoning.false_findings.len(), 0);
    assert_eq!(reckoning.missed.len(), 1);
}
