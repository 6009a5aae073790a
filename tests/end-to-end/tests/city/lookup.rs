//! A notary asks before accepting.

use linkage::vocabulary::PartyRole;
use sandbox::{Answer, Inquiry};
use serde_json::Value;

use crate::support::{FLAT, LOGIN, PASSWORD, Stage, TABLES, case_elsewhere};

/// Two offices whose cases are at the hub, and a notary of the first.
async fn with_a_notary() -> anyhow::Result<Stage> {
    let mut stage = Stage::set(1_200, &[TABLES, FLAT]).await?;
    stage.add_notary().await?;
    stage.start_agents()?;
    stage.settled().await?;
    Ok(stage)
}

async fn ask(stage: &Stage, inquiry: &Inquiry) -> anyhow::Result<Answer> {
    stage.agents[0].check(inquiry, LOGIN, PASSWORD).await
}

fn hits(answer: &Answer) -> anyhow::Result<Vec<Value>> {
    let hits = answer.json()?["hits"].take();
    Ok(serde_json::from_value(hits)?)
}

#[tokio::test]
async fn check_ends_with_0_for_nothing_10_for_something_and_1_without_an_answer()
-> anyhow::Result<()> {
    let mut stage = with_a_notary().await?;
    let nothing = ask(&stage, &Inquiry::about_a_stranger("mandate")).await?;
    assert_eq!(nothing.code, Some(0), "{}", nothing.err);
    assert_eq!(hits(&nothing)?, Vec::<Value>::new());
    assert!(nothing.json()?["receipt"]["audit_entry"].as_u64().is_some());

    let case = case_elsewhere(&stage, |case| case.matter_type.code() == "mandate");
    let something = ask(&stage, &Inquiry::about(&case)).await?;
    assert_eq!(something.code, Some(10), "{}", something.err);
    let office = stage.agents[1].office_id();
    let found = hits(&something)?;
    assert!(
        found.iter().any(|hit| hit["office_id"] == office),
        "{found:?}"
    );
    for party in &case.parties {
        assert!(!something.out.contains(&party.name), "names are masked");
    }

    let wrong = stage.agents[0]
        .check(&Inquiry::about(&case), LOGIN, "wrong")
        .await?;
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.err.contains("SIGN_IN_REFUSED"), "{}", wrong.err);
    let entries = "SELECT count(*) FROM audit_entry WHERE outcome IN ('hit', 'no_hit')";
    assert_eq!(stage.ask(entries).await?, 2, "each answer has its entry");

    stage.bureau.close().await?;
    let silence = ask(&stage, &Inquiry::about(&case)).await?;
    assert_eq!(silence.code, Some(1));
    assert!(
        silence.err.contains("the hub cannot be reached"),
        "{}",
        silence.err
    );
    stage.close().await
}

#[tokio::test]
async fn a_will_stays_sealed_until_its_testators_estate_is_at_stake() -> anyhow::Result<()> {
    let stage = with_a_notary().await?;
    let will = case_elsewhere(&stage, |case| {
        case.matter_type.code() == "will"
            && case
                .parties
                .iter()
                .any(|party| party.role == PartyRole::Testator)
    });
    let is_will = |hit: &Value| hit["matter_type"] == "will";

    let mandate = ask(&stage, &Inquiry::about(&will).for_matter("mandate")).await?;
    assert!(matches!(mandate.code, Some(0 | 10)), "{}", mandate.err);
    assert!(!hits(&mandate)?.iter().any(is_will), "{}", mandate.out);

    let estate = ask(&stage, &Inquiry::about(&will).for_matter("inheritance")).await?;
    assert_eq!(estate.code, Some(10), "{}", estate.err);
    assert!(hits(&estate)?.iter().any(is_will), "{}", estate.out);
    stage.close().await
}
