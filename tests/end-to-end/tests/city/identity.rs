//! The certificate decides who speaks, and whom an agent speaks to.

use std::fs;
use std::path::Path;

use notary_hub::embedded::testing::fresh_database;
use sandbox::poll::{PATIENCE, holds};
use sandbox::{Agent, Bureau, BureauOptions};
use serde_json::Value;

use crate::support::{FLAT, Stage, TABLES};

async fn says(agent: &Agent, text: &str) -> anyhow::Result<()> {
    said(&agent.log_file(), text).await
}

async fn said(log: &Path, text: &str) -> anyhow::Result<()> {
    let what = format!("{} says {text}", log.display());
    holds(&what, PATIENCE, async || {
        Ok(fs::read_to_string(log)?.contains(text))
    })
    .await
}

#[tokio::test]
async fn an_agent_that_speaks_for_another_office_is_refused_and_has_no_effect() -> anyhow::Result<()>
{
    let mut stage = Stage::set(900, &[TABLES, FLAT]).await?;
    let victim = stage.agents[1].office_id().to_owned();
    let file = stage.agent().data_dir().join("identity.json");
    let mut identity: Value = serde_json::from_slice(&fs::read(&file)?)?;
    assert_eq!(identity["office_id"], stage.agent().office_id());
    identity["office_id"] = victim.into();
    fs::write(&file, identity.to_string())?;

    stage.agent().start()?;
    says(stage.agent(), "OFFICE_MISMATCH").await?;
    let alarm = stage
        .bureau
        .metric("notary_hub_office_mismatches_total")
        .await?;
    assert!(
        alarm.is_some_and(|count| count >= 1.0),
        "the bureau is alarmed"
    );
    for table in [
        "SELECT count(*) FROM case_record",
        "SELECT count(*) FROM reject",
        "SELECT coalesce(sum(committed_sequence), 0)::bigint FROM sync_position",
    ] {
        assert_eq!(stage.ask(table).await?, 0, "{table}");
    }
    stage.agent().stop().await?;

    stage.agents[1].start()?;
    stage.offices.remove(0);
    stage.settled().await?;
    stage.close().await
}

#[tokio::test]
async fn a_hub_of_another_ca_is_not_spoken_to_and_the_agent_says_why() -> anyhow::Result<()> {
    let mut stage = Stage::set(600, &[FLAT]).await?;
    let options = BureauOptions {
        database_url: Some(fresh_database().await.url),
        ..BureauOptions::default()
    };
    let mut impostor = Bureau::found(&stage.town.home(0).join("impostor"), &options).await?;
    impostor.open().await?;
    let plain_words = "not certified by the CA this agent trusts";

    // Before enrolment the operator's CA file decides.
    let mut hub = stage.hub_at();
    hub.ca_file = impostor.ca_file();
    stage.agent().find_hub_at(&hub)?;
    let enrolled = stage.agent().enroll("any-token").await;
    let error = format!("{:#}", enrolled.expect_err("not this hub"));
    assert!(error.contains(plain_words), "{error}");

    // After it, what was learnt then.
    let mut hub = stage.hub_at();
    hub.agents = impostor.addresses().agents.to_string();
    stage.agent().find_hub_at(&hub)?;
    stage.agent().start()?;
    says(stage.agent(), plain_words).await?;
    stage.agent().must_run()?;
    stage.agent().stop().await?;

    let hub = stage.hub_at();
    stage.agent().find_hub_at(&hub)?;
    stage.agent().start()?;
    stage.settled().await?;
    impostor.close().await?;
    stage.close().await
}
