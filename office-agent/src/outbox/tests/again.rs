//! What is read or offered again, and what stands against it.

use super::*;

#[tokio::test]
async fn a_case_refused_for_another_ones_number_is_offered_again_without_its_source() {
    let bench = Bench::new();
    bench.put(vec![case("a", 1), case("b", 1)]).await;
    let refused = |sequence, rule_id: &str| wire::RecordReject {
        sequence,
        source_case_id: "b".to_owned(),
        rule_id: rule_id.to_owned(),
        ..wire::RecordReject::default()
    };
    let outbox = &bench.outbox;
    let hear = async |to, refused| {
        outbox.acked(to, vec![refused]).await.expect("acked");
    };
    hear(2, refused(2, "CASE_NO_TAKEN")).await;
    bench.pass(3601);
    outbox.offer_refused_again().await.expect("offered");
    assert_eq!(outbox.backlog().await.expect("read"), 0, "nothing changed");
    bench.put(vec![case("a", 2)]).await;
    outbox.offer_refused_again().await.expect("offered");
    let waiting: Vec<_> = bench.all().await[2..].iter().map(told).collect();
    assert_eq!(waiting, [("a".to_owned(), 2), ("b".to_owned(), 1)]);
    outbox.offer_refused_again().await.expect("offered");
    assert_eq!(outbox.backlog().await.expect("read"), 2, "once");
    // Another rule is the case's own trouble.
    hear(4, refused(4, "FIELD_INVALID")).await;
    bench.put(vec![case("a", 3)]).await;
    bench.pass(3601);
    outbox.offer_refused_again().await.expect("offered");
    assert_eq!(outbox.backlog().await.expect("read"), 1);
}

#[tokio::test]
async fn a_case_that_the_hub_could_not_store_is_offered_again_though_nothing_else_goes_out() {
    for rule in ["STORE_REFUSED", "STORED_UNREADABLE"] {
        let bench = Bench::new();
        bench.put(vec![case("a", 1)]).await;
        let refused = wire::RecordReject {
            sequence: 1,
            source_case_id: "a".to_owned(),
            rule_id: rule.to_owned(),
            ..wire::RecordReject::default()
        };
        let outbox = &bench.outbox;
        outbox.acked(1, vec![refused]).await.expect("acked");
        for (after, waiting) in [(3599, 0), (1, 1), (3601, 1)] {
            bench.pass(after);
            outbox.offer_refused_again().await.expect("offered");
            assert_eq!(outbox.backlog().await.expect("read"), waiting, "{rule}");
        }
    }
}

#[tokio::test]
async fn an_older_file_does_not_count_against_a_newer_one() {
    use Disposition::{Stored, Unchanged};
    let bench = Bench::new();
    let tell = async |entry: Entry, told_at| {
        let (outbox, source) = (&bench.outbox, source());
        let told = outbox.append_told(&source, vec![entry], None, Some(told_at));
        told.await.expect("appended")
    };
    assert_eq!(tell(case("a", 1), 10).await, [Stored]);
    assert_eq!(tell(case("a", 2), 20).await, [Stored]);
    assert_eq!(tell(case("a", 1), 10).await, [Unchanged]);
    assert_eq!(tell(rejected("a", "old.csv:2", ""), 10).await, [Unchanged]);
    assert_eq!(tell(case("a", 2), 30).await, [Unchanged]);
    assert_eq!(tell(case("a", 1), 25).await, [Unchanged], "said anew at 30");
    assert_eq!(tell(case("a", 3), 30).await, [Stored], "a later line");
    // A file from the future does not stand against what comes after it.
    assert_eq!(tell(case("a", 4), i64::MAX).await, [Stored]);
    bench.pass(1);
    assert_eq!(
        tell(case("a", 5), 1_700_000_001_000_000_000).await,
        [Stored]
    );
    let ages = || {
        bench.outbox.worker.read(|db| {
            Ok(db.query_row("SELECT count(*) FROM age", [], |row| row.get::<_, i64>(0))?)
        })
    };
    assert_eq!(ages().await.expect("read"), 1);
    assert_eq!(bench.put(vec![case("a", 1)]).await, [Stored], "no file");
    assert_eq!(ages().await.expect("read"), 0);
}

#[tokio::test]
async fn another_mapping_or_query_has_the_source_read_again() {
    let bench = Bench::new();
    let outbox = &bench.outbox;
    let read_by = async |what: &str| {
        outbox
            .read_by(&source(), what.to_owned())
            .await
            .expect("noted")
    };
    let begins = async || outbox.begins_again(&source(), never).await.expect("read");
    assert!(!read_by("one").await, "nothing was read yet");
    let at = Some(Cursor("1".to_owned()));
    outbox
        .append(&source(), vec![case("a", 1)], at)
        .await
        .expect("appended");
    assert!(!read_by("one").await);
    assert!(!begins().await);
    assert!(read_by("two").await);
    assert!(begins().await);
    assert_eq!(outbox.cursor(&source()).await.expect("read"), None);
    assert!(!begins().await);
    // By hand, and by the calendar.
    assert!(outbox.read_again(&source()).await.expect("asked"));
    assert!(begins().await);
    bench.pass(100);
    let due =
        |begun_at: OffsetDateTime, now: OffsetDateTime| (now - begun_at).whole_seconds() == 100;
    assert!(outbox.begins_again(&source(), due).await.expect("read"));
    assert!(!outbox.begins_again(&source(), due).await.expect("read"));
}
