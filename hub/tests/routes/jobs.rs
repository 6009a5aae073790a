//! Long actions, found again.

use std::process::{Child, Stdio};

use notary_hub::identity::Role;
use notary_hub::jobs::{Begun, Step, UnderWay};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::client::Bureau;
use crate::record::case;
use crate::support::program::Site;

async fn jobs(bureau: &Bureau) -> Vec<Value> {
    let answer = bureau.get(Role::Operator, "/api/v1/jobs").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["items"].as_array().unwrap().clone()
}

/// The newest job, once it is as it should be.
async fn newest(bureau: &Bureau, is_awaited: impl Fn(&Value) -> bool) -> Value {
    loop {
        let newest = jobs(bureau).await.into_iter().next();
        if let Some(job) = newest.filter(&is_awaited) {
            return job;
        }
        tokio::task::yield_now().await;
    }
}

async fn begin(pool: &PgPool, begun: Begun) -> UnderWay {
    UnderWay::begin(pool, begun).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_job_says_how_far_it_is_and_how_it_ended() {
    let bureau = Bureau::open().await;
    let pool = &bureau.hub.db.pool;
    assert!(jobs(&bureau).await.is_empty());
    let job = begin(pool, Begun::Recount).await;
    job.at(Step::Count, 3, 8).await.unwrap();
    let listed = jobs(&bureau).await;
    assert_eq!(listed[0]["state"], "under_way");
    assert_eq!(
        [&listed[0]["done"], &listed[0]["total"]],
        [&json!(3), &json!(8)]
    );
    assert_eq!(listed[0]["kind_zh"], "统计重算");
    assert_eq!(listed[0]["started_by"], "operator");
    job.end(&Ok::<_, sqlx::Error>(7)).await;
    let path = format!("/api/v1/jobs/{}", listed[0]["job_id"].as_str().unwrap());
    let ended = bureau.get(Role::Supervisor, &path).await.json();
    assert_eq!(ended["state"], "done");
    assert!(ended["ended_at"].is_string());

    let failed = begin(pool, Begun::Train).await;
    failed.end(&Err::<(), _>(sqlx::Error::PoolClosed)).await;
    assert_eq!(jobs(&bureau).await[0]["state"], "failed");
    let other = "/api/v1/jobs/01890000-0000-7000-8000-000000000000";
    assert_eq!(bureau.get(Role::Operator, other).await.status, 404);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn two_jobs_about_the_same_are_not_under_way_at_once() {
    let bureau = Bureau::open().await;
    let pool = &bureau.hub.db.pool;
    let training = begin(pool, Begun::Train).await;
    for begun in [Begun::Train, Begun::Relink] {
        assert!(UnderWay::begin(pool, begun).await.unwrap().is_none());
    }
    let counting = begin(pool, Begun::Recount).await;
    assert_eq!(jobs(&bureau).await.len(), 2, "what was refused is no job");
    training.end(&Ok::<_, sqlx::Error>(())).await;
    begin(pool, Begun::Relink).await;
    drop(counting);
    bureau.hub.app.stop().await.unwrap();
}

/// Counts anew in a process of its own.
fn rebuilding(site: &Site) -> Child {
    let mut command = site.command(&["stats", "rebuild"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counting_tells_its_progress_and_one_that_was_killed_shows_as_cut_short() {
    let bureau = Bureau::open().await;
    let cases = ["A1", "A2", "A3"].map(|id| case(id).accepted("2024-04-02"));
    bureau
        .seed
        .office(&bureau.hub, "hangzhou", cases.into())
        .await;
    let site = Site::new(&format!("database.url = '{}'\n", bureau.hub.db.url));
    site.keyed_as(&bureau.hub.keys.config.pki_dir());
    // It stands still when all cases are counted and nothing is written.
    let mut held = bureau.hub.db.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE rollup_cell IN SHARE MODE")
        .execute(&mut *held)
        .await
        .unwrap();
    let mut program = rebuilding(&site);
    let job = newest(&bureau, |job| job["done"] == 3).await;
    assert_eq!(
        [&job["state"], &job["step"], &job["total"]],
        [&json!("under_way"), &json!("count"), &json!(3)]
    );
    let listed = site.said(&["jobs"]);
    assert!(listed.starts_with("recount   under way "), "{listed}");
    assert!(listed.contains("count 3 of 3"), "{listed}");
    let second = site.run(&["stats", "rebuild"]);
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("notary-hub jobs"), "{said}");

    program.kill().unwrap();
    program.wait().unwrap();
    held.rollback().await.unwrap();
    let cut = newest(&bureau, |job| job["state"] != "under_way").await;
    assert_eq!(cut["state"], "cut_short");
    assert_eq!(cut["job_id"], job["job_id"]);
    assert!(cut["ended_at"].is_null());
    site.said(&["stats", "rebuild"]);
    let states = jobs(&bureau).await;
    let states = states.iter().map(|job| job["state"].as_str().unwrap());
    assert_eq!(states.collect::<Vec<_>>(), ["done", "cut_short"]);
    bureau.hub.app.stop().await.unwrap();
}
