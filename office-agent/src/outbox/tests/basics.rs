use super::*;

#[tokio::test]
async fn a_cursor_is_stored_with_its_entries_and_kept_when_none_comes() {
    let mut bench = Bench::new();
    let (outbox, at) = (bench.outbox.clone(), Cursor("12|a".to_owned()));
    assert_eq!(outbox.cursor(&source()).await.expect("read"), None);
    let done = outbox
        .append(&source(), vec![case("a", 1)], Some(at.clone()))
        .await;
    assert_eq!(done.expect("appended"), [Disposition::Stored]);
    drop(outbox);
    bench.reopen();
    bench.put(vec![case("b", 1)]).await;
    assert_eq!(
        bench.outbox.cursor(&source()).await.expect("read"),
        Some(at)
    );
}

#[tokio::test]
async fn unchanged_content_is_recognised_and_takes_no_sequence() {
    use Disposition::{Stored, Unchanged};
    let bench = Bench::new();
    let done = bench
        .put(vec![case("a", 1), case("a", 1), case("b", 1), case("a", 2)])
        .await;
    assert_eq!(done, [Stored, Unchanged, Stored, Stored]);
    assert_eq!(bench.put(vec![case("a", 2)]).await, [Unchanged]);
    assert_eq!(
        bench.put(vec![case("a", 1)]).await,
        [Stored],
        "back to what it was is a change"
    );
    let told: Vec<_> = bench.all().await.iter().map(told).collect();
    let expected = [("a", 1), ("b", 1), ("a", 2), ("a", 1)].map(|(id, fee)| (id.to_owned(), fee));
    assert_eq!(told, expected);
}

#[tokio::test]
async fn revisions_grow_even_when_the_clock_stands_or_the_outbox_is_lost() {
    let mut bench = Bench::new();
    bench.put(vec![case("a", 1), case("a", 2)]).await;
    bench.pass(-3600);
    bench.put(vec![case("a", 3)]).await;
    let before: Vec<u64> = bench.all().await.iter().map(revision).collect();
    assert!(before.is_sorted_by(|a, b| a < b), "{before:?}");
    bench.pass(3600 + 1);
    bench.lose();
    bench.put(vec![case("a", 3)]).await;
    assert!(revision(&bench.all().await[0]) > before[2]);
}

#[tokio::test]
async fn a_given_revision_goes_out_as_given_and_an_older_one_not_at_all() {
    use Disposition::{Behind, Stored};
    let bench = Bench::new();
    let entries = vec![
        revised("a", 1, 7),
        revised("a", 2, 6),
        revised("a", 3, 8),
        revised("a", 4, 8),
    ];
    // Same revision, other content: the hub must see it to refuse it by name.
    assert_eq!(bench.put(entries).await, [Stored, Behind, Stored, Stored]);
    let revisions: Vec<u64> = bench.all().await.iter().map(revision).collect();
    assert_eq!(revisions, [7, 8, 8]);
}

