//! Positions: gaps, replays, epochs, and that an ack means a commit.

use std::time::Duration;

use notary_hub::ingest::Stopping;
use notary_hub::ingest::batch::{Job, Outcome};

use crate::city::Hub;
use crate::record::case;

/// The hub keeps sequences in a signed column.
const LAST: u64 = i64::MAX as u64;

#[tokio::test]
async fn a_gap_has_no_effect_and_says_where_to_go_on() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office.taken(&hub, vec![case("C1")]).await;
    let ahead = office
        .send_at(&hub.ingest, 3, vec![case("C3").into()])
        .await;
    assert_eq!(ahead, Outcome::Gap { from_sequence: 2 });
    assert_eq!(hub.count("SELECT count(*) FROM case_record").await, 1);
    assert_eq!(
        hub.count("SELECT committed_sequence FROM sync_position")
            .await,
        1
    );
}

#[tokio::test]
async fn a_replay_is_acknowledged_and_changes_nothing() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office.taken(&hub, vec![case("C1"), case("C2")]).await;
    let again = vec![case("C1").into(), case("C2").into(), case("C3").into()];
    let outcome = office.send_at(&hub.ingest, 1, again).await;
    assert_eq!(
        outcome,
        Outcome::Committed {
            committed_sequence: 3,
            rejects: Vec::new()
        }
    );
    assert_eq!(hub.count("SELECT count(*) FROM case_record").await, 3);
    assert_eq!(hub.count("SELECT count(*) FROM case_history").await, 0);
    hub.figures_are_right().await;
}

/// Whoever was to hear of the first time may not have: its stream had gone, or the database at the commit.
#[tokio::test]
async fn a_replay_is_told_again_what_was_refused_and_still_stands() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let sent = || {
        let mut bad = case("C1");
        bad.0.parties[0].name = "x".repeat(201);
        vec![bad.into(), case("").into(), case("C3").into()]
    };
    let told = |outcome| match outcome {
        Outcome::Committed { rejects, .. } => {
            let sequences = rejects.into_iter().map(|reject| reject.sequence);
            sequences.collect::<Vec<_>>()
        }
        other => panic!("not taken: {other:?}"),
    };
    assert_eq!(told(office.send(&hub, sent()).await), [1, 2]);
    assert_eq!(told(office.send_at(&hub.ingest, 1, sent()).await), [1, 2]);
    let rest = sent().split_off(1);
    assert_eq!(told(office.send_at(&hub.ingest, 2, rest).await), [2]);
    office.taken(&hub, vec![case("C1")]).await;
    assert_eq!(told(office.send_at(&hub.ingest, 1, sent()).await), [2]);
}

/// What an earlier stream left in the queue commits after a later one was welcomed. An ack of what that stream has not
/// sent yet would be a breach of the protocol to its agent.
#[tokio::test]
async fn a_replay_is_acknowledged_as_far_as_it_goes() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office
        .taken(&hub, vec![case("C1"), case("C2"), case("C3")])
        .await;
    let outcome = office
        .send_at(&hub.ingest, 1, vec![case("C1").into(), case("C2").into()])
        .await;
    assert_eq!(
        outcome,
        Outcome::Committed {
            committed_sequence: 2,
            rejects: Vec::new()
        }
    );
    assert_eq!(
        hub.count("SELECT committed_sequence FROM sync_position")
            .await,
        3
    );
}

#[tokio::test]
async fn a_rebuilt_outbox_starts_at_zero_and_ends_in_the_same_state() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let sent = || vec![case("C1"), case("C1").revision(2).fee(7), case("C2")];
    office.taken(&hub, sent()).await;
    let state =
        "SELECT string_agg(source_case_id || revision || fee_charged_fen || recorded_at, ' '
                        ORDER BY source_case_id) FROM case_record";
    let before = hub.text(state).await;
    let mut rebuilt = office.rebuilt(&hub).await;
    rebuilt.taken(&hub, sent()).await;
    assert_eq!(hub.text(state).await, before);
    assert_eq!(hub.count("SELECT count(*) FROM case_history").await, 1);
    hub.figures_are_right().await;
}

#[tokio::test]
async fn an_older_epoch_is_stale_on_opening_and_in_flight() {
    let hub = Hub::start().await;
    let office = hub.office("hangzhou").await;
    let _newer = office.rebuilt(&hub).await;
    assert_eq!(office.open(&hub.pool).await, None);
    let late = office
        .send_at(&hub.ingest, 1, vec![case("C1").into()])
        .await;
    assert_eq!(late, Outcome::EpochStale);
    assert_eq!(hub.count("SELECT count(*) FROM case_record").await, 0);
}

#[tokio::test]
async fn nothing_is_acknowledged_before_its_commit() {
    let hub = Hub::start().await;
    let office = hub.office("hangzhou").await;
    // Somebody holds the feed: the batch cannot commit.
    let mut holder = hub.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM sync_position FOR UPDATE")
        .execute(&mut *holder)
        .await
        .unwrap();
    let mut sending = Box::pin(office.send_at(&hub.ingest, 1, vec![case("C1").into()]));
    let waiting = tokio::time::timeout(Duration::from_millis(300), &mut sending).await;
    assert!(
        waiting.is_err(),
        "acknowledged while the commit was held up"
    );
    holder.rollback().await.unwrap();
    assert!(matches!(sending.await, Outcome::Committed { .. }));
    assert_eq!(hub.count("SELECT count(*) FROM case_record").await, 1);
}

