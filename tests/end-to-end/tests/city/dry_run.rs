//! Before an agent runs for the first time: `map --dry-run` says what is missing, and sends nothing.

use std::fs;

use rusqlite::Connection;

use crate::support::{EACH_SHAPE, FLAT, Stage};

#[tokio::test]
async fn a_dry_run_names_unknown_codes_and_columns_and_sends_nothing() -> anyhow::Result<()> {
    let mut stage = Stage::set(600, &[FLAT]).await?;
    let home = stage.town.home(FLAT);
    let system = Connection::open(home.join("cases.db"))?;
    system.execute("ALTER TABLE GZ_AJ ADD COLUMN XINLIE TEXT", [])?;
    let renamed = system.execute(
        "UPDATE GZ_AJ SET ZT = 'Z9' WHERE rowid IN (SELECT rowid FROM GZ_AJ LIMIT 7)",
        [],
    )?;
    assert_eq!(renamed, 7);

    let said = stage.agent().run(&["map", "--dry-run"]).await?;
    assert_eq!(said.code, Some(11), "{}", said.err);
    let rows = stage.at_sources();
    assert!(said.out.contains(&format!("{rows} rows")), "{}", said.out);
    assert!(said.out.contains("ZT = \"Z9\"  7"), "{}", said.out);
    assert!(said.out.contains("XINLIE"), "{}", said.out);
    assert!(said.out.contains("CODE_UNKNOWN"), "{}", said.out);

    let as_json = stage
        .agent()
        .run(&["map", "--dry-run", "--json"])
        .await?
        .json()?;
    assert!(
        as_json["cases"]["unknown_codes"]["ZT"].is_object(),
        "{as_json}"
    );
    assert!(!stage.agent().data_dir().join("outbox.sqlite").exists());
    assert_eq!(stage.committed().await?, 0);
    stage.close().await
}

#[tokio::test]
async fn a_dry_run_of_each_shape_takes_what_the_agent_would_take() -> anyhow::Result<()> {
    let stage = Stage::set(900, &EACH_SHAPE).await?;
    let truth = stage.town.city().truth();
    for (agent, &office) in stage.agents.iter().zip(&stage.offices) {
        let report = agent.run(&["map", "--dry-run", "--json"]).await?.json()?;
        let source = report
            .as_object()
            .and_then(|sources| sources.values().next());
        let source = source.expect("the office has one source");
        let house = &stage.town.city().offices()[office];
        let refused = truth.rejects_of(house.id.as_str()).count() as u64;
        assert_eq!(source["rows"], u64::from(house.cases), "{}", house.id);
        assert_eq!(
            source["cases"],
            u64::from(house.cases) - refused,
            "{}",
            house.id
        );
    }
    stage.close().await
}

#[tokio::test]
async fn a_mistyped_key_is_answered_with_the_one_that_was_meant() -> anyhow::Result<()> {
    let stage = Stage::set(600, &[FLAT]).await?;
    let agent = &stage.agents[0];
    let text = fs::read_to_string(agent.config_file())?;
    fs::write(
        agent.config_file(),
        text.replace("watermark =", "watermrak ="),
    )?;
    for command in ["check-config", "run", "status"] {
        let said = agent.run(&[command]).await?;
        assert_eq!(said.code, Some(2), "{command}");
        assert!(
            said.err.contains("did you mean `watermark`?"),
            "{}",
            said.err
        );
    }
    stage.close().await
}
