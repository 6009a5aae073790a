//! Guessing passwords.

use std::time::Duration;

use notary_hub::store;
use notary_proto::hub::v1::CreateSessionRequest;
use notary_proto::hub::v1::session_service_client::SessionServiceClient;
use serde_json::Value;
use tokio::time::timeout;

use super::post::with_account;
use crate::client::{Answer, Bureau};
use crate::support::hub::reason;

async fn guess(bureau: &Bureau, login: &str) -> Answer {
    let body = format!(r#"{{"login": "{login}", "password": "wrong"}}"#);
    bureau.post("/api/v1/sessions", &body).await
}

/// Account and count of each entry about refused sign-ins.
async fn refused(bureau: &Bureau) -> Vec<(Value, u64)> {
    let log = store::audit::after(&bureau.hub.db.pool, 0, 1_000).await;
    let log = log.unwrap().into_iter();
    log.filter(|entry| entry.action == "session.create" && entry.outcome == "denied")
        .map(|entry| {
            assert_eq!(entry.actor, "nobody");
            let count = entry.detail["count"].as_u64().unwrap();
            (entry.detail["account"].clone(), count)
        })
        .collect()
}

#[tokio::test]
async fn from_one_address_nobody_locks_an_account_through_any_door() {
    let bureau = with_account().await;
    for _ in 0..3 {
        assert_eq!(guess(&bureau, "li").await.problem(), "SIGN_IN_REFUSED");
    }
    let request = CreateSessionRequest {
        login: "li".into(),
        password: "wrong".into(),
        otp: String::new(),
    };
    let mut other_door = SessionServiceClient::new(bureau.hub.people());
    let fourth = other_door
        .create_session(request.clone())
        .await
        .unwrap_err();
    assert_eq!(reason(&fourth), "SIGN_IN_REFUSED");

    let fifth = guess(&bureau, "li").await;
    assert_eq!(
        (fifth.status, fifth.problem()),
        (429, "RATE_LIMITED".to_owned())
    );
    assert!(fifth.header("retry-after").parse::<u64>().unwrap() > 0);
    let fifth = other_door.create_session(request).await.unwrap_err();
    assert_eq!(reason(&fifth), "RATE_LIMITED");
    let accounts = store::account::list(&bureau.hub.db.pool).await.unwrap();
    assert!(!accounts[0].locked);
    assert_eq!(guess(&bureau, "nobody").await.problem(), "SIGN_IN_REFUSED");
}

#[tokio::test]
async fn signing_in_ends_a_row_of_failures() {
    let bureau = with_account().await;
    let right = r#"{"login": "li", "password": "correct horse battery"}"#;
    for _ in 0..3 {
        for _ in 0..3 {
            assert_eq!(guess(&bureau, "li").await.status, 401);
        }
        assert_eq!(bureau.post("/api/v1/sessions", right).await.status, 201);
    }
}

#[tokio::test]
async fn guessing_leaves_one_entry_for_an_account_and_minute_and_loses_no_count() {
    let bureau = with_account().await;
    for _ in 0..4 {
        guess(&bureau, "li").await;
        guess(&bureau, "nobody").await;
        guess(&bureau, "another").await;
    }
    let pool = &bureau.hub.db.pool;
    let li = store::account::find(pool, "li").await.unwrap().unwrap();
    let at_once = [(li.to_string().into(), 1), (Value::Null, 1)];
    assert_eq!(refused(&bureau).await, at_once);
    let log = store::audit::after(pool, 0, 1_000).await.unwrap();
    let told = log
        .iter()
        .any(|entry| entry.detail.to_string().contains("nobody"));
    assert!(!told, "what was tried is not written down");

    let Bureau { hub, seed } = bureau;
    let pool = hub.db.pool.clone();
    drop(seed);
    hub.app.stop().await.unwrap();
    let count =
        "SELECT sum((detail->>'count')::bigint)::bigint FROM audit_entry WHERE outcome = 'denied'";
    let count: i64 = sqlx::query_scalar(count).fetch_one(&pool).await.unwrap();
    assert_eq!(count, 12);
}

#[tokio::test]
async fn whoever_goes_on_when_kept_out_waits_for_no_row_and_is_counted_all_the_same() {
    let bureau = with_account().await;
    for _ in 0..4 {
        assert_eq!(guess(&bureau, "li").await.status, 401);
    }
    let pool = bureau.hub.db.pool.clone();
    let mut holder = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM account FOR UPDATE")
        .execute(&mut *holder)
        .await
        .unwrap();
    for _ in 0..3 {
        let kept_out = timeout(Duration::from_secs(10), guess(&bureau, "li")).await;
        assert_eq!(kept_out.expect("no waiting").problem(), "RATE_LIMITED");
    }
    holder.rollback().await.unwrap();
    let Bureau { hub, seed } = bureau;
    drop(seed);
    hub.app.stop().await.unwrap();
    let counted: (i64, i32) = sqlx::query_as(
        "SELECT sum((detail->>'count')::bigint)::bigint, (SELECT refused FROM account WHERE login = 'li')
           FROM audit_entry WHERE outcome = 'denied'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(counted, (7, 7));
}
