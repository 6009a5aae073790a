//! A change of the city's token key: every case goes out once with tokens under the next key, changed or not.

use super::Disposition::{Stored, Unchanged};
use super::*;

/// A case with tokens under a key.
fn under(key_id: u32, entry: Entry) -> Entry {
    let Entry::Case(mut case) = entry else {
        panic!("a case");
    };
    case.next_tokens = Some(wire::NextTokens {
        key_id,
        subjects: vec![vec![7; 16]],
        ..wire::NextTokens::default()
    });
    Entry::Case(case)
}

#[tokio::test]
async fn a_case_that_did_not_change_goes_out_once_for_each_next_key_at_its_revision() {
    let mut bench = Bench::new();
    let plain = || revised("a", 1, 5);
    assert_eq!(bench.put(vec![plain()]).await, [Stored]);
    assert_eq!(bench.put(vec![under(2, plain())]).await, [Stored]);
    bench.reopen();
    assert_eq!(bench.put(vec![under(2, plain())]).await, [Unchanged]);
    assert_eq!(bench.put(vec![under(3, plain())]).await, [Stored]);
    assert_eq!(bench.put(vec![plain()]).await, [Unchanged]);
    let sent = bench.all().await;
    assert!(sent.iter().all(|record| revision(record) == 5));
}

#[tokio::test]
async fn a_case_that_went_out_without_tokens_under_the_next_key_goes_out_with_them_again() {
    let bench = Bench::new();
    bench.put(vec![under(2, revised("a", 1, 5))]).await;
    bench.put(vec![revised("a", 2, 6)]).await;
    let again = bench.put(vec![under(2, revised("a", 2, 6))]).await;
    assert_eq!(again, [Stored]);
}

#[tokio::test]
async fn tokens_under_the_next_key_are_no_difference_to_the_hub() {
    let bench = Bench::new();
    bench.put(vec![revised("a", 1, 5)]).await;
    bench.outbox.acked(1, Vec::new()).await.expect("acked");
    let before = bench.outbox.held().await.expect("read");
    bench.put(vec![under(2, revised("a", 1, 5))]).await;
    bench.outbox.acked(2, Vec::new()).await.expect("acked");
    let after = bench.outbox.held().await.expect("read");
    assert_eq!(after.months, before.months);
}

#[tokio::test]
async fn each_key_that_is_asked_for_has_the_sources_read_once() {
    let mut bench = Bench::new();
    bench.put(vec![case("a", 1)]).await;
    for (asked, begins) in [
        (None, false),
        (Some(2), true),
        (Some(2), false),
        (None, false),
        (Some(3), true),
    ] {
        bench.outbox.ask_next_key(asked).await.expect("noted");
        bench.reopen();
        let now = bench.outbox.asked_next_key().await.expect("read");
        assert_eq!(now, asked);
        let again = bench
            .outbox
            .begins_again(&source(), never)
            .await
            .expect("read");
        assert_eq!(again, begins, "{asked:?}");
    }
}

/// A case with a subject under the present key, and under key 2 if it is asked for.
fn with_subject(id: &str, next: Option<u32>) -> Entry {
    let Entry::Case(mut case) = revised(id, 1, 5) else {
        panic!("a case");
    };
    case.subjects = vec![wire::Subject {
        token: vec![1; 16],
        ..wire::Subject::default()
    }];
    case.next_tokens = next.map(|key_id| wire::NextTokens {
        key_id,
        subjects: vec![vec![7; 16]],
        ..wire::NextTokens::default()
    });
    Entry::Case(case)
}

/// The first subject's token of every record.
async fn subjects(bench: &Bench) -> Vec<Option<Vec<u8>>> {
    let records = bench.all().await.into_iter();
    records
        .map(|record| match record.payload {
            Some(wire::record::Payload::Case(case)) => {
                assert!(case.next_tokens.is_none());
                case.subjects.first().map(|subject| subject.token.clone())
            }
            other => panic!("no case: {other:?}"),
        })
        .collect()
}

/// The same case as its source brings it once the city has gone over.
fn read_under_the_new_key(id: &str) -> Entry {
    let Entry::Case(mut case) = with_subject(id, None) else {
        panic!("a case");
    };
    case.subjects[0].token = vec![7; 16];
    Entry::Case(case)
}

