//! What people see of their own accounts, and ending the own sessions.

use http::Method;
use notary_hub::identity::Role;
use notary_hub::identity::account::{self, NewAccount};
use notary_hub::store;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::password::{NEW, PRESENT, asked, change, sign_in, status, token, token_in};
use super::post::with_account;
use crate::client::Bureau;
use crate::support::seed::session_of;

const ACCOUNT: &str = "/api/v1/account";

pub async fn view(bureau: &Bureau, token: &str) -> Value {
    let answer = asked(bureau, token, Method::GET, ACCOUNT, Value::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The states of the sessions, the latest first.
fn states(view: &Value) -> Vec<&str> {
    let sessions = view["sessions"].as_array().unwrap().iter();
    let states = sessions.map(|session| session["state"].as_str().unwrap());
    states.collect()
}

/// The changes, the latest first, with who made them.
fn changes(view: &Value) -> Vec<(&str, &str)> {
    let changes = view["changes"].as_array().unwrap().iter();
    let changes = changes.map(|change| (&change["change"], &change["by"]));
    changes
        .map(|(change, by)| (change.as_str().unwrap(), by.as_str().unwrap()))
        .collect()
}

async fn end(bureau: &Bureau, token: &str, session: &Value) -> u16 {
    let path = format!("{ACCOUNT}/sessions/{}", session.as_str().unwrap());
    asked(bureau, token, Method::DELETE, &path, Value::Null)
        .await
        .status
}

#[tokio::test]
async fn people_see_where_somebody_signed_in_as_them_and_how_often_it_was_tried() {
    let bureau = with_account().await;
    let first = token(&bureau).await;
    for _ in 0..2 {
        assert_eq!(sign_in(&bureau, "wrong horse").await.status, 401);
    }
    let second = token(&bureau).await;
    let refused = change(&bureau, &second, "wrong horse", NEW).await;
    assert_eq!(refused.status, 400);
    let third = token(&bureau).await;

    let seen = view(&bureau, &second).await;
    assert_eq!(seen["login"], "li");
    assert_eq!(states(&seen), ["open", "this", "open"]);
    let tried: Vec<_> = seen["sessions"].as_array().unwrap().iter().collect();
    let tried: Vec<_> = tried.iter().map(|session| &session["refused"]).collect();
    assert_eq!(tried, [1, 2, 0]);
    assert_eq!(seen["sessions"][0]["address"], "127.0.0.1");
    assert_eq!(seen["sessions"][0]["door"], "password");
    for token in [first, third] {
        assert_eq!(status(&bureau, &token).await, 200);
    }
}

#[tokio::test]
async fn whoever_holds_a_stolen_session_cannot_wear_away_what_was_refused() {
    let bureau = with_account().await;
    let stolen = token(&bureau).await;
    for _ in 0..2 {
        assert_eq!(sign_in(&bureau, "wrong horse").await.status, 401);
    }
    let path = format!("{ACCOUNT}/sessions");
    let ended = asked(&bureau, &stolen, Method::DELETE, &path, Value::Null).await;
    assert_eq!(ended.status, 200, "{}", ended.text());
    let owner = token(&bureau).await;
    let seen = view(&bureau, &owner).await;
    let tried = seen["sessions"].as_array().unwrap().iter();
    let tried: Vec<_> = tried
        .map(|session| (&session["door"], &session["refused"]))
        .collect();
    assert_eq!(
        tried,
        [
            (&json!("password"), &json!(2)),
            (&json!("change"), &json!(0)),
            (&json!("password"), &json!(0)),
        ]
    );
}

#[tokio::test]
async fn people_end_a_session_of_their_own_and_nobody_elses() {
    let bureau = with_account().await;
    let other = NewAccount {
        login: "zhao",
        display_name: "科员",
        role: Role::Analyst,
    };
    let pepper = &bureau.hub.keys.pki.account_keys.passwords;
    account::add(&bureau.hub.db.pool, pepper, other, PRESENT)
        .await
        .unwrap();
    let (elsewhere, mine) = (token(&bureau).await, token(&bureau).await);
    let body = json!({ "login": "zhao", "password": PRESENT }).to_string();
    let theirs = token_in(&bureau.post("/api/v1/sessions", &body).await);

    let seen = view(&bureau, &mine).await;
    let left_open = &seen["sessions"][1]["session_id"];
    assert_eq!(end(&bureau, &theirs, left_open).await, 404);
    assert_eq!(status(&bureau, &elsewhere).await, 200);
    assert_eq!(states(&view(&bureau, &theirs).await), ["this"]);

    for _ in 0..2 {
        assert_eq!(end(&bureau, &mine, left_open).await, 204);
    }
    for (token, expected) in [(&elsewhere, 401), (&mine, 200), (&theirs, 200)] {
        assert_eq!(status(&bureau, token).await, expected);
    }
    assert_eq!(states(&view(&bureau, &mine).await), ["this", "ended"]);
    let nothing = json!("0198c0de-0000-7000-8000-000000000000");
    assert_eq!(end(&bureau, &mine, &nothing).await, 404);
    let log = bureau.log().await.into_iter();
    let ended: Vec<_> = log
        .filter(|entry| entry.action == "account.end_sessions")
        .map(|entry| (entry.outcome, entry.detail["session"].clone()))
        .collect();
    assert_eq!(ended, vec![("done".to_owned(), left_open.clone()); 2]);
}

#[tokio::test]
async fn people_end_all_their_sessions_and_go_on_in_a_new_one() {
    let bureau = with_account().await;
    let (elsewhere, mine) = (token(&bureau).await, token(&bureau).await);
    let path = format!("{ACCOUNT}/sessions");
    let answer = asked(&bureau, &mine, Method::DELETE, &path, Value::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let next = token_in(&answer);
    for (token, expected) in [(&elsewhere, 401), (&mine, 401), (&next, 200)] {
        assert_eq!(status(&bureau, token).await, expected);
    }
    let seen = view(&bureau, &next).await;
    assert_eq!(states(&seen), ["this", "ended", "ended"]);
    assert_eq!(seen["sessions"][0]["door"], "change");
    assert_eq!(changes(&seen), [("sessions_ended", "owner")]);
}

#[tokio::test]
async fn ending_all_sessions_makes_none_last_longer_and_a_shown_password_does() {
    let bureau = with_account().await;
    let account_id = store::account::list(&bureau.hub.db.pool).await.unwrap()[0].account_id;
    let keys = &bureau.hub.keys.pki.session_keys;
    let end = |token: &str| keys.verify(token).unwrap().expires_at;
    // Five minutes of its quarter of an hour are over.
    let old = session_of(&bureau.hub, account_id, Role::Analyst);
    let path = format!("{ACCOUNT}/sessions");
    let answer = asked(&bureau, &old, Method::DELETE, &path, Value::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let next = token_in(&answer);
    assert_eq!(end(&next), end(&old));
    let told = answer.json()["expires_at"].as_str().unwrap().to_owned();
    assert_eq!(OffsetDateTime::parse(&told, &Rfc3339).unwrap(), end(&old));

    let changed = change(&bureau, &next, PRESENT, NEW).await;
    assert!(end(&token_in(&changed)) > end(&old));
}

#[tokio::test]
async fn people_are_told_what_was_changed_about_their_account_and_by_whom() {
    let bureau = with_account().await;
    let mine = token(&bureau).await;
    let changed = change(&bureau, &mine, PRESENT, NEW).await;
    assert_eq!(changed.status, 200);
    let pool = &bureau.hub.db.pool;
    let role = store::account::Change {
        role: Some(Role::Supervisor),
        ..Default::default()
    };
    store::account::change(pool, "li", role).await.unwrap();
    store::account::set_provider_subject(pool, "li", Some("sub-1"))
        .await
        .unwrap();
    let mine = token_in(&sign_in(&bureau, NEW).await);
    let seen = view(&bureau, &mine).await;
    let expected = [
        ("provider_linked", "operator"),
        ("role", "operator"),
        ("password", "owner"),
    ];
    assert_eq!(changes(&seen), expected);
}
