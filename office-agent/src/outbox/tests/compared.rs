//! Differences to the hub: each is counted once and goes out again, from what is kept or from its source.

use super::*;

/// The hub's list of what `bench` has sent, as it should be.
async fn listed(bench: &Bench) -> Vec<wire::CaseDigest> {
    let records = bench.all().await;
    let digests = records.into_iter().map(|record| {
        let Some(wire::record::Payload::Case(case)) = record.payload else {
            panic!("a case");
        };
        wire::CaseDigest {
            content_hash: super::super::entry::content_hash(&case).to_vec(),
            source_case_id: case.source_case_id,
            revision: case.revision,
        }
    });
    digests.collect()
}

/// Takes the first case away, makes the second older and the third another of the same revision, and adds one.
fn spoilt(mut digests: Vec<wire::CaseDigest>) -> Vec<wire::CaseDigest> {
    digests.remove(0);
    for (digest, older) in digests.iter_mut().zip([1, 0]) {
        digest.revision -= older;
        digest.content_hash[0] ^= 1;
    }
    digests.push(wire::CaseDigest {
        source_case_id: "stranger".to_owned(),
        revision: 7,
        content_hash: vec![7; 16],
    });
    digests
}

async fn handed_over() -> Bench {
    let bench = Bench::new();
    let cases = (0..5).map(|n| case(&format!("c{n}"), n)).collect();
    let cursor = Some(Cursor("c4".to_owned()));
    let stored = bench.outbox.append(&source(), cases, cursor).await;
    stored.expect("appended");
    bench.outbox.acked(5, Vec::new()).await.expect("acked");
    bench
}

async fn heal(bench: &Bench, at_hub: Vec<wire::CaseDigest>) -> Drift {
    let held = bench.outbox.held().await.expect("read");
    let months = held.months.keys().copied().collect();
    bench
        .outbox
        .heal(held, months, at_hub)
        .await
        .expect("healed")
}

#[tokio::test]
async fn what_is_kept_goes_out_again_under_a_revision_that_counts() {
    let bench = handed_over().await;
    let before = listed(&bench).await;
    assert_eq!(heal(&bench, before.clone()).await.total(), 0);
    // Under way, and so no difference.
    bench.put(vec![case("c4", 99)]).await;
    let drift = heal(&bench, spoilt(before.clone())).await;
    let counts = (drift.missing, drift.differing, drift.only_at_hub);
    assert_eq!((counts, drift.cases, drift.resent), ((1, 2, 1), 4, 3));
    let after = listed(&bench).await;
    let again: Vec<_> = after[6..]
        .iter()
        .map(|case| case.source_case_id.as_str())
        .collect();
    assert_eq!(again, ["c0", "c1", "c2"]);
    for (again, sent) in after[6..].iter().zip(&before) {
        let raised = u64::from(again.source_case_id == "c2");
        assert_eq!(again.revision, sent.revision + raised);
        assert_eq!(again.content_hash, sent.content_hash);
    }
    // On its way now: not sent twice.
    assert_eq!(heal(&bench, spoilt(before)).await.resent, 0);
}

#[tokio::test]
async fn what_is_not_kept_is_read_again_and_taken_as_news() {
    let bench = handed_over().await;
    let before = listed(&bench).await;
    bench.pass(40 * 86_400);
    bench
        .outbox
        .trim(Duration::days(30))
        .await
        .expect("trimmed");
    assert_eq!(bench.all().await.len(), 0);
    for _ in 0..2 {
        // As long as no source was read anew, it is drift.
        let drift = heal(&bench, spoilt(before.clone())).await;
        assert_eq!((drift.resent, drift.to_read_again), (0, 3));
        assert_eq!((drift.total(), drift.unavailable), (4, 0));
    }
    let name = source();
    assert!(bench.outbox.begins_again(&name, never).await.expect("read"));
    assert_eq!(bench.outbox.cursor(&name).await.expect("read"), None);
    assert!(!bench.outbox.begins_again(&name, never).await.expect("read"));
    // Wanted already: a reading that is under way is not begun anew, and what it does not bring cannot be put right.
    let drift = heal(&bench, spoilt(before.clone())).await;
    assert_eq!((drift.total(), drift.to_read_again), (0, 0));
    assert_eq!(drift.unavailable, 4, "with the one that only the hub has");
    assert!(!bench.outbox.begins_again(&name, never).await.expect("read"));
    // A source with revisions of its own brings the same ones.
    let read = before.iter().zip(0..).map(|(digest, fee)| {
        let revision = digest.revision;
        revised(&digest.source_case_id, fee, revision)
    });
    let done = bench.put(read.collect()).await;
    let news: Vec<_> = done
        .iter()
        .map(|done| *done == Disposition::Stored)
        .collect();
    assert_eq!(news, [true, true, true, false, false]);
    let position = bench.outbox.position().await.expect("read");
    let window = bench.outbox.read(position.acked + 1, 9, usize::MAX).await;
    let revisions: Vec<_> = window.expect("read").records.iter().map(revision).collect();
    let expected: Vec<_> = [0, 0, 1]
        .iter()
        .zip(&before)
        .map(|(raised, case)| case.revision + raised)
        .collect();
    assert_eq!(revisions, expected);
}

