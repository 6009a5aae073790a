//! Whatever happens to the file, what the check calls sound reads as it was written, and mending keeps the rest.

use std::fs;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rusqlite::Connection;
use rusqlite::types::Value;

use super::*;
use crate::outbox::{Checkup, check, mend, seal};

const SEEDS: u64 = 1000;

/// Sixty cases of nearly a kilobyte, in the middle of a change of the token key, so that most of the file is theirs, and a row that is none.
fn read_from_source() -> Vec<Entry> {
    let mut entries: Vec<_> = (0..60).map(|n| case(&format!("c{n}"), n)).collect();
    for entry in &mut entries {
        if let Entry::Case(case) = entry {
            case.notary_name = "公证员".repeat(60);
            case.next_tokens = Some(wire::NextTokens {
                key_id: 2,
                subjects: vec![vec![7; 16]; 20],
                ..wire::NextTokens::default()
            });
        }
    }
    entries.push(rejected("bad", "sql:cases:7", "99-99"));
    entries
}

/// An outbox with something in every table, closed.
async fn written() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE);
    let outbox = Outbox::open(&path).expect("opened");
    outbox.ask_next_key(Some(2)).await.expect("noted");
    let entries = read_from_source();
    let cursor = Some(Cursor("2024-03-01 08:00:00|c59".to_owned()));
    outbox
        .append(&source(), entries, cursor)
        .await
        .expect("appended");
    outbox.set_hub_epoch("hub-1").await.expect("set");
    let refused = wire::RecordReject {
        sequence: 3,
        source_case_id: "c2".to_owned(),
        rule_id: "CASE_NO_TAKEN".to_owned(),
        ..wire::RecordReject::default()
    };
    outbox.offer().await.expect("offered");
    outbox.acked(20, vec![refused]).await.expect("acked");
    let notice = wire::Notice {
        notice_id: "n1".to_owned(),
        text_zh: "另一公证处已受理".to_owned(),
        ..wire::Notice::default()
    };
    outbox.keep_notice(notice).await.expect("kept");
    drop(outbox);
    flushed(&path);
    (folder, path)
}

/// Waits for the outbox's thread to have let go of the file, and has everything in it.
fn flushed(path: &Path) {
    let connection = Connection::open(path).expect("opened");
    connection
        .busy_timeout(std::time::Duration::from_secs(10))
        .expect("set");
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .expect("flushed");
    connection.close().expect("closed");
}

/// Everything in the file but the seals; `None` when it cannot be read.
fn contents(path: &Path) -> Option<Vec<Vec<Value>>> {
    let connection = check::open(path).ok()?;
    let mut all = Vec::new();
    for table in seal::TABLES {
        let sql = format!(
            "SELECT {} FROM {} ORDER BY {}",
            table.columns(),
            table.name,
            table.key()
        );
        let mut statement = connection.prepare(&sql).ok()?;
        let columns = statement.column_count();
        let mut rows = statement.query([]).ok()?;
        while let Some(row) = rows.next().ok()? {
            let row: Result<_, _> = (0..columns).map(|column| row.get(column)).collect();
            all.push(row.ok()?);
        }
    }
    Some(all)
}

#[tokio::test]
async fn what_the_check_calls_sound_reads_as_it_was_written() {
    let (folder, path) = written().await;
    let before = contents(&path).expect("sound");
    let sound = fs::read(&path).expect("read");
    let checkup = Checkup::of(&path).expect("checked").expect("there");
    assert!(checkup.is_sound(), "{checkup:?}");
    assert_eq!(checkup.entries, 61);
    let place = folder.path().join("flipped.sqlite");
    let mut found = 0;
    for seed in 0..SEEDS {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut bytes = sound.clone();
        let at = dice.random_range(0..bytes.len());
        bytes[at] ^= 1 << dice.random_range(0..8);
        fs::write(&place, &bytes).expect("written");
        let sound = match Checkup::of(&place) {
            Ok(checkup) => checkup.expect("there").is_sound(),
            Err(_) => false,
        };
        found += u64::from(!sound);
        if sound {
            let after = contents(&place);
            assert_eq!(after.as_ref(), Some(&before), "seed {seed}, byte {at}");
        }
    }
    assert!(found > SEEDS / 2, "only {found} flips met anything written");
}

