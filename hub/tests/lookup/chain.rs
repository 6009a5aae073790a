//! The log behind the answers.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;
use notary_hub::audit::{Action, Actor, Audit, Break, Entry, Fault, Outcome, checkpoint, key_file};
use notary_hub::store;
use notary_proto::hub::v1::{Party, PartyRole};
use serde_json::json;
use sqlx::{AssertSqlSafe, PgPool};
use tokio_util::sync::CancellationToken;

use crate::notary::{Counter, about, thing, who};
use crate::record::{case, person};
use crate::support::hub::reason;

/// What stands before everything: the office was enrolled.
const ENROLLED: i64 = 1;

#[tokio::test]
async fn a_receipt_proves_the_entry_it_speaks_of_by_itself() {
    let counter = Counter::open().await;
    let there = case("A").matter("mandate").parties(vec![Party {
        name: "欧阳询".to_owned(),
        ..person(PartyRole::Principal, 1)
    }]);
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![there])
        .await;
    let question = about(
        "mandate",
        vec![who(PartyRole::Principal, 1)],
        vec![thing(2)],
    );
    let receipts = [
        counter.answer(question.clone()).await.receipt.unwrap(),
        counter.answer(question).await.receipt.unwrap(),
    ];
    let log = counter.log().await;
    let key = counter.key();
    for (receipt, entry) in receipts.iter().zip(&log) {
        assert_eq!(receipt.audit_entry, u64::try_from(entry.entry_no).unwrap());
        assert_eq!(receipt.leaf_hash, entry.hash());
        let recorded_at = receipt.recorded_at.unwrap();
        assert_eq!(recorded_at.seconds, entry.recorded_at.unix_timestamp());
        let checkpoint = checkpoint::open(&receipt.checkpoint, &key).unwrap();
        let path: Vec<[u8; 32]> = receipt
            .inclusion_path
            .iter()
            .map(|hash| hash.as_slice().try_into().unwrap())
            .collect();
        let head = checkpoint.head;
        assert!(head.includes(&entry.leaf(), receipt.leaf_index, &path));
    }

    let entry = &log[0];
    assert_eq!(entry.action, "lookup.check_application");
    assert_eq!(entry.outcome, "hit");
    assert_eq!(entry.case_reference.as_deref(), Some("2024-接-1"));
    assert_eq!(entry.detail["parties"][0]["token"], "01".repeat(16));
    assert_eq!(entry.detail["told"][0][0], "xiaoshan");
    assert!(!entry.detail.to_string().contains("欧"), "no name");
    let verification = counter.verify().await;
    assert_eq!(
        (verification.through, verification.broken),
        (ENROLLED + 2, None)
    );
}

#[tokio::test]
async fn many_look_ups_at_once_make_one_log_without_a_gap() {
    let counter = Counter::open().await;
    let asked = (0..64).map(|number| {
        counter.answer(about(
            "mandate",
            vec![who(PartyRole::Principal, number)],
            vec![],
        ))
    });
    let answers = join_all(asked).await;
    let entries: HashSet<u64> = answers
        .iter()
        .map(|answer| answer.receipt.as_ref().unwrap().audit_entry)
        .collect();
    let first = ENROLLED.unsigned_abs() + 1;
    assert_eq!(entries, (first..first + 64).collect());
    let verification = counter.verify().await;
    assert_eq!(
        (verification.through, verification.broken),
        (ENROLLED + 64, None)
    );
}

#[tokio::test]
async fn two_hubs_write_one_log() {
    let counter = Counter::open().await;
    let pool = store::pool::audit(&counter.hub.db.url).unwrap();
    let key = Arc::new(key_file::load_or_make(&counter.hub.keys.config).unwrap());
    let (elsewhere, log) = Audit::new(pool, key);
    let stop = CancellationToken::new();
    let writing = tokio::spawn(log.run(stop.clone()));
    let entry = || Entry {
        actor: Actor::Nobody,
        office_id: None,
        action: Action::SignIn,
        outcome: Outcome::Denied,
        purpose: None,
        case_reference: None,
        detail: json!({}),
    };
    for _ in 0..20 {
        let here = (0..4).map(|number| {
            counter.answer(about(
                "mandate",
                vec![who(PartyRole::Principal, number)],
                vec![],
            ))
        });
        let there = (0..4).map(|_| elsewhere.append(entry()));
        let (_, receipts) = tokio::join!(join_all(here), join_all(there));
        assert!(receipts.iter().all(Result::is_ok), "{receipts:?}");
    }
    stop.cancel();
    writing.await.unwrap();
    let verification = counter.verify().await;
    assert_eq!(
        (verification.through, verification.broken),
        (ENROLLED + 160, None)
    );
    assert!(
        elsewhere.append(entry()).await.is_err(),
        "nobody writes any more"
    );
}

