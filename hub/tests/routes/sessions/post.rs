//! Signing in.

use notary_hub::identity::Role;
use notary_hub::identity::account::second_factor;
use notary_hub::identity::account::{self, NewAccount};
use notary_hub::store;

use crate::client::Bureau;

pub async fn with_account() -> Bureau {
    let bureau = Bureau::open().await;
    let account = NewAccount {
        login: "li",
        display_name: "统计科",
        role: Role::Analyst,
    };
    let pepper = &bureau.hub.keys.pki.account_keys.passwords;
    account::add(
        &bureau.hub.db.pool,
        pepper,
        account,
        "correct horse battery",
    )
    .await
    .unwrap();
    bureau
}

#[tokio::test]
async fn login_and_password_give_a_session_that_works() {
    let bureau = with_account().await;
    let body = r#"{"login": "li", "password": "correct horse battery"}"#;
    let answer = bureau.post("/api/v1/sessions", body).await;
    assert_eq!(answer.status, 201);
    let session = answer.json();
    assert_eq!(session["role"], "analyst");
    assert_eq!(session["display_name"], "统计科");
    let token = session["access_token"].as_str().unwrap();
    let request = http::Request::get("/api/v1/statistics")
        .header("authorization", format!("Bearer {token}"))
        .body(http_body_util::Full::default())
        .unwrap();
    assert_eq!(bureau.send(request).await.status, 200);
    assert_eq!(bureau.log().await[0].action, "session.create");
}

#[tokio::test]
async fn a_wrong_password_an_unknown_login_and_one_that_cannot_be_look_the_same() {
    let bureau = with_account().await;
    let mut bodies = Vec::new();
    for login in ["li", "nobody", "l\\u0000i"] {
        let body = format!(r#"{{"login": "{login}", "password": "wrong"}}"#);
        let answer = bureau.post("/api/v1/sessions", &body).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (401, "SIGN_IN_REFUSED".to_owned())
        );
        bodies.push(answer.body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]));
}

#[tokio::test]
async fn an_account_with_a_second_factor_is_asked_for_its_code() {
    let bureau = with_account().await;
    let pool = &bureau.hub.db.pool;
    let account_id = store::account::find(pool, "li").await.unwrap().unwrap();
    let key = &bureau.hub.keys.pki.account_keys.second_factors;
    let enrolled = second_factor::enrol(pool, key, account_id).await.unwrap();
    let without = r#"{"login": "li", "password": "correct horse battery"}"#;
    let answer = bureau.post("/api/v1/sessions", without).await;
    assert_eq!(
        (answer.status, answer.problem()),
        (401, "SECOND_FACTOR_REQUIRED".to_owned())
    );
    assert_eq!(answer.json()["field"], "otp");
    let code = enrolled.recovery_codes[0].as_str();
    let with =
        format!(r#"{{"login": "li", "password": "correct horse battery", "otp": "{code}"}}"#);
    assert_eq!(bureau.post("/api/v1/sessions", &with).await.status, 201);
    let again = bureau.post("/api/v1/sessions", &with).await;
    assert_eq!(
        (again.status, again.problem()),
        (401, "SIGN_IN_REFUSED".to_owned())
    );
}

#[tokio::test]
async fn a_body_that_is_not_the_one_expected_is_a_problem() {
    let bureau = Bureau::open().await;
    for (body, status) in [
        ("{", 400),
        (r#"{"login": "li"}"#, 422),
        (r#"{"login": "li", "password": "x", "more": 1}"#, 422),
        // However deep it is, it is not followed.
        (&format!(r#"{{"login": {}"#, "[".repeat(10_000)), 422),
        (
            &format!(
                r#"{{"login": "{}", "password": "x"}}"#,
                "l".repeat(17 << 10)
            ),
            413,
        ),
    ] {
        let answer = bureau.post("/api/v1/sessions", body).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (status, "BODY_INVALID".to_owned())
        );
    }
}
