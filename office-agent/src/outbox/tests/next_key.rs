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
        let again = bench.outbox.begins_again(&source()).await.expect("read");
        assert_eq!(again, begins, "{asked:?}");
    }
}
