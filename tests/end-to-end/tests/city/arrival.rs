//! The main thing: every case arrives, once, as it is at the office.

use std::collections::HashMap;

use synthetic_city::Case;

use crate::support::{CSV, Stage, XLSX};

#[tokio::test]
async fn the_whole_city_arrives_once_and_every_planted_duplicate_is_found() -> anyhow::Result<()> {
    let mut stage = Stage::as_installed(1_200, &[0, 1, 2, 3, 4, 5]).await?;
    stage.start_agents()?;
    let reckoning = stage.settled().await?;
    assert_eq!(reckoning.at_sources(), 1_200);
    assert_eq!(reckoning.at_hub() + reckoning.rejected(), 1_200);
    let truth = stage.town.city().truth();
    assert_eq!(reckoning.rejected(), truth.rejects.len() as u64);
    assert!(reckoning.rejected() > 0, "the city has records to refuse");
    assert!(reckoning.planted >= 20, "{} pairs", reckoning.planted);
    assert_eq!(reckoning.found, reckoning.planted);
    let notices = stage
        .ask("SELECT count(DISTINCT office_id) FROM notice WHERE kind = 'duplicate_found'")
        .await?;
    assert_eq!(notices, 6, "every office is told of its duplicates");
    stage.close().await
}

#[tokio::test]
async fn names_arrive_byte_for_byte_out_of_gb18030_and_xlsx() -> anyhow::Result<()> {
    let mut stage = Stage::set(900, &[CSV, XLSX]).await?;
    stage.start_agents()?;
    stage.settled().await?;
    let pool = stage.bureau.database().await?;
    for office in [CSV, XLSX] {
        let city = stage.town.city();
        let rows: Vec<(String, i16, String)> =
            sqlx::query_as("SELECT source_case_id, ordinal, name FROM party WHERE office_id = $1")
                .bind(city.offices()[office].id.as_str())
                .fetch_all(&pool)
                .await?;
        let mut at_hub: HashMap<String, Vec<(i16, String)>> = HashMap::new();
        for (case, ordinal, name) in rows {
            at_hub.entry(case).or_default().push((ordinal, name));
        }
        let sound: Vec<Case> = city
            .cases(office)
            .filter(|case| case.flaw.is_none())
            .collect();
        for case in &sound {
            let mut held = at_hub.remove(&case.source_case_id).unwrap_or_default();
            held.sort();
            let held: Vec<&str> = held.iter().map(|(_, name)| name.as_str()).collect();
            let written: Vec<&str> = case
                .parties
                .iter()
                .map(|party| party.name.as_str())
                .collect();
            assert_eq!(held, written, "{}", case.source_case_id);
        }
        assert!(sound.len() > 50);
    }
    stage.close().await
}
