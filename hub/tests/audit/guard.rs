//! What the hub itself refuses: to sign a log that does not continue what it signed before.

use std::sync::Arc;

use notary_hub::audit::{Audit, Checkpoints, Fault, PublishError};
use notary_hub::store;
use tokio_util::sync::CancellationToken;

use crate::ledger::{Ledger, consistent, entry};

#[tokio::test]
async fn a_rewritten_log_gets_no_signature() {
    let mut ledger = Ledger::open().await;
    ledger.append(9).await;
    ledger.checkpoint().await;
    ledger.append(3).await;
    ledger.close().await;
    let mut entries = ledger.entries().await;
    entries[4].outcome = "hit".into();
    consistent(&mut entries, 1);
    ledger.tamper("TRUNCATE audit_entry").await;
    store::audit::insert(&ledger.db.pool, &entries)
        .await
        .unwrap();
    let refused = ledger.checkpoints.publish().await;
    assert!(
        matches!(refused, Err(PublishError::Inconsistent { signed: 9 })),
        "{refused:?}"
    );
    // Nor does a hub that has been started anew.
    let (pool, dir) = (ledger.db.pool.clone(), ledger.kept.path().to_owned());
    let anew = Checkpoints::open(pool, Arc::clone(&ledger.key), dir).unwrap();
    assert!(anew.publish().await.is_err());
}

#[tokio::test]
async fn a_log_that_was_cut_off_gets_no_signature() {
    let mut ledger = Ledger::open().await;
    ledger.append(9).await;
    ledger.checkpoint().await;
    ledger.close().await;
    ledger
        .tamper("DELETE FROM audit_entry WHERE entry_no > 7")
        .await;
    assert!(ledger.checkpoints.publish().await.is_err());
    let verdict = ledger.audited().await;
    assert_eq!(verdict.log.broken.unwrap().fault, Fault::Truncated);
}

#[tokio::test]
async fn hubs_that_write_at_once_make_one_log_that_all_their_receipts_and_checkpoints_fit() {
    let ledger = Ledger::open().await;
    let pool = store::pool::audit(&ledger.db.url).unwrap();
    let (elsewhere, log) = Audit::new(pool, Arc::clone(&ledger.key));
    let stop = CancellationToken::new();
    let writing = tokio::spawn(log.run(stop.clone()));
    let mut receipts = Vec::new();
    for round in 0..40 {
        let here = (0..3).map(|_| ledger.audit.append(entry(round)));
        let there = (0..3).map(|_| elsewhere.append(entry(round)));
        let both = futures_util::future::join_all(here.chain(there));
        receipts.extend(both.await.into_iter().map(Result::unwrap));
        ledger.checkpoint().await;
    }
    stop.cancel();
    writing.await.unwrap();
    let entries = ledger.entries().await;
    assert_eq!(entries.len(), 240);
    let verifier = [ledger.key.verifier().clone()];
    for receipt in receipts {
        let inclusion = receipt.inclusion();
        let entry = &entries[usize::try_from(receipt.entry_no).unwrap() - 1];
        let signed = notary_hub::audit::checkpoint::open(&inclusion.checkpoint, &verifier).unwrap();
        let leaf = entry.leaf();
        assert!(
            signed
                .head
                .includes(&leaf, inclusion.leaf_index, &inclusion.path)
        );
        let last = ledger.checkpoints.consistency(signed.head.size, 240).await;
        let consistency = last.unwrap().unwrap();
        assert_eq!(consistency.from, signed.head);
        assert!(consistency.to.extends(&signed.head, &consistency.path));
        let proven = ledger.checkpoints.inclusion(receipt.entry_no).await;
        let proven = proven.unwrap().unwrap();
        let newest = notary_hub::audit::checkpoint::open(&proven.checkpoint, &verifier).unwrap();
        assert_eq!(newest.head.size, 240);
        assert!(newest.head.includes(&leaf, proven.leaf_index, &proven.path));
    }
    let verdict = ledger.audited().await;
    assert!(verdict.is_intact(), "{verdict:?}");
    assert_eq!((verdict.log.vouched, verdict.agreed), (240, 40));
}