/// As somebody who owns the database could.
async fn tamper(pool: &PgPool, sql: &'static str) {
    let sql = format!(
        "ALTER TABLE audit_entry DISABLE TRIGGER USER; {sql}; ALTER TABLE audit_entry ENABLE TRIGGER USER"
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(pool)
        .await
        .unwrap();
}

async fn five_entries() -> Counter {
    let counter = Counter::open().await;
    for number in 1..=5 {
        counter
            .answer(about(
                "mandate",
                vec![who(PartyRole::Principal, number)],
                vec![],
            ))
            .await;
    }
    counter
}

fn broken(entry_no: i64, fault: Fault) -> Option<Break> {
    Some(Break {
        entry_no,
        through: entry_no,
        fault,
    })
}

#[tokio::test]
async fn a_changed_entry_is_named() {
    for change in [
        "UPDATE audit_entry SET outcome = 'hit' WHERE entry_no = 3",
        "UPDATE audit_entry SET recorded_at = recorded_at + interval '1 microsecond' WHERE entry_no = 3",
        "UPDATE audit_entry SET detail = detail || '{\"truncated\": true}' WHERE entry_no = 3",
        "UPDATE audit_entry SET tree = decode(repeat('00', 32), 'hex') WHERE entry_no = 3",
    ] {
        let counter = five_entries().await;
        tamper(&counter.hub.db.pool, change).await;
        let verification = counter.verify().await;
        assert_eq!(verification.broken, broken(3, Fault::Changed), "{change}");
        assert_eq!(verification.through, 2);
    }
}

#[tokio::test]
async fn a_removed_entry_is_named_even_when_the_others_move_up() {
    let counter = five_entries().await;
    let pool = &counter.hub.db.pool;
    tamper(pool, "DELETE FROM audit_entry WHERE entry_no = 3").await;
    assert_eq!(counter.verify().await.broken, broken(3, Fault::Missing));
    tamper(
        pool,
        "UPDATE audit_entry SET entry_no = entry_no - 1 WHERE entry_no > 3",
    )
    .await;
    assert_eq!(counter.verify().await.broken, broken(3, Fault::Missing));
}

#[tokio::test]
async fn the_table_itself_refuses_changes() {
    let counter = five_entries().await;
    for sql in [
        "UPDATE audit_entry SET outcome = 'hit'",
        "UPDATE audit_entry SET detail = '{}', pruned = true",
        "UPDATE audit_chain SET entries = 5",
        "DELETE FROM audit_entry WHERE entry_no = 5",
        "TRUNCATE audit_entry",
    ] {
        let refused = sqlx::query(sql).execute(&counter.hub.db.pool).await;
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("append-only"), "{said}");
    }
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_answered() {
    let counter = five_entries().await;
    let pool = &counter.hub.db.pool;
    let question = || about("mandate", vec![who(PartyRole::Principal, 1)], vec![]);
    sqlx::raw_sql("ALTER TABLE audit_entry RENAME TO audit_entry_away")
        .execute(pool)
        .await
        .unwrap();
    let status = counter.ask(question()).await.unwrap_err();
    assert_eq!(reason(&status), "INTERNAL");
    sqlx::raw_sql("ALTER TABLE audit_entry_away RENAME TO audit_entry")
        .execute(pool)
        .await
        .unwrap();
    let receipt = counter.answer(question()).await.receipt.unwrap();
    assert_eq!(receipt.audit_entry, ENROLLED.unsigned_abs() + 6);
    assert_eq!(counter.verify().await.broken, None);
}
