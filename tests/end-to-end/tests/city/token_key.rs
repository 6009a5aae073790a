//! The city changes its token key while its offices work: everything that was found is found under the new key, and
//! nothing else changes.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use notary_hub::embedded::testing::fresh_database;
use sandbox::poll::{PATIENCE, holds};
use sandbox::{Agent, Answer, BureauOptions, Inquiry};
use serde_json::{Value, json};
use synthetic_city::Case;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{FLAT, LOGIN, PASSWORD, Stage, TABLES, case_elsewhere};

/// Two offices and a notary of the first, whose agents renew their certificates every few seconds.
async fn working_city() -> anyhow::Result<Stage> {
    let options = BureauOptions {
        database_url: Some(fresh_database().await.url),
        configuration: "[identity]\ncertificate_ttl = '8s'\n".to_owned(),
    };
    let mut stage = Stage::set_with(1_200, &[TABLES, FLAT], &options).await?;
    stage.add_notary().await?;
    stage.start_agents()?;
    stage.settled().await?;
    linked(&mut stage).await?;
    Ok(stage)
}

/// Waits until persons are linked as far as cases have come.
async fn linked(stage: &mut Stage) -> anyhow::Result<()> {
    let pool = stage.bureau.database().await?;
    holds("all persons are linked", PATIENCE, async || {
        let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM link_work")
            .fetch_one(&pool)
            .await?;
        Ok(waiting == 0)
    })
    .await
}

/// What must be the same before and after: who is one person, what is one matter, and everything that people are told.
async fn picture(stage: &mut Stage) -> anyhow::Result<Vec<String>> {
    let pool = stage.bureau.database().await?;
    let mut picture = Vec::new();
    for sql in [
        "SELECT md5(string_agg(members, ';' ORDER BY members)) FROM (
             SELECT string_agg(m.mention_id::text, ',' ORDER BY m.mention_id) AS members
               FROM mention m JOIN link_node n USING (node_id) GROUP BY n.person_id) AS person",
        "SELECT md5(string_agg(f::text, ';' ORDER BY f::text)) FROM duplicate_finding f",
        "SELECT count(*)::text FROM case_history",
        "SELECT count(*)::text FROM notice",
        "SELECT md5(string_agg(r::text, ';' ORDER BY r::text)) FROM (
             SELECT office_id, source_case_id, rule_id FROM quality_finding) AS r",
        "SELECT md5(string_agg(c::text, ';' ORDER BY c::text)) FROM (
             SELECT office_id, source_case_id, state, fee_charged_fen, recorded_at FROM case_record) AS c",
    ] {
        picture.push(sqlx::query_scalar(sql).fetch_one(&pool).await?);
    }
    Ok(picture)
}

async fn key_of(agent: &Agent) -> anyhow::Result<Value> {
    let text = fs::read(agent.data_dir().join("identity.json"))?;
    let identity: Value = serde_json::from_slice(&text)?;
    Ok(identity["token_key_id"].clone())
}

/// What `token-key retire` says, whatever it comes to.
async fn retire(stage: &Stage) -> anyhow::Result<Result<Value, String>> {
    let done = stage.bureau.run(&["token-key", "retire"]).await;
    Ok(done.map_err(|error| format!("{error:#}")))
}

async fn next_tokens_are_here(stage: &Stage) -> anyhow::Result<()> {
    holds("every case has next tokens", PATIENCE, async || {
        let status = stage.bureau.run(&["token-key", "status"]).await?;
        let offices = status["offices"].as_array().cloned().unwrap_or_default();
        Ok(offices
            .iter()
            .all(|office| office["has_next"] == true && office["lacking"] == 0))
    })
    .await
}

async fn found_elsewhere(stage: &Stage, case: &Case) -> anyhow::Result<Answer> {
    let inquiry = Inquiry::about(case);
    stage.agents[0].check(&inquiry, LOGIN, PASSWORD).await
}

