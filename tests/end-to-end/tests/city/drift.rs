//! Whatever the hub lacks or has otherwise than it was handed over is found, is a number, and heals: from what the
//! outbox keeps, or else from the office's own system.

use std::collections::HashMap;

use office_agent::outbox::{self, Outbox};
use sandbox::poll::{PATIENCE, holds};
use serde_json::Value;
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};

use crate::support::{FLAT, Stage, TABLES};

/// A way in which the two sides come to differ in a case.
#[derive(Clone, Copy, Debug)]
enum Drift {
    /// The hub has none of it.
    Missing,
    /// The hub has an older revision with older content.
    Behind,
    /// The hub has other content under the same revision.
    Differing,
    /// The hub takes it for withdrawn.
    Withdrawn,
    /// The hub's revision is one that the office has not given yet.
    Ahead,
    /// The outbox does not know the case.
    Extra,
}

/// A hundred.
const DRIFTS: [(Drift, i64); 6] = [
    (Drift::Missing, 30),
    (Drift::Behind, 20),
    (Drift::Differing, 15),
    (Drift::Withdrawn, 15),
    (Drift::Ahead, 10),
    (Drift::Extra, 10),
];

/// Names the cases of each drift, always the same ones for a seed.
async fn draw(pool: &PgPool, seed: u32) -> anyhow::Result<()> {
    let table = format!(
        "CREATE TABLE drawn AS
         SELECT office_id, source_case_id, row_number() OVER (ORDER BY md5(office_id || source_case_id || {seed})) AS nth
           FROM case_record"
    );
    sqlx::query(sqlx::AssertSqlSafe(table))
        .execute(pool)
        .await?;
    Ok(())
}

/// Spoils the hub's tables behind everybody's back; what the outboxes are to forget comes back, by office.
async fn spoil(pool: &PgPool, seed: u32) -> anyhow::Result<HashMap<String, Vec<String>>> {
    draw(pool, seed).await?;
    let (mut behind, mut forgotten) = (0, HashMap::<String, Vec<String>>::new());
    for (drift, count) in DRIFTS {
        let of_drift = format!("nth > {behind} AND nth <= {}", behind + count);
        behind += count;
        let change = match drift {
            Drift::Missing => {
                take_away(pool, &of_drift).await?;
                continue;
            }
            Drift::Extra => {
                let drawn = format!("SELECT office_id, source_case_id FROM drawn WHERE {of_drift}");
                let drawn: Vec<(String, String)> = sqlx::query_as(sqlx::AssertSqlSafe(drawn))
                    .fetch_all(pool)
                    .await?;
                for (office, case) in drawn {
                    forgotten.entry(office).or_default().push(case);
                }
                continue;
            }
            Drift::Behind => "revision = c.revision - 1, fee_charged_fen = 1",
            Drift::Differing => "fee_charged_fen = 1",
            Drift::Withdrawn => "state = 'withdrawn'",
            Drift::Ahead => "revision = c.revision + 1, fee_charged_fen = 1",
        };
        let changed = format!(
            "UPDATE case_record c SET content_hash = decode(md5(c.source_case_id), 'hex'), {change}
               FROM drawn d
              WHERE (d.office_id, d.source_case_id) = (c.office_id, c.source_case_id) AND {of_drift}"
        );
        let done = sqlx::query(sqlx::AssertSqlSafe(changed))
            .execute(pool)
            .await?;
        assert_eq!(done.rows_affected(), count.unsigned_abs(), "{drift:?}");
    }
    sqlx::query("DROP TABLE drawn").execute(pool).await?;
    Ok(forgotten)
}

async fn take_away(pool: &PgPool, of_drift: &str) -> anyhow::Result<()> {
    for table in [
        "case_record",
        "case_history",
        "party",
        "subject",
        "matter_key",
        "quality_finding",
    ] {
        let gone = format!(
            "DELETE FROM {table} WHERE (office_id, source_case_id) IN
                 (SELECT office_id, source_case_id FROM drawn WHERE {of_drift})"
        );
        sqlx::query(sqlx::AssertSqlSafe(gone)).execute(pool).await?;
    }
    Ok(())
}

/// What the outboxes still have when the drift is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Records,
    /// It was long ago.
    Nothing,
}

/// Makes the outboxes of agents that stand still forget.
async fn forget(
    stage: &Stage,
    cases: &HashMap<String, Vec<String>>,
    kept: Kept,
) -> anyhow::Result<()> {
    for agent in &stage.agents {
        let file = agent.data_dir().join(outbox::FILE);
        if kept == Kept::Nothing {
            let later = OffsetDateTime::now_utc() + Duration::days(40);
            let outbox = Outbox::open_with_clock(&file, std::sync::Arc::new(move || later))?;
            outbox.trim(Duration::days(30)).await?;
            let position = outbox.position().await?;
            assert!(position.first_kept > position.last, "all was acknowledged");
        }
        let outbox = rusqlite::Connection::open(&file)?;
        for case in cases.get(agent.office_id()).into_iter().flatten() {
            let gone =
                outbox.execute("DELETE FROM known_case WHERE source_case_id = ?1", [case])?;
            assert_eq!(gone, 1);
        }
    }
    Ok(())
}

