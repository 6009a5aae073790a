//! A hub's database with a synthetic city in it.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::Ed25519KeyPair;
use linkage::token::{TokenAlgorithm, TokenKey};
use notary_hub::audit::{Audit, CheckpointKey};
use notary_hub::embedded::testing::{TestDatabase, fresh_database};
use notary_hub::filing::body::Body;
use notary_hub::filing::{self, Filing, Raw};
use notary_hub::ingest::batch::{Job, Outcome};
use notary_hub::ingest::{Ingest, IngestConfig};
use notary_hub::linking::Linking;
use notary_hub::linking::model::Models;
use notary_hub::rules::Rules;
use notary_hub::statistics::calendar::Calendar;
use notary_hub::store;
use notary_hub::store::feed::sync::Greeting;
use notary_hub::store::office::NewOffice;
use notary_hub::store::scope::Scope;
use notary_hub::store::supervision::profile;
use notary_hub::store::token_key::Told;
use notary_hub::supervision::edition::Current;
use notary_hub::supervision::rule::Rules as SupervisionRules;
use notary_hub::supervision::worker::Supervision;
use notary_hub::traffic::Traffic;
use notary_proto::hub::v1::Record;
use notary_proto::hub::v1::record::Payload;
use sandbox::{Breaches, FigureReckoning, LeftOut, Reckoning, oversight};
use sqlx::{AssertSqlSafe, PgPool};
use synthetic_city::{City, CityPlan, Office, wire};
use uuid::Uuid;

const OFFICES: [usize; 3] = [0, 1, 2];

/// A hub's database that holds a city as it should.
pub struct Hub {
    city: City,
    pub database: TestDatabase,
}

impl Hub {
    pub async fn with_a_city(cases: u32) -> Self {
        let plan = CityPlan {
            offices: OFFICES.len() as u32,
            ..CityPlan::of_size(3, cases)
        };
        let city = City::generate(&plan).unwrap();
        let database = fresh_database().await;
        let (ingest, writers) = Ingest::start(
            store::pool::writers(&database.url, 4).unwrap(),
            Rules::shipped(),
            Calendar::builtin(),
            Traffic::default(),
            IngestConfig {
                writers: 2,
                first_token_key: 1,
            },
        );
        for office in OFFICES {
            take_in(&city, office, &ingest, &database.pool).await;
        }
        writers.shutdown(Duration::from_secs(30)).await;
        let hub = Self { city, database };
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
            .execute(&self.database.pool)
            .await
            .unwrap();
        }
    }

    /// Links all persons.
    pub async fn link(&self) {
        let pool = store::pool::linking(&self.database.url, 2).unwrap();
        let linking = Linking::new(pool, Models::default(), Rules::shipped());
        while !store::linking::work::is_drained(&self.database.pool)
            .await
            .unwrap()
        {
            linking.drain().await.unwrap();
        }
    }

    /// Lets the bureau know the offices and the offices file what they filed, and judges everything as on the city's
    /// last day.
    pub async fn supervise(&self) -> Breaches {
        let pool = &self.database.pool;
        let rules = SupervisionRules::builtin();
        let supervision = Supervision::new(pool.clone(), Current::new(rules), Calendar::builtin());
        // What agents file is not recorded.
        let key = CheckpointKey::new("test".into(), Ed25519KeyPair::generate().unwrap());
        let (audit, _) = Audit::new(pool.clone(), Arc::new(key));
        for office in OFFICES {
            let house = &self.city.offices()[office];
            let on_file = oversight::profile(house);
            profile::put(pool, house.id, &on_file).await.unwrap();
            let filings = self.filed(office);
            for one in &filings {
                file(house, one, &supervision, &audit).await;
            }
            oversight::date_back(pool, &filings).await.unwrap();
        }
        supervision.drain(self.city.today()).await.unwrap();
        self.breaches().await
    }

    /// What an office has filed by the city's last day.
    fn filed(&self, office: usize) -> Vec<synthetic_city::Filing> {
        [self.city.filings(office), oversight::assessments(office)].concat()
    }

    /// The bureau's figures beside the city's.
    pub async fn figures(&self) -> FigureReckoning {
        let pool = &self.database.pool;
        FigureReckoning::take(&self.city, &OFFICES, pool)
            .await
            .unwrap()
    }

    /// The periodic filings that are missing beside those that were left out.
    pub async fn left_out(&self) -> LeftOut {
        let filed = OFFICES.map(|office| (office, self.filed(office)));
        let (pool, today) = (&self.database.pool, self.city.today());
        LeftOut::take(&self.city, &filed, pool, today)
            .await
            .unwrap()
    }

    pub async fn breaches(&self) -> Breaches {
        let (pool, today) = (&self.database.pool, self.city.today());
        Breaches::take(&self.city, &OFFICES, pool, today)
            .await
            .unwrap()
    }

    pub async fn reckon(&self) -> Reckoning {
        Reckoning::take(&self.city, &OFFICES, &self.database.pool)
            .await
            .unwrap()
    }

    /// Does something to the database; returns the reckoning after it.
    pub async fn after(&self, sql: &str) -> Reckoning {
        let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(&self.database.pool)
            .await
            .unwrap();
        assert_eq!(done.rows_affected(), 1, "{sql}");
        self.reckon().await
    }
}

fn key() -> TokenKey {
    TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32])
}

async fn file(
    house: &Office,
    one: &synthetic_city::Filing,
    supervision: &Supervision,
    audit: &Audit,
) {
    let sent = wire::filing(one, &key());
    let body = Body::parse(one.kind.parse().unwrap(), &sent.detail).unwrap();
    let raw = Raw {
        filing_id: sent.filing_id,
        source_case_id: sent.source_case_id,
        text: sent.text,
    };
    let one = Filing::parse(house.id, body, raw, None).unwrap();
    let scope = Scope::of_agent(house.id);
    let receipt = filing::submit(supervision, audit, scope, Told::default(), &one).await;
    receipt.unwrap();
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
    let records: Vec<_> = wire::office_records(city, office, &key())
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
        next_token_key: None,
    };
    store::feed::sync::open(pool, &greeting).await.unwrap();
    let job = Job {
        office_id: house.id,
        epoch,
        first_sequence: 1,
        records,
        backlog: 0,
        token_key: None,
    };
    let outcome = ingest.submit(job).await.unwrap().await.unwrap();
    assert!(matches!(outcome, Outcome::Committed { rejects, .. } if rejects.is_empty()));
}
