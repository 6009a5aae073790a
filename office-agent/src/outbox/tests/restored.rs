use super::*;

#[tokio::test]
async fn offering_again_begins_a_newer_epoch_with_everything_kept_and_nothing_else() {
    let bench = Bench::new();
    bench
        .put((0..5).map(|n| case(&format!("c{n}"), 1)).collect())
        .await;
    bench.outbox.acked(2, Vec::new()).await.expect("acked");
    bench.pass(40 * 86_400);
    bench.outbox.acked(4, Vec::new()).await.expect("acked");
    bench
        .outbox
        .trim(Duration::days(30))
        .await
        .expect("trimmed");
    let before = bench.outbox.position().await.expect("read");
    bench.outbox.reoffer("hub-2").await.expect("offered");
    let after = bench.outbox.position().await.expect("read");
    assert!(after.epoch > before.epoch);
    assert_eq!((after.first_kept, after.last, after.acked), (1, 3, 0));
    assert_eq!(after.hub_epoch, "hub-2");
    let ids: Vec<_> = bench
        .all()
        .await
        .iter()
        .map(|record| told(record).0)
        .collect();
    assert_eq!(ids, ["c2", "c3", "c4"]);
    bench.put(vec![case("new", 1)]).await;
    assert_eq!(bench.outbox.position().await.expect("read").last, 4);
}

#[tokio::test]
async fn what_is_offered_again_is_not_let_go_before_it_is_acknowledged_again() {
    let bench = Bench::new();
    bench.put(vec![case("a", 1)]).await;
    bench.outbox.acked(1, Vec::new()).await.expect("acked");
    bench.outbox.reoffer("hub-2").await.expect("offered");
    bench.pass(400 * 86_400);
    bench
        .outbox
        .trim(Duration::days(30))
        .await
        .expect("trimmed");
    assert_eq!(bench.all().await.len(), 1);
}

#[tokio::test]
async fn what_the_hub_refused_without_a_key_is_named_by_its_sequence_until_the_next_epoch() {
    let bench = Bench::new();
    bench.put(vec![case("", 1), case("a", 1)]).await;
    let refused = |sequence, source_case_id: &str| wire::RecordReject {
        sequence,
        source_case_id: source_case_id.to_owned(),
        rule_id: "FIELD_INVALID".to_owned(),
        ..wire::RecordReject::default()
    };
    let rejects = vec![refused(1, ""), refused(2, "a")];
    bench.outbox.acked(2, rejects).await.expect("acked");
    let open = async || {
        let rejects = bench.outbox.summary().await.expect("read").rejects;
        let told = |open: OpenReject| (open.source_case_id, open.location);
        rejects.into_iter().map(told).collect::<Vec<_>>()
    };
    let a = ("a".to_owned(), String::new());
    assert_eq!(
        open().await,
        [(String::new(), "sequence:1".to_owned()), a.clone()]
    );
    bench.outbox.reoffer("hub-2").await.expect("offered");
    assert_eq!(open().await, [a]);
}

#[tokio::test]
async fn an_empty_outbox_can_be_offered_again() {
    let bench = Bench::new();
    bench.outbox.reoffer("hub-2").await.expect("offered");
    let position = bench.outbox.position().await.expect("read");
    assert_eq!(
        (position.first_kept, position.last, position.acked),
        (1, 0, 0)
    );
    bench.put(vec![case("a", 1)]).await;
    assert_eq!(
        bench
            .outbox
            .read(1, 9, 999)
            .await
            .expect("read")
            .records
            .len(),
        1
    );
}
