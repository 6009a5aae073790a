//! Giving the own account a second factor.

use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;
use http::Method;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::own::view;
use super::password::{NEW, PRESENT, asked, change, status, token, token_in};
use super::post::with_account;
use crate::client::{Answer, Bureau};

const PATH: &str = "/api/v1/account/second-factor";

/// What an authenticator shows so many steps from now (RFC 6238).
fn code(secret: &str, steps: i64) -> String {
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let step = OffsetDateTime::now_utc().unix_timestamp() / 30 + steps;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let bytes: [u8; 4] = tag.as_ref()[at..at + 4].try_into().unwrap();
    format!(
        "{:06}",
        (u32::from_be_bytes(bytes) & 0x7fff_ffff) % 1_000_000
    )
}

async fn offer(bureau: &Bureau, token: &str, password: &str, otp: &str) -> Answer {
    let body = json!({ "current_password": password, "otp": otp });
    asked(bureau, token, Method::POST, PATH, body).await
}

async fn confirm(bureau: &Bureau, token: &str, otp: &str) -> Answer {
    asked(bureau, token, Method::PUT, PATH, json!({ "otp": otp })).await
}

async fn sign_in(bureau: &Bureau, otp: &str) -> Answer {
    let body = json!({ "login": "li", "password": PRESENT, "otp": otp });
    bureau.post("/api/v1/sessions", &body.to_string()).await
}

fn secret(offered: &Answer) -> String {
    assert_eq!(offered.status, 200, "{}", offered.text());
    offered.json()["secret"].as_str().unwrap().to_owned()
}

fn field(answer: &Answer) -> Value {
    assert_eq!(answer.status, 400, "{}", answer.text());
    answer.json()["field"].clone()
}

/// Outcomes in the audit log.
async fn recorded(bureau: &Bureau) -> Vec<String> {
    let log = bureau.log().await.into_iter();
    log.filter(|entry| entry.action == "account.enrol_second_factor")
        .map(|entry| entry.outcome)
        .collect()
}

#[tokio::test]
async fn people_set_a_second_factor_up_with_their_password_and_a_code_of_it() {
    let bureau = with_account().await;
    let (elsewhere, mine) = (token(&bureau).await, token(&bureau).await);
    let offered = offer(&bureau, &mine, PRESENT, "").await;
    let secret = secret(&offered);
    let uri = offered.json()["uri"].as_str().unwrap().to_owned();
    assert!(uri.starts_with("otpauth://totp/notary-hub:li?") && uri.contains(&secret));
    // What was only shown is not in force.
    assert_eq!(sign_in(&bureau, "").await.status, 201);

    let present = code(&secret, 0);
    let set = confirm(&bureau, &mine, &present).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let answer = set.json();
    let next = answer["session"]["access_token"].as_str().unwrap();
    for (token, expected) in [(&*elsewhere, 401), (&*mine, 401), (next, 200)] {
        assert_eq!(status(&bureau, token).await, expected);
    }
    assert_eq!(
        sign_in(&bureau, "").await.problem(),
        "SECOND_FACTOR_REQUIRED"
    );
    // The code that confirmed it is used up, and nothing is confirmed twice.
    assert_eq!(sign_in(&bureau, &present).await.status, 401);
    assert_eq!(
        field(&confirm(&bureau, next, &code(&secret, 1)).await),
        "otp"
    );
    assert_eq!(sign_in(&bureau, &code(&secret, 1)).await.status, 201);
    let codes = answer["recovery_codes"].as_array().unwrap();
    assert_eq!(codes.len(), 10);
    assert_eq!(
        sign_in(&bureau, codes[0].as_str().unwrap()).await.status,
        201
    );

    let seen = view(&bureau, next).await;
    assert_eq!(seen["second_factor"], true);
    assert_eq!(seen["recovery_codes"], 9);
    assert_eq!(seen["changes"][0]["change"], "second_factor_set");
    assert_eq!(recorded(&bureau).await, ["done", "denied"]);
}

#[tokio::test]
async fn being_asked_for_a_code_costs_no_try_of_an_address() {
    let bureau = with_account().await;
    let mine = token(&bureau).await;
    let secret = secret(&offer(&bureau, &mine, PRESENT, "").await);
    let set = confirm(&bureau, &mine, &code(&secret, 0)).await;
    assert_eq!(set.status, 200, "{}", set.text());
    for _ in 0..6 {
        let asked = sign_in(&bureau, "").await;
        assert_eq!(asked.problem(), "SECOND_FACTOR_REQUIRED");
    }
    assert_eq!(sign_in(&bureau, &code(&secret, 1)).await.status, 201);
}

#[tokio::test]
async fn a_session_that_was_left_open_sets_no_second_factor_up() {
    let bureau = with_account().await;
    let mine = token(&bureau).await;
    let refused = offer(&bureau, &mine, "wrong horse battery", "").await;
    assert_eq!(field(&refused), "current_password");
    assert_eq!(field(&confirm(&bureau, &mine, "000000").await), "otp");
    assert_eq!(recorded(&bureau).await, ["denied"; 2]);
    assert_eq!(sign_in(&bureau, "").await.status, 201);
}

#[tokio::test]
async fn a_second_factor_is_replaced_by_whoever_has_a_code_of_it() {
    let bureau = with_account().await;
    let mine = token(&bureau).await;
    let first = secret(&offer(&bureau, &mine, PRESENT, "").await);
    let set = confirm(&bureau, &mine, &code(&first, 0)).await.json();
    let mine = set["session"]["access_token"].as_str().unwrap().to_owned();
    for otp in ["", "000000", &code(&first, 0)] {
        let refused = offer(&bureau, &mine, PRESENT, otp).await;
        assert_eq!(field(&refused), "otp", "{otp}");
    }
    let second = offer(&bureau, &mine, PRESENT, &code(&first, 1)).await;
    let second = secret(&second);
    let set = confirm(&bureau, &mine, &code(&second, 0)).await;
    assert_eq!(set.status, 200, "{}", set.text());
    // Recovery codes of the first are no more.
    let seen = view(&bureau, &token_of(&set)).await;
    assert_eq!(seen["recovery_codes"], 10);
    assert_eq!(sign_in(&bureau, &code(&second, 1)).await.status, 201);
}

fn token_of(set: &Answer) -> String {
    let set = set.json();
    set["session"]["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_shown_ends_with_five_wrong_codes_and_with_any_change_of_the_account() {
    let bureau = with_account().await;
    let mine = token(&bureau).await;
    let tried = secret(&offer(&bureau, &mine, PRESENT, "").await);
    let right = code(&tried, 0);
    let wrong = if right == "000000" {
        "000001"
    } else {
        "000000"
    };
    for _ in 0..5 {
        assert_eq!(field(&confirm(&bureau, &mine, wrong).await), "otp");
    }
    assert_eq!(field(&confirm(&bureau, &mine, &right).await), "otp");

    let shown = secret(&offer(&bureau, &mine, PRESENT, "").await);
    let changed = change(&bureau, &mine, PRESENT, NEW).await;
    let mine = token_in(&changed);
    assert_eq!(
        field(&confirm(&bureau, &mine, &code(&shown, 0)).await),
        "otp"
    );
}