/// Changes a value behind SQLite's back.
fn spoil(path: &Path, from: &[u8], to: &[u8]) {
    let mut bytes = fs::read(path).expect("read");
    let places: Vec<_> = (0..bytes.len() - from.len())
        .filter(|&at| bytes[at..].starts_with(from))
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    fs::write(path, bytes).expect("written");
}

fn record_of(id: &str, fee: i64) -> Vec<u8> {
    use prost::Message;
    let Entry::Case(case) = case(id, fee) else {
        panic!("a case")
    };
    // Up to the revision, which the outbox gave.
    case.encode_to_vec()[..id.len() + 2].to_vec()
}

#[tokio::test]
async fn a_damaged_record_is_named_to_the_hub_and_holds_up_nothing() {
    let (_folder, path) = written().await;
    let mut other = record_of("c33", 33);
    let whole = other.clone();
    *other.last_mut().expect("not empty") = b'x';
    spoil(&path, &whole, &other);
    let outbox = Outbox::open(&path).expect("its structure is sound");
    let window = outbox.read(33, 3, usize::MAX).await.expect("read");
    let ids: Vec<_> = window.records.iter().map(|r| told(r).0).collect();
    assert_eq!(ids, ["c32", "outbox:34", "c34"]);
    let Some(wire::record::Payload::Rejected(rejected)) = &window.records[1].payload else {
        panic!("no reject");
    };
    assert_eq!(rejected.rule_id, "OUTBOX_DAMAGED");
    assert_eq!(rejected.source_case_id, "c33");
}

#[tokio::test]
async fn a_record_that_is_missing_is_named_with_what_mends_it() {
    let (_folder, path) = written().await;
    let connection = Connection::open(&path).expect("opened");
    connection
        .execute("DELETE FROM entry WHERE position = 33", [])
        .expect("gone");
    drop(connection);
    let outbox = Outbox::open(&path).expect("its structure is sound");
    let window = outbox.read(31, 9, usize::MAX).await.expect("read");
    assert_eq!((window.records.len(), window.behind), (2, 29));
    let error = outbox.read(33, 9, usize::MAX).await.expect_err("a hole");
    assert!(matches!(error, OutboxError::Missing { sequence: 33 }));
    assert!(error.to_string().contains("outbox check --mend"), "{error}");
    drop(outbox);
    flushed(&path);
    let mended = mend(&path, OffsetDateTime::now_utc()).expect("mended");
    assert_eq!(mended.expect("there was damage").kept, 60);
    let outbox = Outbox::open(&path).expect("opened");
    assert_eq!(
        outbox.read(1, 99, usize::MAX).await.expect("read").behind,
        0
    );
}

#[tokio::test]
async fn mending_keeps_what_is_sound_and_has_the_rest_read_again() {
    let (_folder, path) = written().await;
    let mut other = record_of("c33", 33);
    let whole = other.clone();
    *other.last_mut().expect("not empty") = b'x';
    spoil(&path, &whole, &other);
    let before = Outbox::open(&path).expect("opened");
    let epoch = before.position().await.expect("read").epoch;
    drop(before);
    flushed(&path);
    let mended = mend(&path, OffsetDateTime::now_utc())
        .expect("mended")
        .expect("there was damage");
    assert_eq!((mended.kept, mended.to_read_again.len()), (60, 1));
    assert_eq!(mended.to_read_again, ["c33"]);
    assert!(mended.aside.join(FILE).exists(), "nothing is thrown away");
    let checkup = Checkup::of(&path).expect("checked").expect("there");
    assert!(checkup.is_sound(), "{checkup:?}");

    let outbox = Outbox::open(&path).expect("opened");
    let position = outbox.position().await.expect("read");
    assert!(position.epoch > epoch);
    assert_eq!(
        (position.first_kept, position.last, position.acked),
        (1, 60, 0)
    );
    assert_eq!(outbox.cursor(&source()).await.expect("read"), None);
    let summary = outbox.summary().await.expect("read");
    assert_eq!((summary.rejects_open, summary.notices.len()), (1, 1));
    // The source brings everything again: one record is missing, one refusal is found again.
    let entries = read_from_source();
    let again = outbox.append(&source(), entries, None).await;
    let done = again.expect("taken");
    let stored: Vec<_> = (0..61)
        .filter(|&n| done[n] == Disposition::Stored)
        .collect();
    assert_eq!(stored, [33, 60]);
    let nothing = mend(&path, OffsetDateTime::now_utc()).expect("checked");
    assert_eq!(nothing, None);
}