/// What the agents find, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    cases: i64,
    missing: i64,
    differing: i64,
    only_at_hub: i64,
    resent: i64,
    to_read_again: i64,
}

impl Found {
    fn drifts(self) -> i64 {
        self.missing + self.differing + self.only_at_hub
    }
}

async fn compared(stage: &Stage) -> anyhow::Result<Found> {
    let mut sum = Found::default();
    for agent in &stage.agents {
        let answer = agent.run(&["reconcile", "--json"]).await?;
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        let found: Value = answer.json()?;
        let number = |name: &str| found[name].as_i64().unwrap_or_else(|| panic!("{found}"));
        sum.cases += number("cases");
        sum.missing += number("missing");
        sum.differing += number("differing");
        sum.only_at_hub += number("only_at_hub");
        sum.resent += number("resent");
        sum.to_read_again += number("to_read_again");
    }
    Ok(sum)
}

/// The hub holds what the offices hold. Not `settled`: what vanished from the tables has not left the figures, and what
/// was changed has a history.
async fn nothing_is_lost(stage: &mut Stage) -> anyhow::Result<()> {
    holds("the offices' cases are at the hub", PATIENCE, async || {
        Ok(stage.reckon().await?.lost() == 0)
    })
    .await
}

/// Compares until the two sides hold the same, by the agents' and by the hub's account.
async fn heals(stage: &mut Stage) -> anyhow::Result<()> {
    let mut last = Found::default();
    let healed = holds("the differences are healed", PATIENCE, async || {
        last = compared(stage).await?;
        Ok(last.drifts() == 0)
    })
    .await;
    assert!(healed.is_ok(), "{healed:?}: {last:?}");
    nothing_is_lost(stage).await?;
    let told = "SELECT count(*) FROM sync_position WHERE compared_at IS NOT NULL
                AND drift_missing + drift_differing + drift_only_at_hub = 0";
    assert_eq!(stage.ask(told).await?, 2);
    let spoilt = "SELECT count(*) FROM case_record WHERE fee_charged_fen = 1";
    assert_eq!(stage.ask(spoilt).await?, 0);
    Ok(())
}

/// A hundred drifts at two offices: one's system counts revisions, the other's does not.
async fn a_hundred_drifts(seed: u32, kept: Kept) -> anyhow::Result<()> {
    let mut stage = Stage::set(900, &[TABLES, FLAT]).await?;
    stage.start_agents()?;
    stage.settled().await?;
    let pool = stage.bureau.database().await?;
    let cases = stage.ask("SELECT count(*) FROM case_record").await?;
    // What was acknowledged last may not have been noted yet.
    holds("nothing differs", PATIENCE, async || {
        let sound = compared(&stage).await?;
        Ok(sound.cases == cases && sound.drifts() == 0)
    })
    .await?;

    for agent in &mut stage.agents {
        agent.stop().await?;
    }
    let forgotten = spoil(&pool, seed).await?;
    forget(&stage, &forgotten, kept).await?;
    let found = compared(&stage).await?;
    assert_eq!((found.missing, found.differing), (30, 60), "{found:?}");
    assert_eq!(found.only_at_hub, 10, "{found:?}");
    let expected = match kept {
        Kept::Records => (90, 0),
        Kept::Nothing => (0, 90),
    };
    assert_eq!((found.resent, found.to_read_again), expected);
    let told = "SELECT sum(drift_missing + drift_differing + drift_only_at_hub)::bigint FROM sync_position";
    assert_eq!(stage.ask(told).await?, 100);

    stage.start_agents()?;
    heals(&mut stage).await?;
    assert_eq!(stage.ask("SELECT count(*) FROM case_record").await?, cases);
    // Whatever was raised does not stand in the way of what the office changes next.
    assert!(stage.town.live_on().await? > 0);
    nothing_is_lost(&mut stage).await?;
    let conflicts =
        "SELECT count(*) FROM reject WHERE rule_id IN ('REVISION_CONFLICT', 'STORE_REFUSED')";
    assert_eq!(stage.ask(conflicts).await?, 0);
    stage.close().await
}

#[tokio::test]
async fn a_hundred_drifts_are_found_told_and_healed_from_what_the_outbox_keeps()
-> anyhow::Result<()> {
    a_hundred_drifts(1, Kept::Records).await
}

#[tokio::test]
async fn a_hundred_drifts_of_which_the_outbox_keeps_nothing_heal_from_the_sources()
-> anyhow::Result<()> {
    a_hundred_drifts(2, Kept::Nothing).await
}