#[tokio::test]
async fn what_waits_goes_out_with_its_next_tokens_once_the_city_has_gone_over() {
    let mut bench = Bench::new();
    bench.outbox.ask_next_key(Some(2)).await.expect("noted");
    bench.put(vec![with_subject("a", Some(2))]).await;
    bench.outbox.go_over(2).await.expect("gone over");
    assert_eq!(subjects(&bench).await, [Some(vec![7; 16])]);
    let again = bench.put(vec![read_under_the_new_key("a")]).await;
    assert_eq!(again, [Unchanged], "it is the content that the hub has");
    bench.reopen();
    assert_eq!(bench.outbox.token_key().await.expect("read"), 2);
    bench.outbox.go_over(2).await.expect("done already");
    assert_eq!(subjects(&bench).await, [Some(vec![7; 16])]);
    assert_eq!(bench.outbox.asked_next_key().await.expect("read"), None);
}

#[tokio::test]
async fn what_was_acknowledged_is_compared_by_its_new_content() {
    let bench = Bench::new();
    bench.put(vec![with_subject("a", Some(2))]).await;
    bench.outbox.acked(1, Vec::new()).await.expect("acked");
    bench.outbox.go_over(2).await.expect("gone over");
    let moved = bench.outbox.held().await.expect("read").months;
    let fresh = Bench::new();
    fresh.put(vec![read_under_the_new_key("a")]).await;
    fresh.outbox.acked(1, Vec::new()).await.expect("acked");
    assert_eq!(moved, fresh.outbox.held().await.expect("read").months);
}

#[tokio::test]
async fn what_has_no_next_tokens_never_goes_out_with_old_ones_and_comes_again_above_what_the_hub_has()
 {
    let bench = Bench::new();
    bench.put(vec![with_subject("old", None)]).await;
    bench.outbox.acked(1, Vec::new()).await.expect("acked");
    bench.put(vec![with_subject("waits", None)]).await;
    bench.outbox.go_over(2).await.expect("gone over");
    let kept = subjects(&bench).await;
    assert_eq!(
        kept,
        [Some(vec![1; 16]), None],
        "the hub has the first as it is"
    );
    let again = bench
        .outbox
        .begins_again(&source(), never)
        .await
        .expect("read");
    assert!(again);
    let read = ["old", "waits"].map(read_under_the_new_key).to_vec();
    assert_eq!(bench.put(read).await, [Stored, Stored]);
    let sent = bench.all().await;
    assert!(sent[2..].iter().all(|record| revision(record) == 6));
}

#[tokio::test]
async fn what_the_hub_refused_with_its_next_tokens_comes_again_above_what_the_hub_has() {
    let bench = Bench::new();
    let changed = |entry| {
        let Entry::Case(mut case) = entry else {
            panic!("a case");
        };
        case.case_no = "another".to_owned();
        Entry::Case(case)
    };
    bench.put(vec![with_subject("a", None)]).await;
    bench.put(vec![changed(with_subject("a", Some(2)))]).await;
    let refused = wire::RecordReject {
        sequence: 2,
        source_case_id: "a".to_owned(),
        rule_id: "REVISION_CONFLICT".to_owned(),
        ..wire::RecordReject::default()
    };
    bench.outbox.acked(2, vec![refused]).await.expect("acked");
    bench.outbox.go_over(2).await.expect("gone over");
    let again = bench.outbox.begins_again(&source(), never).await;
    assert!(again.expect("read"));
    let read = changed(read_under_the_new_key("a"));
    assert_eq!(bench.put(vec![read]).await, [Stored]);
    let sent = bench.all().await;
    assert_eq!(sent.last().map(revision), Some(6));
}

#[tokio::test]
async fn a_record_under_the_key_of_before_is_wanted_from_its_source_rather_than_sent_again() {
    let bench = Bench::new();
    bench.put(vec![with_subject("old", None)]).await;
    bench.outbox.acked(1, Vec::new()).await.expect("acked");
    bench.outbox.go_over(2).await.expect("gone over");
    let held = bench.outbox.held().await.expect("read");
    let months = held.months.keys().copied().collect();
    // The hub has lost it.
    let drift = bench.outbox.heal(held, months, Vec::new()).await;
    let drift = drift.expect("healed");
    assert_eq!(
        (drift.missing, drift.resent, drift.to_read_again),
        (1, 0, 1)
    );
}

#[tokio::test]
async fn whoever_makes_records_under_the_key_of_before_puts_nothing_in() {
    let mut bench = Bench::new();
    let before = bench.outbox.clone();
    bench.reopen();
    bench.outbox.go_over(2).await.expect("gone over");
    let refused = before.append(&source(), vec![case("a", 1)], None).await;
    assert!(matches!(refused, Err(OutboxError::KeyChanged)));
}
