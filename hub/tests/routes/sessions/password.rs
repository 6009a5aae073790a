//! Changing the own password.

use http::{Method, Request};
use http_body_util::Full;
use serde_json::{Value, json};

use super::post::with_account;
use crate::client::{Answer, Bureau};

pub const PRESENT: &str = "correct horse battery";
pub const NEW: &str = "seven swans swimming";

pub async fn sign_in(bureau: &Bureau, password: &str) -> Answer {
    let body = json!({ "login": "li", "password": password }).to_string();
    bureau.post("/api/v1/sessions", &body).await
}

pub async fn token(bureau: &Bureau) -> String {
    let answer = sign_in(bureau, PRESENT).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    token_in(&answer)
}

pub fn token_in(answer: &Answer) -> String {
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

pub async fn asked(
    bureau: &Bureau,
    token: &str,
    method: Method,
    path: &str,
    body: Value,
) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = request
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"));
    let body = match body {
        Value::Null => Full::default(),
        body => Full::new(body.to_string().into()),
    };
    bureau.send(request.body(body).unwrap()).await
}

pub async fn change(bureau: &Bureau, token: &str, present: &str, new: &str) -> Answer {
    let body = json!({ "current_password": present, "new_password": new });
    let path = "/api/v1/account/password";
    asked(bureau, token, Method::PUT, path, body).await
}

pub async fn status(bureau: &Bureau, token: &str) -> u16 {
    let path = "/api/v1/offices";
    let answer = asked(bureau, token, Method::GET, path, Value::Null).await;
    answer.status
}

/// Outcomes of changes in the audit log.
async fn recorded(bureau: &Bureau) -> Vec<String> {
    let log = bureau.log().await.into_iter();
    log.filter(|entry| entry.action == "account.change_password")
        .map(|entry| entry.outcome)
        .collect()
}

#[tokio::test]
async fn whoever_knows_the_present_password_gets_another_and_every_other_session_ends() {
    let bureau = with_account().await;
    let (mine, elsewhere) = (token(&bureau).await, token(&bureau).await);
    let changed = change(&bureau, &mine, PRESENT, NEW).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let next = token_in(&changed);
    assert_eq!(changed.json()["role"], "analyst");
    for (token, expected) in [(&mine, 401), (&elsewhere, 401), (&next, 200)] {
        assert_eq!(status(&bureau, token).await, expected);
    }
    assert_eq!(sign_in(&bureau, PRESENT).await.status, 401);
    assert_eq!(sign_in(&bureau, NEW).await.status, 201);
    assert_eq!(recorded(&bureau).await, ["done"]);
}

#[tokio::test]
async fn a_session_that_was_left_open_is_no_place_to_guess_the_password_from() {
    let bureau = with_account().await;
    let mine = token(&bureau).await;
    for _ in 0..4 {
        let refused = change(&bureau, &mine, "wrong horse battery", NEW).await;
        assert_eq!(
            (refused.status, refused.problem()),
            (400, "FIELD_INVALID".to_owned())
        );
        assert_eq!(refused.json()["field"], "current_password");
    }
    let fifth = change(&bureau, &mine, PRESENT, NEW).await;
    assert_eq!(
        (fifth.status, fifth.problem()),
        (429, "RATE_LIMITED".to_owned())
    );
    assert_eq!(recorded(&bureau).await, ["denied"; 4]);
    assert_eq!(
        status(&bureau, &mine).await,
        200,
        "nothing ends but the tries"
    );
}

#[tokio::test]
async fn a_password_that_is_short_common_or_made_of_names_is_refused_and_said_why() {
    let bureau = with_account().await;
    let mine = token(&bureau).await;
    for (new, said) in [
        ("too short", "至少12个字符"),
        ("Password2026!", "常用密码"),
        ("统计科统计科统计科2026-7", "不计入密码长度"),
    ] {
        // As often as one likes: nothing is guessed by it.
        for _ in 0..3 {
            let refused = change(&bureau, &mine, PRESENT, new).await;
            assert_eq!(refused.status, 400, "{new}");
            let problem = refused.json();
            assert_eq!(problem["field"], "new_password");
            assert!(
                problem["detail_zh"].as_str().unwrap().contains(said),
                "{problem}"
            );
            assert!(!refused.text().contains(new), "never carries the value");
        }
    }
    assert!(recorded(&bureau).await.is_empty());
    assert_eq!(change(&bureau, &mine, PRESENT, NEW).await.status, 200);
}
