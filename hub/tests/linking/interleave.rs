//! Two workers at two offices whose parties are one person, however their steps fall together.

use std::time::Duration;

use notary_hub::linking::Linking;
use notary_hub::store::linking::work;
use sqlx::{PgPool, PgTransaction};
use tokio::time::timeout;

use crate::city::Hub;
use crate::record::{Case, case};
use crate::town::{born, contents, drain, persons, send};

const OFFICES: [&str; 2] = ["hangzhou", "xiaoshan"];

fn cases() -> Vec<(&'static str, Case)> {
    OFFICES
        .map(|office| {
            (
                office,
                case("C1").parties(vec![born("诸葛国伟", "1971-04-09")]),
            )
        })
        .to_vec()
}

async fn hold(pool: &PgPool, sql: &'static str) -> PgTransaction<'static> {
    let mut held = pool.begin().await.unwrap();
    sqlx::query(sql).execute(&mut *held).await.unwrap();
    held
}

/// Waits until so many workers wait for this advisory lock of linkage.
async fn waiting(pool: &PgPool, class: i32, workers: i64) {
    loop {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = $1::integer::oid AND NOT granted
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .bind(class)
        .fetch_one(pool)
        .await
        .unwrap();
        if count >= workers {
            return;
        }
        tokio::task::yield_now().await;
    }
}

const CLUSTERS: &str = "SELECT pg_advisory_xact_lock(27755, 0)";
const INTAKE_OF_THE_FIRST: &str = "SELECT pg_advisory_xact_lock(27756, hashtext('hangzhou'))";

/// How far the second worker gets before the first has taken anything in.
#[derive(Clone, Copy, Debug)]
enum Second {
    /// It has compared, and is about to conclude.
    Compared,
    /// It is done.
    Concluded,
    /// It takes in beside the first.
    TakingIn,
}

/// A worker that gave up would be waited for without end.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn two_workers_find_each_other_however_their_steps_fall_together() {
    let reference = Hub::start().await;
    send(&reference, &cases()).await;
    drain(&reference.pool, &reference.linking()).await;
    let expected = contents(&reference.pool).await;
    assert_eq!(crate::town::count(&persons(&reference.pool).await), 1);
    reference.stop().await;
    for second in [Second::Compared, Second::Concluded, Second::TakingIn] {
        let found = timeout(PATIENCE, found_when(second)).await;
        let found = found.unwrap_or_else(|_| panic!("{second:?}: a worker gave up"));
        assert!(found == expected, "{second:?}");
    }
}

/// What is found when the second worker gets so far.
async fn found_when(second: Second) -> Vec<String> {
    let hub = Hub::start().await;
    send(&hub, &cases()).await;
    let mut clusters = Some(hold(&hub.pool, CLUSTERS).await);
    let intake = match second {
        Second::TakingIn => None,
        Second::Compared | Second::Concluded => Some(hold(&hub.pool, INTAKE_OF_THE_FIRST).await),
    };
    let workers = [hub.linking(), hub.linking()]
        .map(|linking| tokio::spawn(until_drained(hub.pool.clone(), linking)));
    if let Some(intake) = intake {
        waiting(&hub.pool, 27756, 1).await;
        waiting(&hub.pool, 27755, 1).await;
        if let Second::Concluded = second {
            clusters.take().unwrap().rollback().await.unwrap();
            drained_to(&hub.pool, 1).await;
        }
        intake.rollback().await.unwrap();
    }
    if let Some(clusters) = clusters {
        // Both have taken in and compared, and neither has written what it found.
        waiting(&hub.pool, 27755, 2).await;
        clusters.rollback().await.unwrap();
    }
    for worker in workers {
        worker.await.unwrap();
    }
    let found = contents(&hub.pool).await;
    hub.stop().await;
    found
}

/// A worker that finds nothing to take looks again: the other may have been about to take the same.
async fn until_drained(pool: PgPool, linking: Linking) {
    while !work::is_drained(&pool).await.unwrap() {
        linking.drain().await.unwrap();
    }
}

/// Waits until so much work is left.
async fn drained_to(pool: &PgPool, rows: i64) {
    loop {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM link_work")
            .fetch_one(pool)
            .await
            .unwrap();
        if left <= rows {
            return;
        }
        tokio::task::yield_now().await;
    }
}
