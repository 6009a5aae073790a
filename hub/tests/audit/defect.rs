//! A defect of the hub's own while it records.

use std::sync::atomic::{AtomicBool, Ordering};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use notary_hub::audit::AuditError;
use notary_hub::telemetry::metrics::AUDIT_BATCH_ENTRIES;

use crate::ledger::{Ledger, entry};

/// Panics once where the log measures a batch that it is about to write.
#[derive(Debug)]
struct Trap(AtomicBool);

impl Recorder for Trap {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let springs = key.name() == AUDIT_BATCH_ENTRIES && self.0.swap(false, Ordering::Relaxed);
        assert!(!springs, "a defect");
        Histogram::noop()
    }
}

/// Everything runs on one thread, of which the trap is the recorder.
#[tokio::test(flavor = "current_thread")]
async fn what_the_log_panics_at_is_not_answered_and_the_log_goes_on_without_it() {
    let mut ledger = Ledger::open().await;
    ledger.append(3).await;
    let trap = Trap(AtomicBool::new(true));
    let recorder = metrics::set_default_local_recorder(&trap);
    let refused = ledger.audit.append(entry(3)).await;
    assert!(matches!(refused, Err(AuditError::Defect)), "{refused:?}");
    drop(recorder);
    ledger.append(2).await;
    ledger.close().await;
    let numbers: Vec<i64> = ledger
        .entries()
        .await
        .iter()
        .map(|entry| entry.entry_no)
        .collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5], "no number is left out");
    assert_eq!(ledger.checkpoint().await, 5);
}
