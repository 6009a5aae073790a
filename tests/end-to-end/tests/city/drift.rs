//! Whatever the hub lacks or has otherwise than it was handed over is found, is a number, and heals.

use sandbox::poll::{PATIENCE, holds};
use serde_json::Value;
use sqlx::PgPool;

use crate::support::{FLAT, Stage};

const MISSING: i64 = 40;
const OLDER: i64 = 40;
const OTHERWISE: i64 = 20;

/// Takes cases away and changes others, behind everybody's back; always the same ones.
async fn spoil(pool: &PgPool) -> anyhow::Result<()> {
    sqlx::query(
        "CREATE TABLE spoilt AS
         SELECT source_case_id, row_number() OVER (ORDER BY md5(source_case_id)) AS nth FROM case_record",
    )
    .execute(pool)
    .await?;
    for table in [
        "case_record",
        "case_history",
        "party",
        "subject",
        "matter_key",
        "quality_finding",
    ] {
        let gone = format!(
            "DELETE FROM {table} WHERE source_case_id IN (SELECT source_case_id FROM spoilt WHERE nth <= {MISSING})"
        );
        sqlx::query(sqlx::AssertSqlSafe(gone)).execute(pool).await?;
    }
    let (older, otherwise) = (MISSING + OLDER, MISSING + OLDER + OTHERWISE);
    let changed = format!(
        "UPDATE case_record c SET content_hash = decode(md5(c.source_case_id), 'hex'), fee_charged_fen = 1,
                revision = c.revision - CASE WHEN nth <= {older} THEN 1 ELSE 0 END
           FROM spoilt s WHERE s.source_case_id = c.source_case_id AND nth > {MISSING} AND nth <= {otherwise}"
    );
    sqlx::query(sqlx::AssertSqlSafe(changed))
        .execute(pool)
        .await?;
    sqlx::query("DROP TABLE spoilt").execute(pool).await?;
    Ok(())
}

async fn compared(stage: &mut Stage) -> anyhow::Result<Value> {
    let answer = stage.agent().run(&["reconcile", "--json"]).await?;
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    answer.json()
}

/// Compares until the two sides hold the same, by the agent's and by the hub's account.
async fn heals(stage: &mut Stage) -> anyhow::Result<()> {
    holds("the differences are healed", PATIENCE, async || {
        // Not `settled`: what vanished from the tables has not left the figures, and what was changed has a history.
        if stage.reckon().await?.lost() > 0 {
            return Ok(false);
        }
        let drift = compared(stage).await?;
        Ok(drift["missing"] == 0 && drift["differing"] == 0 && drift["only_at_hub"] == 0)
    })
    .await?;
    let told = "SELECT count(*) FROM sync_position WHERE compared_at IS NOT NULL
                AND drift_missing + drift_differing + drift_only_at_hub = 0";
    assert_eq!(stage.ask(told).await?, 1);
    let spoilt = "SELECT count(*) FROM case_record WHERE fee_charged_fen = 1";
    assert_eq!(stage.ask(spoilt).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_hundred_drifts_are_found_told_and_healed_from_what_the_outbox_keeps()
-> anyhow::Result<()> {
    let mut stage = Stage::set(600, &[FLAT]).await?;
    stage.start_agents()?;
    stage.settled().await?;
    let pool = stage.bureau.database().await?;
    let sound = compared(&mut stage).await?;
    let cases = stage.ask("SELECT count(*) FROM case_record").await?;
    assert_eq!(sound["cases"], cases);
    assert_eq!(
        (&sound["missing"], &sound["differing"]),
        (&0.into(), &0.into())
    );

    spoil(&pool).await?;
    let found = compared(&mut stage).await?;
    assert_eq!(found["missing"], MISSING);
    assert_eq!(found["differing"], OLDER + OTHERWISE);
    assert_eq!(found["resent"], MISSING + OLDER + OTHERWISE);
    let told = "SELECT drift_missing * 1000 + drift_differing FROM sync_position";
    assert_eq!(stage.ask(told).await?, MISSING * 1000 + OLDER + OTHERWISE);
    heals(&mut stage).await?;

    assert_eq!(stage.ask("SELECT count(*) FROM case_record").await?, cases);
    stage.close().await
}
