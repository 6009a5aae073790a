//! An office's certificate from its first day to its end.

use std::fs;

use data_encoding::BASE64;
use notary_hub::config::Config;
use notary_hub::embedded::testing::fresh_database;
use notary_hub::identity::pki::authority::{Authority, ProvenKey};
use notary_hub::store;
use rcgen::{CertificateParams, KeyPair};
use sandbox::poll::{PATIENCE, holds};
use sandbox::{Agent, BureauOptions};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use crate::support::{FLAT, Stage};

/// A hub whose certificates end after a few seconds.
async fn short_lived(life: &str) -> anyhow::Result<Stage> {
    let options = BureauOptions {
        database_url: Some(fresh_database().await.url),
        configuration: format!("[identity]\ncertificate_ttl = '{life}'\n"),
    };
    Stage::set_with(300, &[FLAT], &options).await
}

async fn certificate_end(agent: &Agent) -> anyhow::Result<i64> {
    let status = agent.status().await?;
    Ok(status.0["certificate_ends_at"].as_i64().unwrap_or_default())
}

async fn says(agent: &Agent, text: &str) -> anyhow::Result<()> {
    let log = agent.log_file();
    holds(&format!("the agent says {text}"), PATIENCE, async || {
        Ok(fs::read_to_string(&log)?.contains(text))
    })
    .await
}

#[tokio::test]
async fn a_certificate_is_renewed_while_the_agent_runs() -> anyhow::Result<()> {
    let mut stage = short_lived("8s").await?;
    let first = certificate_end(stage.agent()).await?;
    stage.agent().start()?;
    holds("the certificate is a later one", PATIENCE, async || {
        Ok(certificate_end(&stage.agents[0]).await? > first)
    })
    .await?;
    stage.settled().await?;
    stage.close().await
}

#[tokio::test]
async fn an_agent_that_was_off_past_its_certificates_end_comes_back_by_itself() -> anyhow::Result<()>
{
    let mut stage = short_lived("2s").await?;
    let end = certificate_end(stage.agent()).await?;
    holds("the certificate has ended", PATIENCE, async || {
        Ok(OffsetDateTime::now_utc().unix_timestamp() > end)
    })
    .await?;
    stage.agent().start()?;
    stage.settled().await?;
    stage.close().await
}

/// Makes it as if the agent had its certificate, good for a day, since `ago`: in its own file and at the hub.
async fn received(stage: &mut Stage, ago: Duration) -> anyhow::Result<()> {
    let then = OffsetDateTime::now_utc() - ago;
    let file = stage.agent().data_dir().join("identity.json");
    let mut identity: Value = serde_json::from_slice(&fs::read(&file)?)?;
    let key = identity["private_key"].as_str().unwrap_or_default();
    let key = KeyPair::try_from(BASE64.decode(key.as_bytes())?)?;
    let request = CertificateParams::default().serialize_request(&key)?;
    let key = ProvenKey::from_csr(request.der())?;
    let office = stage.agent().office_id().parse()?;

    let authority = Authority::load(&Config::load(&stage.bureau.config_file())?)?;
    let certificate = authority.certify_office(office, &key, then)?;
    let pool = stage.bureau.database().await?;
    sqlx::query("DELETE FROM certificate")
        .execute(&pool)
        .await?;
    store::office::certificate::insert(&pool, office, &certificate, false).await?;
    identity["certificate_chain"][0] = BASE64.encode(&certificate.der).into();
    identity["received_at"] = then.unix_timestamp().into();
    fs::write(&file, identity.to_string())?;
    Ok(())
}

/// A hub whose certificates live a day and may be renewed for thirty more; an office that has been there, left, and
/// has had a month's work since.
async fn away_since(ago: Duration) -> anyhow::Result<Stage> {
    let mut stage = Stage::set(300, &[FLAT]).await?;
    stage.agent().start()?;
    stage.settled().await?;
    stage.agent().stop().await?;
    received(&mut stage, ago).await?;
    assert!(stage.town.live_on().await? > 0);
    Ok(stage)
}

#[tokio::test]
async fn an_agent_off_for_thirty_days_renews_by_itself_and_hands_in_what_it_missed()
-> anyhow::Result<()> {
    let mut stage = away_since(Duration::days(30)).await?;
    stage.agent().start()?;
    let reckoning = stage.settled().await?;
    assert_eq!(reckoning.at_hub(), reckoning.at_sources());
    let offices = stage.bureau.run(&["office", "list"]).await?;
    assert!(
        offices[0]["renewed_late_at"].is_string(),
        "the operator sees it: {offices}"
    );
    stage.close().await
}

#[tokio::test]
async fn an_agent_off_for_longer_says_what_to_do_and_goes_on_with_a_new_join_token()
-> anyhow::Result<()> {
    let mut stage = away_since(Duration::days(32)).await?;
    stage.agent().start()?;
    says(stage.agent(), "enrol again with a new token").await?;
    holds("its health fails", PATIENCE, async || {
        Ok(stage.agents[0].run(&["health"]).await?.code != Some(0))
    })
    .await?;
    stage.agent().stop().await?;

    let office = stage.agent().office_id().to_owned();
    let token = stage.bureau.join_token(&office).await?;
    stage.agent().enroll(&token).await?;
    stage.agent().start()?;
    let reckoning = stage.settled().await?;
    assert_eq!(reckoning.at_hub(), reckoning.at_sources());
    stage.close().await
}

#[tokio::test]
async fn a_revoked_office_is_told_so_and_sends_nothing_more() -> anyhow::Result<()> {
    let mut stage = Stage::set(300, &[FLAT]).await?;
    stage.agent().start()?;
    stage.settled().await?;
    let office = stage.agent().office_id().to_owned();
    stage.bureau.run(&["office", "revoke", &office]).await?;
    says(stage.agent(), "OFFICE_REVOKED").await?;
    stage.agent().must_run()?;
    stage.close().await
}

#[tokio::test]
async fn a_join_token_is_good_for_one_key() -> anyhow::Result<()> {
    let mut stage = Stage::set(300, &[FLAT]).await?;
    let office = stage.agent().office_id().to_owned();
    let token = stage.bureau.join_token(&office).await?;
    stage.agent().enroll(&token).await?;
    let before = fs::read(stage.agent().data_dir().join("identity.json"))?;
    let again = stage.agent().enroll(&token).await;
    let error = format!("{:#}", again.expect_err("the token is used"));
    assert!(error.contains("JOIN_TOKEN_INVALID"), "{error}");
    let after = fs::read(stage.agent().data_dir().join("identity.json"))?;
    assert!(after == before, "what was there stays");
    stage.close().await
}

#[tokio::test]
async fn nobody_enrols_under_a_running_agent() -> anyhow::Result<()> {
    let mut stage = Stage::set(300, &[FLAT]).await?;
    stage.agent().start()?;
    stage.settled().await?;
    let refused = stage.agent().enroll("any-token").await;
    let error = format!("{:#}", refused.expect_err("it runs"));
    assert!(error.contains("stop it first"), "{error}");
    stage.close().await
}
