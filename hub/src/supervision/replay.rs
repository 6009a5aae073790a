//! What rules find in all of history, before they are put in force (`simulate`), and putting all of history before the
//! rules in force (`replay`).

use std::collections::BTreeMap;

use linkage::office::OfficeId;
use serde::Serialize;
use sqlx::PgPool;
use time::Date;

use super::evaluate::Judge;
use super::rule::Rules;
use crate::statistics::calendar::Calendar;
use crate::store;
use crate::store::supervision::{facts, work};

/// Cases read at once.
const PAGE: i64 = 500;

/// What rules find.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    pub rules_version: String,
    pub cases: u64,
    /// Hits by rule.
    pub hits: BTreeMap<String, u64>,
}

/// Judges every case, and writes nothing.
pub async fn simulate(
    pool: &PgPool,
    rules: &Rules,
    calendar: &Calendar,
    today: Date,
    since: Option<Date>,
) -> Result<Found, sqlx::Error> {
    let judge = Judge {
        rules,
        calendar,
        today,
    };
    let mut found = Found {
        rules_version: rules.version.clone(),
        hits: rules
            .rules
            .iter()
            .map(|rule| (rule.id.clone(), 0))
            .collect(),
        ..Found::default()
    };
    let mut moment = store::tx::snapshot(pool).await?;
    for office in store::office::list(pool).await? {
        let on_file = facts::office(&mut moment, office.office_id).await?;
        let mut behind = String::new();
        loop {
            let keys = facts::page(&mut moment, office.office_id, &behind, since, PAGE).await?;
            let Some(last) = keys.last() else { break };
            behind.clone_from(last);
            for case in facts::cases(&mut moment, office.office_id, &keys).await? {
                found.cases += 1;
                for hit in judge.case(&case, &on_file).hits {
                    *found.hits.entry(hit.rule_id).or_default() += 1;
                }
            }
        }
        let filings = facts::filings(&mut moment, office.office_id).await?;
        for hit in judge.office(&filings) {
            *found.hits.entry(hit.rule_id).or_default() += 1;
        }
    }
    Ok(found)
}

/// Puts every case down to be judged by the rules in force: a running hub takes them up. Returns how many.
pub async fn replay(pool: &PgPool, since: Option<Date>) -> Result<u64, sqlx::Error> {
    let mut put = 0;
    for office in store::office::list(pool).await? {
        put += replay_office(pool, office.office_id, since).await?;
    }
    Ok(put)
}

async fn replay_office(
    pool: &PgPool,
    office_id: OfficeId,
    since: Option<Date>,
) -> Result<u64, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let (mut behind, mut put) = (String::new(), 0);
    loop {
        let keys = facts::page(&mut connection, office_id, &behind, since, PAGE).await?;
        let Some(last) = keys.last() else { break };
        behind.clone_from(last);
        put += keys.len() as u64;
        let keys: Vec<_> = keys.iter().map(|key| (office_id, key.as_str())).collect();
        work::add_cases(&mut connection, &keys).await?;
    }
    work::add_office(&mut connection, office_id).await?;
    Ok(put)
}