#[tokio::test]
async fn a_revision_that_is_mapped_later_goes_on_above_what_the_clock_gave() {
    use Disposition::{Behind, Stored, Unchanged};
    let bench = Bench::new();
    // Read without a revision, then by a mapping that names one.
    bench.put(vec![case("a", 1), case("b", 1)]).await;
    let done = bench
        .put(vec![revised("a", 1, 1), revised("b", 2, 4)])
        .await;
    assert_eq!(done, [Unchanged, Stored]);
    let done = bench
        .put(vec![
            revised("a", 2, 2),
            revised("b", 3, 5),
            revised("b", 2, 4),
        ])
        .await;
    assert_eq!(done, [Stored, Stored, Behind]);
    let of = |id: &str, records: &[wire::Record]| -> Vec<u64> {
        let of_case = records.iter().filter(|record| told(record).0 == id);
        of_case.map(revision).collect()
    };
    let sent = bench.all().await;
    for (id, records) in [("a", 2), ("b", 3)] {
        let revisions = of(id, &sent);
        assert_eq!(revisions.len(), records);
        assert!(revisions.is_sorted_by(|a, b| a < b), "{revisions:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_once_and_ends_with_a_good_record_of_the_case() {
    use Disposition::{Stored, Unchanged};
    let bench = Bench::new();
    bench.put(vec![case("a", 1)]).await;
    assert_eq!(
        bench.put(vec![rejected("a", "f.csv:2", "99")]).await,
        [Stored]
    );
    assert_eq!(
        bench.put(vec![rejected("a", "f.csv:3", "99")]).await,
        [Unchanged]
    );
    assert_eq!(
        bench.put(vec![rejected("a", "f.csv:3", "9A")]).await,
        [Stored]
    );
    let summary = bench.outbox.summary().await.expect("read");
    assert_eq!(summary.rejects_open, 1);
    assert_eq!(summary.rejects[0].value_shape, "9A");
    // The content is the one the hub has, but the hub's refusal is open until a good record comes.
    assert_eq!(bench.put(vec![case("a", 1)]).await, [Stored]);
    assert_eq!(bench.outbox.summary().await.expect("read").rejects_open, 0);
    assert_eq!(bench.put(vec![case("a", 1)]).await, [Unchanged]);
}

#[tokio::test]
async fn a_refusal_without_a_key_ends_when_its_location_has_a_good_row() {
    let bench = Bench::new();
    let places = ["f.csv:2", "f.csv:3", "sql:cases"];
    bench
        .put(places.map(|place| rejected("", place, "")).to_vec())
        .await;
    let good = async |place: &str| {
        bench
            .outbox
            .good_rows_at(&source(), vec![place.to_owned()])
            .await
    };
    good("f.csv:2").await.expect("cleared");
    good("sql:cases").await.expect("cleared");
    let open = bench.outbox.summary().await.expect("read").rejects;
    let mut open: Vec<_> = open.into_iter().map(|reject| reject.location).collect();
    open.sort();
    assert_eq!(open, ["f.csv:3", "sql:cases"], "a query is no row");
}

#[tokio::test]
async fn what_the_hub_refused_is_listed_and_offered_again_only_after_a_while() {
    use Disposition::{Stored, Unchanged};
    let bench = Bench::new();
    bench.put(vec![case("a", 1)]).await;
    let reject = wire::RecordReject {
        sequence: 1,
        source_case_id: "a".to_owned(),
        rule_id: "CASE_NO_TAKEN".to_owned(),
        field: "case_no".to_owned(),
        message_zh: "另一案件已使用此证号。".to_owned(),
    };
    bench.outbox.acked(1, vec![reject]).await.expect("acked");
    let summary = bench.outbox.summary().await.expect("read");
    assert_eq!(summary.rejects[0].origin, "hub");
    assert_eq!(summary.rejects[0].message_zh, "另一案件已使用此证号。");
    assert_eq!(bench.put(vec![case("a", 1)]).await, [Unchanged]);
    bench.pass(3601);
    assert_eq!(bench.put(vec![case("a", 1)]).await, [Stored]);
    assert_eq!(bench.put(vec![case("a", 1)]).await, [Unchanged]);
    assert_eq!(bench.outbox.summary().await.expect("read").rejects_open, 0);
}

#[tokio::test]
async fn what_the_hub_refused_and_tells_again_is_no_news() {
    let bench = Bench::new();
    bench.put(vec![case("a", 1)]).await;
    let refused = |rule_id: &str| wire::RecordReject {
        sequence: 1,
        source_case_id: "a".to_owned(),
        rule_id: rule_id.to_owned(),
        ..wire::RecordReject::default()
    };
    let tell = async |rule_id| {
        let acked = bench.outbox.acked(1, vec![refused(rule_id)]).await;
        acked.expect("acked")
    };
    assert_eq!(tell("CASE_NO_TAKEN").await, 1);
    let first = bench.outbox.summary().await.expect("read").rejects;
    bench.pass(3000);
    assert_eq!(tell("CASE_NO_TAKEN").await, 0);
    assert_eq!(
        bench.outbox.summary().await.expect("read").rejects,
        first,
        "not even its time is another"
    );
    bench.pass(601);
    assert_eq!(
        bench.put(vec![case("a", 1)]).await,
        [Disposition::Stored],
        "nor is the time at which it is offered again"
    );
}

#[tokio::test]
async fn a_refusal_heard_late_does_not_stand_against_a_newer_record_of_the_case() {
    let bench = Bench::new();
    bench.put(vec![case("a", 1), case("b", 1)]).await;
    bench.outbox.reoffer("hub-2").await.expect("offered");
    bench.put(vec![case("a", 2)]).await;
    let refused = |sequence| wire::RecordReject {
        sequence,
        source_case_id: "a".to_owned(),
        rule_id: "FIELD_INVALID".to_owned(),
        ..wire::RecordReject::default()
    };
    let news = bench.outbox.acked(2, vec![refused(1)]).await;
    assert_eq!(news.expect("acked"), 0);
    assert_eq!(bench.outbox.summary().await.expect("read").rejects_open, 0);
    let news = bench.outbox.acked(3, vec![refused(3)]).await;
    assert_eq!(news.expect("acked"), 1, "the newest itself");
    assert_eq!(bench.outbox.summary().await.expect("read").rejects_open, 1);
}

#[tokio::test]
async fn a_window_keeps_its_limits_and_counts_what_is_behind() {
    let bench = Bench::new();
    let entries = (0..10).map(|n| case(&format!("case-{n}"), 1)).collect();
    bench.put(entries).await;
    let window = bench.outbox.read(3, 4, usize::MAX).await.expect("read");
    assert_eq!(
        (window.first_sequence, window.records.len(), window.behind),
        (3, 4, 4)
    );
    let window = bench.outbox.read(3, 4, 1).await.expect("read");
    assert_eq!(
        (window.records.len(), window.behind),
        (1, 7),
        "too long alone comes alone"
    );
    let window = bench.outbox.read(11, 4, 1000).await.expect("read");
    assert_eq!((window.records.len(), window.behind), (0, 0));
}

#[tokio::test]
async fn acknowledged_records_stay_for_the_retention_and_then_go() {
    let bench = Bench::new();
    let retention = Duration::days(30);
    bench.put(vec![case("a", 1), case("b", 1)]).await;
    bench.outbox.acked(1, Vec::new()).await.expect("acked");
    bench.pass(29 * 86_400);
    bench.outbox.trim(retention).await.expect("trimmed");
    assert_eq!(bench.outbox.position().await.expect("read").first_kept, 1);
    bench.pass(2 * 86_400);
    bench.outbox.trim(retention).await.expect("trimmed");
    let position = bench.outbox.position().await.expect("read");
    assert_eq!(
        (position.first_kept, position.last),
        (2, 2),
        "what is not acknowledged stays"
    );
    assert_eq!(
        bench.put(vec![case("a", 1)]).await,
        [Disposition::Unchanged],
        "gone but known"
    );
}

#[tokio::test]
async fn a_refusal_without_a_key_that_nobody_met_since_ends_at_the_hub_too() {
    let bench = Bench::new();
    let retention = Duration::days(30);
    bench.put(vec![rejected("", "gz-20260601.csv:3", "")]).await;
    bench.put(vec![rejected("", "sql:cases", "")]).await;
    bench.pass(29 * 86_400);
    bench.put(vec![rejected("", "sql:cases", "")]).await;
    bench.pass(2 * 86_400);
    bench.outbox.trim(retention).await.expect("trimmed");
    assert_eq!(
        bench.outbox.summary().await.expect("read").rejects_open,
        1,
        "met again"
    );
    let all = bench.all().await;
    let Some(wire::record::Payload::Rejected(word)) = &all[2].payload else {
        panic!("no word");
    };
    assert!(word.mended);
    assert_eq!(word.source_location, "gz-20260601.csv:3");
    bench.outbox.trim(retention).await.expect("trimmed");
    assert_eq!(bench.all().await.len(), 3, "once");
}

#[tokio::test]
async fn a_full_disk_refuses_all_of_it_and_the_next_attempt_goes_on() {
    let bench = Bench::new();
    bench.put(vec![case("a", 1)]).await;
    let fill = |pages: &'static str| {
        bench
            .outbox
            .worker
            .read(move |connection| Ok(connection.execute_batch(pages)?))
    };
    fill("PRAGMA max_page_count = 1").await.expect("set");
    let entries: Vec<Entry> = (0..500)
        .map(|n| case(&format!("long-key-of-case-{n}"), 1))
        .collect();
    let at = Some(Cursor("500".to_owned()));
    let error = bench
        .outbox
        .append(&source(), entries.clone(), at.clone())
        .await;
    assert!(matches!(error, Err(OutboxError::DiskFull)), "{error:?}");
    assert_eq!(bench.outbox.cursor(&source()).await.expect("read"), None);
    assert_eq!(bench.outbox.backlog().await.expect("read"), 1);
    fill("PRAGMA max_page_count = 100000").await.expect("set");
    let done = bench
        .outbox
        .append(&source(), entries, at)
        .await
        .expect("appended");
    assert!(done.iter().all(|done| *done == Disposition::Stored));
    assert_eq!(bench.all().await.len(), 501);
}

fn waits_for_the_disk(tx: &rusqlite::Transaction<'_>) -> Result<bool, OutboxError> {
    const FULL: i64 = 2;
    let mode: i64 = tx.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    Ok(mode == FULL)
}

/// A killed process does not show it; a power cut would.
#[tokio::test]
async fn what_is_appended_waits_for_the_disk_and_what_may_be_forgotten_does_not() {
    let worker = &Bench::new().outbox.worker;
    for _ in 0..2 {
        assert!(worker.write(waits_for_the_disk).await.expect("written"));
        assert!(!worker.note(waits_for_the_disk).await.expect("noted"));
    }
}

#[tokio::test]
async fn a_notice_is_kept_once() {
    let bench = Bench::new();
    let notice = wire::Notice {
        notice_id: "n1".to_owned(),
        kind: wire::NoticeKind::DuplicateFound.into(),
        source_case_id: "a".to_owned(),
        text_zh: "重复申请".to_owned(),
        created_at: None,
    };
    assert!(
        bench
            .outbox
            .keep_notice(notice.clone())
            .await
            .expect("kept")
    );
    assert!(!bench.outbox.keep_notice(notice).await.expect("kept"));
    let notices = bench.outbox.summary().await.expect("read").notices;
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].kind, "DUPLICATE_FOUND");
}
