//! Numbers stay at the office: every document and phone number of the city is a canary.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use sqlx::PgPool;

use crate::support::{EACH_SHAPE, Stage};

/// Shortest number that is looked for: shorter ones could be anything.
const SHORTEST: usize = 9;

#[tokio::test]
async fn no_number_of_a_person_is_anywhere_but_in_the_offices_own_system() -> anyhow::Result<()> {
    let mut stage = Stage::set(1_200, &EACH_SHAPE).await?;
    stage.start_agents()?;
    stage.settled().await?;
    let canaries = Canaries::of(&stage);
    assert!(canaries.0.len() > 1_000);
    assert_eq!(
        canaries
            .found_in(b"{\"number\":\"11010519491231002X\"}")
            .count(),
        0,
        "nobody in the city has the number of the standard's example"
    );
    for (place, text) in everything(&mut stage).await? {
        let found = canaries.found_in(&text).count();
        assert_eq!(found, 0, "{place} holds {found} numbers");
    }
    // The search itself works: the offices' own systems are full of them.
    let own = fs::read(stage.town.home(1).join("cases.db"))?;
    assert!(canaries.found_in(&own).count() > 100);
    stage.close().await
}

async fn everything(stage: &mut Stage) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut places = vec![read(&stage.bureau.log_file())?];
    for agent in &stage.agents {
        places.push(read(&agent.log_file())?);
        let status = agent.status().await?;
        places.push(("status".to_owned(), status.0.to_string().into_bytes()));
        for entry in fs::read_dir(agent.data_dir())? {
            places.push(read(&entry?.path())?);
        }
    }
    assert!(
        places
            .iter()
            .any(|(place, _)| place.ends_with("outbox.sqlite"))
    );
    let pool = stage.bureau.database().await?;
    places.extend(dump(&pool).await?);
    Ok(places)
}

fn read(file: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    Ok((file.display().to_string(), fs::read(file)?))
}

/// Every row of every table as text.
async fn dump(pool: &PgPool) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
            .fetch_all(pool)
            .await?;
    assert!(tables.iter().any(|table| table == "party"));
    let mut dumped = Vec::new();
    for table in tables {
        let rows = format!("SELECT string_agg(t::text, E'\\n') FROM \"{table}\" t");
        let text: Option<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(rows))
            .fetch_one(pool)
            .await?;
        dumped.push((table, text.unwrap_or_default().into_bytes()));
    }
    Ok(dumped)
}

struct Canaries(HashSet<Vec<u8>>);

impl Canaries {
    /// Numbers as the offices wrote them.
    fn of(stage: &Stage) -> Self {
        let city = stage.town.city();
        let mut numbers = HashSet::new();
        for &office in &stage.offices {
            for party in city.cases(office).flat_map(|case| case.parties) {
                let document = party.document.map(|document| document.number);
                numbers.extend(document.into_iter().chain(party.phone));
            }
        }
        let plain = |number: &String| {
            number.len() >= SHORTEST && number.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        Self(
            numbers
                .into_iter()
                .filter(plain)
                .map(String::into_bytes)
                .collect(),
        )
    }

    fn found_in<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let lengths: HashSet<usize> = self.0.iter().map(Vec::len).collect();
        text.split(|byte| !byte.is_ascii_alphanumeric())
            .filter(|word| word.len() >= SHORTEST)
            .flat_map(move |word| {
                lengths
                    .clone()
                    .into_iter()
                    .flat_map(move |length| word.windows(length))
            })
            .filter(|part| self.0.contains(*part))
    }
}
