//! Whatever is killed, and wherever: what stands once all work is done is what it would have been.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Arc;

use notary_hub::jobs::JobState;
use notary_hub::linking::relink::relink;
use notary_hub::linking::run::{Progress, Runs, Step};
use notary_hub::linking::state::state;
use notary_hub::store;
use sqlx::{PgPool, PgTransaction};
use tokio::sync::Notify;

use crate::city::Hub;
use crate::support::program::Site;
use crate::town::{Dice, cases, contents, drain, relinked, send};

/// Waits until so many sessions of this database wait for a lock.
pub async fn blocked(pool: &PgPool, sessions: i64) {
    loop {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity
              WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        if waiting >= sessions {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn hold(pool: &PgPool, lock: &'static str) -> PgTransaction<'static> {
    let mut held = pool.begin().await.unwrap();
    sqlx::query(lock).execute(&mut *held).await.unwrap();
    held
}

/// Where a worker stands still: in the midst of taking in, before it concludes, in the midst of concluding, and
/// before it takes its work off.
const STANDSTILLS: [&str; 4] = [
    "LOCK TABLE link_block IN EXCLUSIVE MODE",
    "SELECT pg_advisory_xact_lock(27755, 0)",
    "LOCK TABLE link IN EXCLUSIVE MODE",
    "LOCK TABLE link_work IN SHARE MODE",
];

#[tokio::test]
async fn a_worker_that_dies_anywhere_leaves_nothing_undone() {
    let mut dice = Dice(11);
    let town = cases(&mut dice, 40, 60);
    let reference = Hub::start().await;
    send(&reference, &town).await;
    drain(&reference.pool, &reference.linking()).await;
    let expected = contents(&reference.pool).await;
    reference.stop().await;
    for standstill in STANDSTILLS {
        let hub = Hub::start().await;
        send(&hub, &town).await;
        let linking = hub.linking();
        // Work is taken before the last of the locks can be: it is the first thing that a worker writes.
        let held = match standstill.contains("link_work") {
            false => hold(&hub.pool, standstill).await,
            true => hold(&hub.pool, STANDSTILLS[1]).await,
        };
        let worker = tokio::spawn(async move { linking.drain().await });
        blocked(&hub.pool, 1).await;
        let held = match standstill.contains("link_work") {
            false => held,
            true => {
                let rows = hold(&hub.pool, standstill).await;
                held.rollback().await.unwrap();
                blocked(&hub.pool, 1).await;
                rows
            }
        };
        worker.abort();
        assert!(worker.await.unwrap_err().is_cancelled(), "{standstill}");
        held.rollback().await.unwrap();
        // Its lease runs out.
        sqlx::query("UPDATE link_work SET leased_until = now() - interval '1 s'")
            .execute(&hub.pool)
            .await
            .unwrap();
        drain(&hub.pool, &hub.linking()).await;
        assert!(contents(&hub.pool).await == expected, "{standstill}");
        hub.stop().await;
    }
}

#[tokio::test]
async fn a_relinking_that_ends_at_any_step_changes_nothing() {
    let mut dice = Dice(12);
    let town = cases(&mut dice, 40, 60);
    let hub = Hub::start().await;
    send(&hub, &town).await;
    drain(&hub.pool, &hub.linking()).await;
    let expected = contents(&hub.pool).await;
    // Something to be put right.
    sqlx::query("UPDATE link_node SET person_id = node_id")
        .execute(&hub.pool)
        .await
        .unwrap();
    sqlx::query("DELETE FROM link_block")
        .execute(&hub.pool)
        .await
        .unwrap();
    let before = contents(&hub.pool).await;
    assert!(before != expected);
    for last in [
        Step::Wait,
        Step::Read,
        Step::Compare,
        Step::Write,
        Step::Switch,
    ] {
        let reached = Arc::new(Notify::new());
        let tell = |progress: Progress| {
            if progress.step == last {
                reached.notify_one();
            }
        };
        // As of a program that ends: its connections go with it.
        let pool = store::pool::linking(hub.url(), 3).unwrap();
        let runs = Runs {
            long: &pool,
            short: &pool,
            tell: &tell,
        };
        tokio::select! {
            biased;
            () = reached.notified() => {}
            done = relink(&runs) => panic!("it ended before {last:?}: {done:?}"),
        }
        pool.close().await;
        assert!(contents(&hub.pool).await == before, "{last:?}");
    }
    relinked(&hub.pool).await;
    assert!(contents(&hub.pool).await == expected);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_killed_while_it_switches_changes_nothing_and_is_found_again_as_cut_short() {
    let mut dice = Dice(13);
    let town = cases(&mut dice, 40, 60);
    let hub = Hub::start().await;
    send(&hub, &town).await;
    let before = contents(&hub.pool).await;
    let site = Site::new(&format!("database.url = '{}'\n", hub.url()));
    assert!(site.run(&["init"]).status.success());
    // It stands still with half of the differences applied.
    let held = hold(&hub.pool, "LOCK TABLE link IN EXCLUSIVE MODE").await;
    let mut command = site.command(&["persons", "relink"]);
    let mut program = command.stderr(Stdio::piped()).spawn().unwrap();
    blocked(&hub.pool, 1).await;
    let under_way = state(&hub.pool).await.unwrap().relink.unwrap();
    assert_eq!(under_way.state, JobState::UnderWay);
    assert_eq!(under_way.step, Step::Switch);
    program.kill().unwrap();
    program.wait().unwrap();
    let said: Vec<String> = BufReader::new(program.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .collect();
    assert!(
        said.iter().any(|line| line.starts_with("compare ")),
        "{said:?}"
    );
    held.rollback().await.unwrap();
    // PostgreSQL finds out that nobody listens once it has something to say.
    while state(&hub.pool).await.unwrap().relink.unwrap().state == JobState::UnderWay {
        tokio::task::yield_now().await;
    }
    assert!(contents(&hub.pool).await == before);
    let cut = state(&hub.pool).await.unwrap().relink.unwrap();
    assert_eq!(cut.state, JobState::CutShort);
    relinked(&hub.pool).await;
    drain(&hub.pool, &hub.linking()).await;
    let whole = state(&hub.pool).await.unwrap().relink.unwrap();
    assert_eq!(whole.state, JobState::Done);
    hub.stop().await;
}
