//! Work that fails makes way for the rest, and is not lost.

use std::time::Duration;

use notary_hub::background::Cause;
use notary_hub::store;
use notary_hub::store::job::set_aside;
use notary_hub::store::supervision::profile;
use notary_hub::store::supervision::work;
use notary_hub::supervision::profile::Profile;

use crate::city::Hub;
use crate::{TODAY, late, supervision};

const FINDINGS: &str =
    "SELECT string_agg(about_key, ' ' ORDER BY about_key) FROM supervision_finding";

/// The times pass until which what failed is left alone.
async fn time_passes(hub: &Hub) {
    sqlx::query("UPDATE supervision_work SET leased_until = now() - interval '1 s' WHERE leased_until > now()")
        .execute(&hub.pool)
        .await
        .unwrap();
}

/// No rule can look at C2 any more, until it comes anew.
async fn spoil(hub: &Hub) {
    sqlx::query("UPDATE party SET role = 'no role that there is' WHERE source_case_id = 'C2'")
        .execute(&hub.pool)
        .await
        .unwrap();
}

/// Works until nothing waits but what is set aside. Returns how many attempts failed.
async fn worked_off(hub: &Hub) -> usize {
    let supervision = supervision(hub);
    let mut failures = 0;
    while work::waiting(&hub.pool).await.unwrap().cases > 0 {
        failures += usize::from(supervision.drain(TODAY).await.is_err());
        assert!(failures < 100, "it never ends");
        time_passes(hub).await;
    }
    failures
}

#[tokio::test]
async fn a_case_that_cannot_be_judged_holds_up_no_other_and_is_set_aside_until_it_changes() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let cases = (1..=5).map(|n| late(&format!("C{n}"))).collect();
    office.taken(&hub, cases).await;
    spoil(&hub).await;
    let failures = worked_off(&hub).await;
    assert_eq!(hub.text(FINDINGS).await.unwrap(), "C1 C3 C4 C5");
    assert!(failures > 5, "tried again and again: {failures}");
    let waiting = work::waiting(&hub.pool).await.unwrap();
    assert_eq!(waiting.set_aside, 1);
    let mut connection = hub.pool.acquire().await.unwrap();
    let listed = set_aside::list(&mut connection, None, 9).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].source_case_id.as_deref(), Some("C2"));
    assert_eq!(listed[0].cause, Some(Cause::Unreadable));

    // These rules have failed; others may not.
    let version = &supervision(&hub).rules.rules().version;
    work::retry_set_aside(&hub.pool, version).await.unwrap();
    assert_eq!(work::waiting(&hub.pool).await.unwrap().cases, 0);
    work::retry_set_aside(&hub.pool, "other rules")
        .await
        .unwrap();
    assert_eq!(work::waiting(&hub.pool).await.unwrap().cases, 1);
    worked_off(&hub).await;

    // The case changes.
    office
        .taken(&hub, vec![late("C2").revision(2).fee(13_000)])
        .await;
    assert_eq!(worked_off(&hub).await, 0);
    assert_eq!(hub.text(FINDINGS).await.unwrap(), "C1 C2 C3 C4 C5");
    let left = hub.count("SELECT count(*) FROM supervision_work").await;
    assert_eq!(left, 0);
}

#[tokio::test]
async fn what_failed_is_due_behind_what_came_meanwhile() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office.taken(&hub, vec![late("C2")]).await;
    spoil(&hub).await;
    assert!(supervision(&hub).drain(TODAY).await.is_err());
    office.taken(&hub, vec![late("C1")]).await;
    // The row at fault is left alone: nothing is in the way of the new one.
    supervision(&hub).drain(TODAY).await.unwrap();
    assert_eq!(hub.text(FINDINGS).await.unwrap(), "C1");
}

#[tokio::test]
async fn what_an_office_filed_is_put_down_once_however_often_limits_are_looked_for() {
    let hub = Hub::start().await;
    hub.office("hangzhou").await;
    for _ in 0..3 {
        work::put_due(&hub.pool, TODAY).await.unwrap();
    }
    let rows = "SELECT count(*) FROM supervision_work WHERE source_case_ids = '{}'";
    assert_eq!(hub.count(rows).await, 1);
}

#[tokio::test]
async fn what_the_bureau_has_on_file_of_an_office_comes_before_the_rules_when_it_changes() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office
        .taken(&hub, vec![late("C1").issued("2024-03-06")])
        .await;
    supervision(&hub).drain(TODAY).await.unwrap();
    assert_eq!(hub.text(FINDINGS).await, None);
    let profile = |telephone: &str| Profile {
        matters_excluded: vec!["will".parse().unwrap()],
        telephone: telephone.to_owned(),
        ..Profile::default()
    };
    profile::put(&hub.pool, office.office_id, &profile("1"))
        .await
        .unwrap();
    supervision(&hub).drain(TODAY).await.unwrap();
    assert_eq!(hub.text(FINDINGS).await.unwrap(), "C1");
    // Nothing that a rule looks at.
    profile::put(&hub.pool, office.office_id, &profile("2"))
        .await
        .unwrap();
    assert_eq!(work::waiting(&hub.pool).await.unwrap().cases, 0);
}

#[tokio::test]
async fn one_row_is_taken_at_once_whatever_the_plan() {
    let hub = Hub::start().await;
    for nth in 0..15 {
        let office = hub.office(&format!("office{nth}")).await;
        let mut connection = hub.pool.acquire().await.unwrap();
        work::add_office(&mut connection, office.office_id)
            .await
            .unwrap();
    }
    // Held to indexes, and without statistics: a loop in a loop.
    let pool = store::pool::supervision(hub.url()).unwrap();
    let taken = work::take(&pool, Duration::from_secs(60)).await.unwrap();
    assert!(taken.is_some());
    let leased = "SELECT count(*) FROM supervision_work WHERE leased_until IS NOT NULL";
    assert_eq!(hub.count(leased).await, 1);
}