#[tokio::test]
async fn a_city_goes_over_to_another_token_key_and_finds_all_that_it_found_before()
-> anyhow::Result<()> {
    let mut stage = working_city().await?;
    let case = case_elsewhere(&stage, |case| case.matter_type.code() == "mandate");
    assert_eq!(found_elsewhere(&stage, &case).await?.code, Some(10));
    let before = picture(&mut stage).await?;
    let duplicates = "SELECT count(*) FROM duplicate_finding WHERE closed_at IS NULL";
    assert!(stage.ask(duplicates).await? > 0, "something to lose");

    let made = stage.bureau.run(&["token-key", "rotate"]).await?;
    assert_eq!(made["next"], 2);
    let refused = retire(&stage).await?.expect_err("nobody has the key yet");
    assert!(refused.contains(stage.agents[0].office_id()), "{refused}");
    next_tokens_are_here(&stage).await?;
    assert_eq!(picture(&mut stage).await?, before, "nobody took notice");

    let done = retire(&stage).await?.map_err(anyhow::Error::msg)?;
    assert_eq!((&done["key_id"], &done["left"]), (&json!(2), &json!(0)));
    for agent in &stage.agents {
        holds("the agent goes over", PATIENCE, async || {
            Ok(key_of(agent).await? == 2)
        })
        .await?;
    }
    linked(&mut stage).await?;
    stage.settled().await?;
    assert_eq!(picture(&mut stage).await?, before);
    let answer = found_elsewhere(&stage, &case).await?;
    assert_eq!(answer.code, Some(10), "{}", answer.err);
    for agent in &stage.agents {
        let compared = agent.run(&["reconcile", "--json"]).await?.json()?;
        for difference in ["missing", "differing", "only_at_hub"] {
            assert_eq!(compared[difference], 0, "{compared}");
        }
    }
    let keys = fs::read_dir(stage.bureau.data_dir().join("pki"))?;
    let keys: Vec<_> = keys
        .map(|entry| Ok(entry?.file_name()))
        .collect::<std::io::Result<_>>()?;
    assert!(
        !keys.iter().any(|name| name == "next-token.key"),
        "{keys:?}"
    );

    // Offices work on under the new key.
    assert!(stage.town.live_on().await? > 0);
    stage.settled().await?;
    let of_old_key = "SELECT count(*) FROM party WHERE id_key = 1";
    assert_eq!(stage.ask(of_old_key).await?, 0);
    assert_eq!(found_elsewhere(&stage, &case).await?.code, Some(10));
    stage.close().await
}

#[tokio::test]
async fn a_change_that_is_taken_back_leaves_nothing() -> anyhow::Result<()> {
    let mut stage = working_city().await?;
    let before = picture(&mut stage).await?;
    stage.bureau.run(&["token-key", "rotate"]).await?;
    next_tokens_are_here(&stage).await?;
    stage.bureau.run(&["token-key", "withdraw"]).await?;
    assert_eq!(picture(&mut stage).await?, before);
    let left = "SELECT (SELECT count(*) FROM next_case) + (SELECT count(*) FROM next_party)
                     + (SELECT count(*) FROM next_subject)";
    assert_eq!(stage.ask(left).await?, 0);
    for agent in &stage.agents {
        holds("the agent forgets the key", PATIENCE, async || {
            let text = fs::read(agent.data_dir().join("identity.json"))?;
            let identity: Value = serde_json::from_slice(&text)?;
            Ok(identity["next_token_key"].is_null())
        })
        .await?;
    }
    stage.settled().await?;
    stage.close().await
}

