//! Records that cannot be stored, and that they hold up nobody.

use std::time::Duration;

use crate::city::Hub;
use crate::record::{case, mended_at, refused, refused_at};

const OPEN: &str =
    "SELECT string_agg(record_key || ' ' || rule_id || ' ' || field, ', ' ORDER BY record_key)
                      FROM reject WHERE resolved_at IS NULL";

#[tokio::test]
async fn a_field_out_of_bounds_names_its_path_and_the_others_go_on() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let mut bad = case("C2");
    bad.0.parties[0].name = "x".repeat(201);
    let mut keyless = case("");
    keyless.0.revision = 4;
    let rejects = office
        .taken(&hub, vec![case("C1"), bad, keyless, case("C3")])
        .await;
    assert_eq!(rejects, ["FIELD_INVALID", "FIELD_INVALID"]);
    assert_eq!(hub.count("SELECT count(*) FROM case_record").await, 2);
    assert_eq!(
        hub.text(OPEN).await.unwrap(),
        format!(
            "C2 FIELD_INVALID parties[0].name, sequence:{}:3 FIELD_INVALID source_case_id",
            office.epoch
        )
    );
}

#[tokio::test]
async fn a_number_has_all_three_segments_or_none() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let with = |segments: usize| {
        let mut case = case(&format!("C{segments}"));
        let identifier = case.0.parties[0].identifier.as_mut().unwrap();
        (identifier.verified, identifier.segment_tokens) = (false, vec![vec![9; 16]; segments]);
        case
    };
    let rejects = office.taken(&hub, (0..=4).map(with).collect()).await;
    assert_eq!(rejects, ["FIELD_INVALID"; 3]);
    let field = "FIELD_INVALID parties[0].identifier.segment_tokens";
    let expected = [1, 2, 4].map(|segments| format!("C{segments} {field}"));
    assert_eq!(hub.text(OPEN).await.unwrap(), expected.join(", "));
}

#[tokio::test]
async fn records_without_a_key_are_told_apart_across_epochs() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let keyless = || vec![case("")];
    office.taken(&hub, keyless()).await;
    office.rebuilt(&hub).await.taken(&hub, keyless()).await;
    assert_eq!(
        hub.count(
            "SELECT count(DISTINCT epoch) FROM reject WHERE sequence = 1 AND resolved_at IS NULL"
        )
        .await,
        2
    );
}

#[tokio::test]
async fn what_the_agent_refused_is_kept_until_the_case_arrives() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office
        .taken(&hub, vec![refused("C1", "DATE_ILLEGAL")])
        .await;
    assert_eq!(hub.text(OPEN).await.unwrap(), "C1 DATE_ILLEGAL accepted_on");
    office.taken(&hub, vec![case("C1")]).await;
    assert_eq!(hub.text(OPEN).await, None);
}

#[tokio::test]
async fn a_refusal_after_the_good_record_of_the_same_batch_stays_open() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let batch = vec![
        refused("C1", "DATE_ILLEGAL"),
        case("C1").into(),
        case("C2").into(),
        refused("C2", "CODE_UNKNOWN"),
    ];
    office.taken(&hub, batch).await;
    assert_eq!(hub.text(OPEN).await.unwrap(), "C2 CODE_UNKNOWN accepted_on");
}

#[tokio::test]
async fn what_was_refused_without_a_key_is_settled_once_its_place_is_mended() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let mut other = hub.office("xiaoshan").await;
    let refusals = || {
        vec![
            refused_at("a.csv:3", "KEY_MISSING"),
            refused_at("a.csv:3", "ROW_MALFORMED"),
        ]
    };
    office.taken(&hub, refusals()).await;
    other.taken(&hub, refusals()).await;
    office
        .taken(&hub, vec![mended_at("a.csv:3", "ROW_MALFORMED")])
        .await;
    assert_eq!(
        hub.text("SELECT string_agg(office_id || ' ' || rule_id, ', ' ORDER BY rule_id) FROM reject WHERE resolved_at IS NULL")
            .await
            .unwrap(),
        "xiaoshan KEY_MISSING, xiaoshan ROW_MALFORMED",
        "whatever the rule was, of this office alone"
    );
    // In one batch, in either order.
    let batch = vec![
        refused_at("b.csv:1", "ROW_MALFORMED"),
        mended_at("b.csv:1", "ROW_MALFORMED"),
        mended_at("a.csv:3", "ROW_MALFORMED"),
        refused_at("a.csv:3", "ROW_MALFORMED"),
    ];
    office.taken(&hub, batch).await;
    assert_eq!(
        hub.text("SELECT string_agg(record_key, ', ') FROM reject WHERE resolved_at IS NULL AND office_id = 'hangzhou'")
            .await
            .unwrap(),
        "a.csv:3"
    );
}

#[tokio::test]
async fn a_place_that_is_mended_is_its_own_offices_also_where_one_transaction_takes_both() {
    let hub = Hub::start().await;
    let (one, other) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    let in_the_way = hub.office("binjiang").await;
    let (ingest, writers) = hub.single();
    let mut held = hub.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM sync_position WHERE office_id = 'binjiang' FOR UPDATE")
        .fetch_all(&mut *held)
        .await
        .unwrap();
    let first = in_the_way
        .hand_over(&ingest, 1, vec![case("C1").into()])
        .await;
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
                    AND application_name = 'notary-hub writer' AND datname = current_database()";
    while hub.count(waits).await == 0 {
        tokio::task::yield_now().await;
    }
    // Both wait behind it, and are taken together.
    let refused = || refused_at("a.csv:3", "KEY_MISSING");
    let still_open = other.hand_over(&ingest, 1, vec![refused()]).await;
    let mended = vec![refused(), mended_at("a.csv:3", "KEY_MISSING")];
    let mended = one.hand_over(&ingest, 1, mended).await;
    held.rollback().await.unwrap();
    for outcome in [first, still_open, mended] {
        outcome.await.unwrap();
    }
    writers.shutdown(Duration::from_secs(30)).await;
    assert_eq!(
        hub.text("SELECT string_agg(office_id, ', ') FROM reject WHERE resolved_at IS NULL")
            .await
            .unwrap(),
        "xiaoshan"
    );
}

#[tokio::test]
async fn a_record_that_the_database_refuses_is_isolated() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let mut other = hub.office("xiaoshan").await;
    // A fault that no check of ours knows of.
    sqlx::query("ALTER TABLE case_record ADD CHECK (amount_fen <> 13)")
        .execute(&hub.pool)
        .await
        .unwrap();
    let mut poison = case("C5");
    poison.0.amount_fen = 13;
    let mut batch: Vec<_> = (1..=4).map(|n| case(&format!("C{n}"))).collect();
    batch.push(poison);
    batch.extend((6..=9).map(|n| case(&format!("C{n}"))));
    let (refused, accepted) = tokio::join!(
        office.taken(&hub, batch),
        other.taken(&hub, vec![case("C1")])
    );
    assert_eq!(refused, ["STORE_REFUSED"]);
    assert!(accepted.is_empty());
    assert_eq!(hub.count("SELECT count(*) FROM case_record").await, 9);
    assert_eq!(hub.text(OPEN).await.unwrap(), "C5 STORE_REFUSED ");
    hub.figures_are_right().await;
}
