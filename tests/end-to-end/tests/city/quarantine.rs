//! One bad record never holds the others.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use sandbox::poll::{PATIENCE, holds};

use crate::support::{CSV, FLAT, Stage};

#[tokio::test]
async fn a_poison_record_is_named_the_others_go_on_and_correcting_it_resends_it()
-> anyhow::Result<()> {
    let mut stage = Stage::set(900, &[FLAT]).await?;
    stage.start_agents()?;
    stage.settled().await?;
    let system = Connection::open(stage.town.home(FLAT).join("cases.db"))?;
    let sound = {
        let mut cases = stage
            .town
            .city()
            .cases(FLAT)
            .filter(|case| case.flaw.is_none());
        [cases.next().unwrap(), cases.next().unwrap()].map(|case| case.source_case_id)
    };
    let [poisoned, neighbour] = &sound;
    let fee: String =
        system.query_row("SELECT SF FROM GZ_AJ WHERE AJBH = ?1", [poisoned], |row| {
            row.get(0)
        })?;
    let change = |case: &str, fee: &str, at: &str| {
        system.execute(
            "UPDATE GZ_AJ SET SF = ?2, GXSJ = ?3 WHERE AJBH = ?1",
            [case, fee, at],
        )
    };

    change(poisoned, "壹佰元整\u{7}", "2025-02-01 09:00:00")?;
    change(neighbour, "777", "2025-02-01 09:00:01")?;
    holds("the neighbour went on", PATIENCE, async || {
        let changed = stage.ask("SELECT count(*) FROM case_record WHERE fee_charged_fen = 777");
        Ok(changed.await? == 1)
    })
    .await?;
    let refused = stage.agent().status().await?.refused();
    let named = refused
        .iter()
        .find(|reject| &reject.record_key == poisoned)
        .expect("the agent names it");
    assert_eq!(
        (named.rule_id.as_str(), named.field.as_str()),
        ("NUMBER_ILLEGAL", "fee_charged")
    );
    let at_hub = "SELECT count(*) FROM reject WHERE rule_id = 'NUMBER_ILLEGAL' AND field = 'fee_charged' \
                  AND resolved_at IS NULL AND first_seen_at = last_seen_at";
    assert!(stage.ask(at_hub).await? > 0, "so does the hub");

    change(poisoned, &fee, "2025-02-01 09:00:02")?;
    change(neighbour, "778", "2025-02-01 09:00:03")?;
    holds("it is cleared", PATIENCE, async || {
        let refused = stage.agent().status().await?.refused();
        Ok(!refused.iter().any(|reject| &reject.record_key == poisoned))
    })
    .await?;
    stage.close().await
}

#[tokio::test]
async fn a_broken_line_that_is_mended_leaves_no_refusal_behind() -> anyhow::Result<()> {
    const OPEN: &str =
        "SELECT count(*) FROM reject WHERE rule_id = 'ROW_MALFORMED' AND resolved_at IS NULL";
    let mut stage = Stage::set(900, &[CSV]).await?;
    stage.start_agents()?;
    stage.settled().await?;
    let before = stage.ask(OPEN).await?;
    let export = fs::read_dir(stage.town.home(CSV).join("export"))?;
    let file = export.flatten().next().expect("a file is exported").path();
    let sound = fs::read(&file)?;

    // A line that says no key: nothing but its place tells which record it was.
    replace(&file, &with_third_line_cut(&sound))?;
    holds("the hub names the line", PATIENCE, async || {
        Ok(stage.ask(OPEN).await? == before + 1)
    })
    .await?;
    replace(&file, &sound)?;
    holds("the refusal is settled", PATIENCE, async || {
        Ok(stage.ask(OPEN).await? == before)
    })
    .await?;
    stage.settled().await?;
    stage.close().await
}

/// The same lines with one of them cut short.
fn with_third_line_cut(file: &[u8]) -> Vec<u8> {
    let lines = file.split_inclusive(|byte| *byte == b'\n');
    lines
        .enumerate()
        .flat_map(|(number, line)| match number {
            2 => b"cut short\r\n".as_slice(),
            _ => line,
        })
        .copied()
        .collect()
}

/// As an export program does it well: written beside, then renamed.
fn replace(file: &Path, content: &[u8]) -> std::io::Result<()> {
    let beside = file.with_extension("tmp");
    fs::write(&beside, content)?;
    fs::rename(beside, file)
}
