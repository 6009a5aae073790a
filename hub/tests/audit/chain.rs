//! A log that was a hash chain before it was a tree.

use notary_hub::audit::chain::GENESIS;
use notary_hub::audit::{Fault, Recorded};
use notary_hub::embedded::testing::{TestDatabase, fresh_database};
use time::macros::datetime;

use crate::ledger::{Ledger, entry};

/// A database as the version before left it, brought to this one: the migration runs over a log with a chain in it.
async fn with_a_chain(entries: i64) -> TestDatabase {
    let db = fresh_database().await;
    // Back to the schema of before, as the first migration made it.
    sqlx::raw_sql(
        "DROP TABLE audit_chain;
         DROP TRIGGER audit_entry_pruned_whole ON audit_entry;
         DROP FUNCTION audit_entry_is_pruned_whole();
         ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_in_tree, DROP COLUMN salt, DROP COLUMN tree,
               DROP COLUMN pruned, ALTER COLUMN chain_hash SET NOT NULL",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let mut previous = GENESIS;
    for number in 1..=entries {
        let recorded = Recorded {
            entry_no: number,
            recorded_at: datetime!(2024-08-15 09:00:00.123456 UTC),
            ..Recorded::unplaced(entry(number))
        };
        previous = recorded.hash_behind(&previous);
        sqlx::query(
            "INSERT INTO audit_entry (entry_no, recorded_at, actor, office_id, action, outcome, purpose, case_reference,
                                      detail, chain_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(recorded.entry_no)
        .bind(recorded.recorded_at)
        .bind(recorded.actor)
        .bind(recorded.office_id)
        .bind(recorded.action)
        .bind(recorded.outcome)
        .bind(recorded.purpose)
        .bind(recorded.case_reference)
        .bind(recorded.detail)
        .bind(previous.as_slice())
        .execute(&db.pool)
        .await
        .unwrap();
    }
    for migration in [
        include_str!("../../../migrations/0030_audit_tree.sql"),
        include_str!("../../../migrations/0031_audit_retention.sql"),
    ] {
        sqlx::raw_sql(migration).execute(&db.pool).await.unwrap();
    }
    db
}

#[tokio::test]
async fn the_tree_begins_with_the_end_of_the_chain_and_both_are_verified() {
    let ledger = Ledger::on(with_a_chain(20).await).await;
    let receipt = ledger.audit.append(entry(1)).await.unwrap();
    assert_eq!(
        receipt.entry_no, 22,
        "behind the entry that names the chain"
    );
    assert_eq!(receipt.inclusion().leaf_index, 1);
    assert_eq!(ledger.checkpoint().await, 2);
    let verdict = ledger.audited().await;
    assert!(verdict.is_intact(), "{verdict:?}");
    assert_eq!((verdict.log.through, verdict.log.vouched), (22, 22));
    let first = &ledger.entries().await[20];
    assert_eq!(
        (first.action.as_str(), first.actor.as_str()),
        ("audit.begin", "hub")
    );
    assert_eq!(first.detail["entries"], 20);
    assert_eq!(ledger.checkpoints.inclusion(20).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_changed_in_the_chain_shows_even_when_the_whole_chain_is_written_again() {
    let ledger = Ledger::on(with_a_chain(20).await).await;
    ledger.append(1).await;
    ledger.checkpoint().await;
    ledger
        .tamper("UPDATE audit_entry SET outcome = 'hit' WHERE entry_no = 7")
        .await;
    let broken = ledger.audited().await.log.broken.unwrap();
    assert_eq!((broken.entry_no, broken.fault), (7, Fault::Changed));
    // The rest of the chain by whoever knows how it is made, its end in audit_chain included.
    let mut entries = ledger.entries().await;
    let mut previous = GENESIS;
    for recorded in &mut entries[..20] {
        previous = recorded.hash_behind(&previous);
        let hash = data_encoding::HEXLOWER.encode(&previous);
        let number = recorded.entry_no;
        ledger
            .tamper(format!(
                "UPDATE audit_entry SET chain_hash = '\\x{hash}' WHERE entry_no = {number}"
            ))
            .await;
    }
    let head = data_encoding::HEXLOWER.encode(&previous);
    ledger
        .tamper(format!(
            "ALTER TABLE audit_chain DISABLE TRIGGER USER; UPDATE audit_chain SET head = '\\x{head}'"
        ))
        .await;
    let broken = ledger.audited().await.log.broken.unwrap();
    assert_eq!((broken.entry_no, broken.fault), (21, Fault::Changed));
}

#[tokio::test]
async fn a_hub_of_the_version_before_can_append_no_more() {
    let db = with_a_chain(3).await;
    let refused = sqlx::query(
        "INSERT INTO audit_entry (entry_no, recorded_at, actor, action, outcome, detail, chain_hash)
         VALUES (4, now(), 'nobody', 'session.create', 'denied', '{}', '\\x00')",
    )
    .execute(&db.pool)
    .await;
    let said = refused.unwrap_err().to_string();
    assert!(said.contains("audit_entry_in_tree"), "{said}");
}