#[tokio::test]
async fn what_only_the_hub_has_makes_the_sources_be_read_once() {
    let bench = handed_over().await;
    let mut at_hub = listed(&bench).await;
    at_hub.push(wire::CaseDigest {
        source_case_id: "stranger".to_owned(),
        ..wire::CaseDigest::default()
    });
    for again in [true, false] {
        let drift = heal(&bench, at_hub.clone()).await;
        assert_eq!(
            (drift.only_at_hub, drift.unavailable),
            match again {
                true => (1, 0),
                false => (0, 1),
            }
        );
        assert_eq!(
            bench
                .outbox
                .begins_again(&source(), never)
                .await
                .expect("read"),
            again
        );
    }
}

/// The only case of the hub's list, with other content under a revision.
fn otherwise(mut digests: Vec<wire::CaseDigest>, revision: u64) -> Vec<wire::CaseDigest> {
    digests.truncate(1);
    digests[0].content_hash[0] ^= 1;
    digests[0].revision = revision;
    digests
}

#[tokio::test]
async fn what_a_revision_was_raised_by_is_added_to_those_that_the_office_gives_later() {
    let bench = Bench::new();
    bench.put(vec![revised("c0", 1, 3)]).await;
    bench.outbox.acked(1, Vec::new()).await.expect("acked");
    let at_hub = otherwise(listed(&bench).await, 5);
    assert_eq!(heal(&bench, at_hub.clone()).await.resent, 1);
    // The same content again, by the office's count: no news.
    let done = bench.put(vec![revised("c0", 1, 3)]).await;
    assert_eq!(done, [Disposition::Unchanged]);
    bench.put(vec![revised("c0", 2, 4)]).await;
    // And where the record is not kept.
    bench.outbox.acked(3, Vec::new()).await.expect("acked");
    bench.pass(40 * 86_400);
    let retention = Duration::days(30);
    bench.outbox.trim(retention).await.expect("trimmed");
    let at_hub = otherwise(at_hub, i64::MAX.unsigned_abs() - 2);
    assert_eq!(heal(&bench, at_hub).await.to_read_again, 1);
    bench.put(vec![revised("c0", 2, 4)]).await;
    let window = bench.outbox.read(4, 9, usize::MAX).await.expect("read");
    let raised: Vec<_> = window.records.iter().map(revision).collect();
    assert_eq!(raised, [i64::MAX.unsigned_abs() - 1]);
}

#[tokio::test]
async fn the_office_s_next_revision_is_above_what_was_raised() {
    let bench = Bench::new();
    bench.put(vec![revised("c0", 1, 3)]).await;
    bench.outbox.acked(1, Vec::new()).await.expect("acked");
    heal(&bench, otherwise(listed(&bench).await, 5)).await;
    bench.put(vec![revised("c0", 2, 4)]).await;
    let revisions: Vec<_> = bench.all().await.iter().map(revision).collect();
    assert_eq!(revisions, [3, 6, 7]);
}

#[tokio::test]
async fn what_was_pushed_and_is_kept_no_more_is_told_apart_from_what_is_put_right() {
    let bench = Bench::new();
    bench.put(vec![case("a", 1)]).await;
    bench.outbox.acked(1, Vec::new()).await.expect("acked");
    bench.pass(40 * 86_400);
    let trimmed = bench.outbox.trim(Duration::days(30)).await;
    trimmed.expect("trimmed");
    let found = [(1, 0), (0, 1)];
    for expected in found {
        let drift = heal(&bench, Vec::new()).await;
        assert_eq!((drift.missing, drift.unavailable), expected);
    }
}
