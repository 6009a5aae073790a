//! Retention.

use std::sync::Arc;

use notary_hub::audit::Fault;
use notary_hub::audit::prune::{self, PruneError, Pruned};
use notary_hub::store;
use time::{Date, Duration, OffsetDateTime};

use crate::ledger::Ledger;

fn tomorrow() -> Date {
    OffsetDateTime::now_utc().date() + Duration::days(1)
}

async fn prune(ledger: &Ledger, before: Date) -> Result<Pruned, PruneError> {
    let writing = store::pool::audit(&ledger.db.url).unwrap();
    let (key, kept) = (Arc::clone(&ledger.key), ledger.kept.path());
    prune::before(&ledger.db.pool, writing, key, kept, before).await
}

#[tokio::test]
async fn what_was_recorded_goes_and_every_checkpoint_still_holds() {
    let ledger = Ledger::open().await;
    ledger.append(13).await;
    ledger.checkpoint().await;
    let pruned = prune(&ledger, tomorrow()).await.unwrap();
    assert_eq!((pruned.through, pruned.entries), (13, 13));
    let entries = ledger.entries().await;
    assert!(entries[..13].iter().all(|entry| entry.pruned
        && entry.actor.is_empty()
        && entry.salt.is_none()
        && entry.detail == serde_json::json!({})));
    assert_eq!(entries[13].action, "audit.prune");
    assert_eq!(entries[13].actor, "operator");
    let outcomes = [&entries[13].outcome, &entries[14].outcome];
    assert_eq!(outcomes, ["begun", "done"]);
    ledger.append(4).await;
    ledger.checkpoint().await;
    let verdict = ledger.audited().await;
    assert!(verdict.is_intact(), "{verdict:?}");
    assert_eq!(verdict.log.vouched, 19);
    let proof = ledger.checkpoints.inclusion(3).await.unwrap();
    assert!(proof.is_some(), "its hashes are there");
    // Once more, over what is gone already.
    let again = prune(&ledger, tomorrow()).await.unwrap();
    assert_eq!((again.through, again.entries), (19, 6));
    ledger.checkpoint().await;
    assert!(ledger.audited().await.is_intact());
}

#[tokio::test]
async fn nothing_is_pruned_that_no_checkpoint_covers_or_that_does_not_fit() {
    let ledger = Ledger::open().await;
    ledger.append(5).await;
    assert!(matches!(
        prune(&ledger, tomorrow()).await,
        Err(PruneError::Evidence(_))
    ));
    ledger.checkpoint().await;
    ledger.append(5).await;
    let refused = prune(&ledger, tomorrow()).await;
    assert!(
        matches!(refused, Err(PruneError::NotCovered(10))),
        "{refused:?}"
    );
    ledger.checkpoint().await;
    ledger
        .tamper("UPDATE audit_entry SET outcome = 'hit' WHERE entry_no = 2")
        .await;
    assert!(matches!(
        prune(&ledger, tomorrow()).await,
        Err(PruneError::AtFault)
    ));
    let day = OffsetDateTime::now_utc().date() - Duration::days(1);
    assert_eq!(
        prune(&ledger, day).await.unwrap().entries,
        0,
        "all is younger"
    );
    assert!(ledger.entries().await.iter().all(|entry| !entry.pruned));
}

#[tokio::test]
async fn pruning_that_the_log_does_not_speak_of_is_a_fault() {
    let ledger = Ledger::open().await;
    ledger.append(6).await;
    ledger.checkpoint().await;
    // The trigger lets a whole pruning through: the verifier asks for its entry.
    let pruned = store::audit::prune(&ledger.db.pool, 4).await.unwrap();
    assert_eq!(pruned, 4);
    let broken = ledger.audited().await.log.broken.unwrap();
    assert_eq!(
        (broken.entry_no, broken.through, broken.fault),
        (1, 4, Fault::Missing)
    );
}

#[tokio::test]
async fn the_table_allows_a_whole_pruning_and_no_other_change() {
    let ledger = Ledger::open().await;
    ledger.append(3).await;
    let whole = "actor = '', office_id = NULL, action = '', outcome = '', purpose = NULL, case_reference = NULL,
                 detail = '{}', salt = NULL, pruned = true";
    for change in [
        "outcome = 'hit'".to_owned(),
        "pruned = true".to_owned(),
        format!("{whole}, tree = tree || tree"),
        format!("{whole}, recorded_at = now()"),
        format!("{whole}, entry_no = 77"),
        format!("{whole}, chain_hash = '\\x00'"),
        whole.replace("actor = ''", "actor = 'x'"),
        whole.replace("salt = NULL", "salt = '\\x00'"),
    ] {
        let sql = format!("UPDATE audit_entry SET {change} WHERE entry_no = 2");
        let refused = sqlx::query(sqlx::AssertSqlSafe(sql))
            .execute(&ledger.db.pool)
            .await;
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("append-only"), "{change}: {said}");
    }
    store::audit::prune(&ledger.db.pool, 2).await.unwrap();
    let again = sqlx::query("UPDATE audit_entry SET pruned = false WHERE entry_no = 2");
    assert!(again.execute(&ledger.db.pool).await.is_err(), "for good");
}
