//! Long actions, found again.

use notary_hub::identity::Role;
use notary_hub::jobs::{Kind, Step, UnderWay};
use serde_json::Value;

use crate::client::Bureau;

async fn jobs(bureau: &Bureau) -> Vec<Value> {
    let answer = bureau.get(Role::Operator, "/api/v1/jobs").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_job_says_how_far_it_is_and_how_it_ended_also_when_it_was_cut_short() {
    let bureau = Bureau::open().await;
    let pool = &bureau.hub.db.pool;
    assert!(jobs(&bureau).await.is_empty());
    let job = UnderWay::begin(pool, Kind::Recount).await.unwrap();
    job.at(Step::Count, 3, 8).await.unwrap();
    let listed = jobs(&bureau).await;
    assert_eq!(listed[0]["state"], "under_way");
    assert_eq!(
        (&listed[0]["done"], &listed[0]["total"]),
        (&3.into(), &8.into())
    );
    assert_eq!(listed[0]["kind_zh"], "统计重算");
    assert_eq!(listed[0]["started_by"], "operator");
    job.end(&Ok::<_, sqlx::Error>(7)).await;
    let path = format!("/api/v1/jobs/{}", listed[0]["job_id"].as_str().unwrap());
    let ended = bureau.get(Role::Supervisor, &path).await.json();
    assert_eq!(ended["state"], "done");
    assert!(ended["ended_at"].is_string());

    let failed = UnderWay::begin(pool, Kind::Train).await.unwrap();
    failed.end(&Err::<(), _>(sqlx::Error::PoolClosed)).await;
    assert_eq!(jobs(&bureau).await[0]["state"], "failed");
    // Whoever did it is gone without a word.
    let cut = UnderWay::begin(pool, Kind::Relink).await.unwrap();
    assert_eq!(jobs(&bureau).await[0]["state"], "under_way");
    drop(cut);
    while jobs(&bureau).await[0]["state"] == "under_way" {
        tokio::task::yield_now().await;
    }
    assert_eq!(jobs(&bureau).await[0]["state"], "cut_short");
    let other = "/api/v1/jobs/01890000-0000-7000-8000-000000000000";
    assert_eq!(bureau.get(Role::Operator, other).await.status, 404);
    bureau.hub.app.stop().await.unwrap();
}