#[tokio::test]
async fn stopping_commits_what_was_handed_over_and_takes_nothing_more() {
    let hub = Hub::start().await;
    let office = hub.office("hangzhou").await;
    let ingest = hub.ingest.clone();
    let job = |first, name: &str| Job {
        office_id: office.office_id,
        epoch: office.epoch,
        first_sequence: first,
        records: vec![ingest.decode(case(name).into())],
        backlog: 0,
        token_key: None,
    };
    let mut outcomes = Vec::new();
    for (first, name) in [(1, "C1"), (2, "C2"), (3, "C3")] {
        outcomes.push(ingest.submit(job(first, name)).await.unwrap());
    }
    let pool = hub.stop().await;
    for outcome in outcomes {
        assert!(matches!(outcome.await, Ok(Outcome::Committed { .. })));
    }
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM case_record")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(stored, 3);
    assert_eq!(ingest.submit(job(4, "C4")).await.err(), Some(Stopping));
}

/// An outbox that has given out nothing may not have read its sources yet.
#[tokio::test]
async fn a_greeting_says_that_the_office_has_caught_up_only_when_all_of_something_is_here() {
    const FEED: &str =
        "SELECT concat_ws(' ', caught_up_at > '2000-01-01', committed_at > '2000-01-01')
                          FROM sync_position";
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    assert_eq!(hub.text(FEED).await.unwrap(), "", "greeted alone");
    office.open(&hub.pool).await;
    assert_eq!(hub.text(FEED).await.unwrap(), "", "greeted again");
    office.taken(&hub, vec![case("C1"), case("C2")]).await;
    assert_eq!(hub.text(FEED).await.unwrap(), "t t");
    let moved = async |office: &crate::city::Office| {
        sqlx::query("UPDATE sync_position SET caught_up_at = '1999-01-01'")
            .execute(&hub.pool)
            .await
            .unwrap();
        office.open(&hub.pool).await.expect("not stale");
        hub.text(FEED).await.unwrap() == "t t"
    };
    assert!(moved(&office).await, "everything is here");
    office.next = 4;
    assert!(!moved(&office).await, "the third is not");
    let rebuilt = office.rebuilt(&hub).await;
    assert!(!moved(&rebuilt).await, "a new outbox has read nothing");
}

#[tokio::test]
async fn an_empty_batch_says_that_the_office_has_caught_up() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    sqlx::query("UPDATE sync_position SET caught_up_at = NULL")
        .execute(&hub.pool)
        .await
        .unwrap();
    office.taken(&hub, Vec::<crate::record::Case>::new()).await;
    assert_eq!(
        hub.count("SELECT count(*) FROM sync_position WHERE caught_up_at IS NOT NULL")
            .await,
        1
    );
}

#[tokio::test]
async fn an_epoch_is_taken_in_to_the_last_sequence_that_there_is_and_another_follows_it() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    sqlx::query("UPDATE sync_position SET committed_sequence = $1")
        .bind(i64::MAX - 10)
        .execute(&hub.pool)
        .await
        .unwrap();
    office.next = LAST - 9;
    assert_eq!(office.open(&hub.pool).await, Some(LAST - 10));
    let cases = (0..10).map(|nth| case(&format!("C{nth}")));
    office.taken(&hub, cases.collect()).await;
    let again = vec![case("C8").into(), case("C9").into()];
    let outcome = office.send_at(&hub.ingest, LAST - 1, again).await;
    let all = Outcome::Committed {
        committed_sequence: LAST,
        rejects: Vec::new(),
    };
    assert_eq!(outcome, all, "a replay of the end is one as any other");
    let mut rebuilt = office.rebuilt(&hub).await;
    rebuilt
        .taken(&hub, vec![case("C9").revision(2), case("C10")])
        .await;
    assert_eq!(hub.count("SELECT count(*) FROM case_record").await, 11);
    hub.figures_are_right().await;
}

/// A hub that is stopped in the middle of a batch (a machine that is suspended, SIGSTOP) holds the office's position. Its
/// session is ended after 15 s; the other hub takes over, and what the first then commits is refused.
#[tokio::test]
async fn a_hub_that_stands_still_in_a_batch_is_shut_out_and_another_takes_over() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let stopped = notary_hub::store::pool::writers(hub.url(), 1).unwrap();
    let mut batch = stopped.begin().await.unwrap();
    sqlx::query("UPDATE sync_position SET committed_sequence = 1")
        .execute(&mut *batch)
        .await
        .unwrap();
    office.taken(&hub, vec![case("C1"), case("C2")]).await;
    let late = batch.commit().await;
    assert!(late.is_err(), "what it was at is not done a second time");
    let position = "SELECT committed_sequence FROM sync_position";
    assert_eq!(hub.count(position).await, 2);
    assert_eq!(hub.count("SELECT count(*) FROM case_record").await, 2);
    hub.figures_are_right().await;
}