#[tokio::test]
async fn an_agent_that_was_away_while_the_city_went_over_follows_when_it_is_back()
-> anyhow::Result<()> {
    let mut stage = working_city().await?;
    stage.bureau.run(&["token-key", "rotate"]).await?;
    next_tokens_are_here(&stage).await?;
    stage.agents[1].stop().await?;
    assert!(stage.town.live_on().await? > 0);
    retire(&stage).await?.map_err(anyhow::Error::msg)?;
    stage.agents[1].start()?;
    stage.settled().await?;
    assert_eq!(key_of(&stage.agents[1]).await?, 2);
    let of_old_key = "SELECT count(*) FROM party WHERE id_key = 1";
    assert_eq!(stage.ask(of_old_key).await?, 0);
    let compared = stage.agents[1]
        .run(&["reconcile", "--json"])
        .await?
        .json()?;
    assert_eq!(compared["differing"], 0, "{compared}");
    stage.close().await
}

/// A declaration of a notary's relative, as an office's program hands it in with an id of its own.
fn declaration(number: u32) -> Value {
    json!({
        "kind": "recusal", "filing_id": format!("00000000-0000-4000-8000-{number:012}"),
        "fields": { "licence_no": format!("N{number}"), "kin": [
            { "relation": "parent", "id_kind": "resident_id", "id_number": "11010519491231002X" }] },
    })
}

/// Hands one filing in at the running agent's own door, as often as a program does that is cut off or asked to come back.
async fn hand_in(agent: &Agent, filing: &Value) -> anyhow::Result<()> {
    let body = filing.to_string();
    let call = format!(
        "POST /v1/filings HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    holds("a filing is recorded", PATIENCE, async || {
        let mut answer = String::new();
        let called = async {
            let mut stream = TcpStream::connect(agent.local_address()?).await?;
            stream.write_all(call.as_bytes()).await?;
            stream.read_to_string(&mut answer).await?;
            anyhow::Ok(())
        };
        let is_answered = called.await.is_ok() && !answer.is_empty();
        let is_recorded = answer.starts_with("HTTP/1.1 200 ");
        let is_to_come_back = answer.contains("OVERLOADED");
        anyhow::ensure!(
            is_recorded || is_to_come_back || !is_answered,
            "refused: {answer}"
        );
        Ok(is_recorded)
    })
    .await
}

#[tokio::test]
async fn filings_go_on_while_the_city_goes_over_and_none_is_counted_twice() -> anyhow::Result<()> {
    let mut stage = working_city().await?;
    hand_in(&stage.agents[0], &declaration(0)).await?;
    stage.bureau.run(&["token-key", "rotate"]).await?;
    next_tokens_are_here(&stage).await?;
    stage.agents[1].stop().await?;

    let handed_in = AtomicU32::new(1);
    let handing_in = async {
        // Behind the change for a while as well: who has one key in hand meets a hub of the other.
        while key_of(&stage.agents[0]).await? == 1 {
            let number = handed_in.fetch_add(1, Ordering::Relaxed);
            hand_in(&stage.agents[0], &declaration(number)).await?;
        }
        anyhow::Ok(())
    };
    let (done, retired) = tokio::join!(handing_in, retire(&stage));
    done?;
    retired?.map_err(anyhow::Error::msg)?;

    // Of what came before the change the relative is known again once it is handed in again.
    let outdated = "SELECT count(*) FROM recusal WHERE outdated";
    assert!(stage.ask(outdated).await? > 0);
    let handed_in = handed_in.into_inner();
    for number in 0..handed_in {
        hand_in(&stage.agents[0], &declaration(number)).await?;
    }
    assert_eq!(stage.ask(outdated).await?, 0);

    // An agent that does not run has had the key since the change began.
    assert_eq!(key_of(&stage.agents[1]).await?, 1);
    let file = stage.agents[1].data_dir().join("filing.json");
    fs::write(&file, declaration(handed_in).to_string())?;
    let answer = stage.agents[1]
        .run(&["file", &file.to_string_lossy()])
        .await?;
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let filings = "SELECT count(*) FROM filing WHERE kind = 'recusal'";
    assert_eq!(stage.ask(filings).await?, i64::from(handed_in) + 1);
    stage.close().await
}