#[tokio::test]
async fn mending_keeps_the_token_key_that_the_records_are_under() {
    let (_folder, path) = written().await;
    let outbox = Outbox::open(&path).expect("opened");
    outbox.go_over(2).await.expect("gone over");
    drop(outbox);
    flushed(&path);
    let mut other = record_of("c33", 33);
    let whole = other.clone();
    *other.last_mut().expect("not empty") = b'x';
    spoil(&path, &whole, &other);
    let mended = mend(&path, OffsetDateTime::now_utc()).expect("mended");
    assert_eq!(mended.expect("there was damage").kept, 60);
    let outbox = Outbox::open(&path).expect("opened");
    // Under the first key the agent would go over again, and every record that waits would lose its tokens.
    assert_eq!(outbox.token_key().await.expect("read"), 2);
}

#[tokio::test]
async fn mending_survives_any_damage_and_being_cut_short() {
    let (folder, path) = written().await;
    let sound = fs::read(&path).expect("read");
    for seed in 0..24 {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut bytes = sound.clone();
        // A torn page, or the end cut off.
        let at = dice.random_range(0..bytes.len() / 512) * 512;
        match seed % 3 {
            0 => bytes.truncate(at),
            _ => bytes[at..at + 512].fill(dice.random()),
        }
        fs::write(&path, &bytes).expect("written");
        let Ok(Some(_)) = mend(&path, OffsetDateTime::now_utc()) else {
            let checkup = Checkup::of(&path).expect("checked").expect("there");
            assert!(checkup.is_sound(), "seed {seed}: {checkup:?}");
            continue;
        };
        // Cut short between the two renamings, an opening ends it.
        fs::rename(&path, path.with_extension("mended")).expect("renamed");
        let outbox = Outbox::open(&path).expect("opened");
        let summary = outbox.summary().await.expect("read");
        assert!(summary.last_sequence <= 61, "seed {seed}");
        let all = outbox.read(1, 100, usize::MAX).await.expect("read").records;
        for record in &all {
            let (id, fee) = told(record);
            assert!(
                fee == -1 || id == format!("c{fee}"),
                "seed {seed}: {id} {fee}"
            );
        }
        drop(outbox);
        flushed(&path);
    }
    drop(folder);
}

#[tokio::test]
async fn mending_keeps_what_is_known_of_cases_that_a_mending_before_has_no_record_of() {
    let (_folder, path) = written().await;
    let connection = Connection::open(&path).expect("opened");
    seal::teach(&connection).expect("taught");
    connection
        .execute_batch(
            "DELETE FROM entry WHERE position IN (1, 33);
             UPDATE known_case SET position = NULL WHERE source_case_id = 'c0'",
        )
        .expect("as a mending leaves it");
    drop(connection);
    let mended = mend(&path, OffsetDateTime::now_utc()).expect("mended");
    assert_eq!(mended.expect("there was damage").to_read_again, ["c32"]);
    let outbox = Outbox::open(&path).expect("opened");
    let done = outbox
        .append(&source(), read_from_source(), None)
        .await
        .expect("taken");
    assert_eq!(
        (done[0], done[32]),
        (Disposition::Unchanged, Disposition::Stored)
    );
}
