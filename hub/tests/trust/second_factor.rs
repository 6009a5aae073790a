//! Codes of authenticators and recovery codes at sign-in.

use data_encoding::BASE32_NOPAD;
use notary_hub::embedded::testing::fresh_database;
use notary_hub::identity::account::second_factor::{self, Enrolled};
use notary_hub::identity::account::{self, Credentials, NewAccount, SignInError};
use notary_hub::identity::pki;
use notary_hub::identity::{Role, RoleKind, Sessions};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::support::{Keys, pepper, sessions};

const PASSWORD: &str = "correct horse battery";

async fn account(pool: &PgPool, login: &str, role: Role) -> Uuid {
    let account = NewAccount {
        login,
        display_name: "某某",
        role,
    };
    account::add(pool, &pepper(), account, PASSWORD)
        .await
        .unwrap()
}

async fn enrol(pool: &PgPool, keys: &Keys, account_id: Uuid) -> Enrolled {
    let keys = pki::account_keys(&keys.config.pki_dir()).unwrap();
    second_factor::enrol(pool, &keys.second_factors, account_id)
        .await
        .unwrap()
}

async fn sign_in(sessions: &Sessions, code: &str) -> Result<(), SignInError> {
    let credentials = Credentials {
        login: "li",
        password: PASSWORD,
        code,
    };
    sessions.sign_in_with(credentials, None).await.map(drop)
}

fn code(enrolled: &Enrolled, steps_later: i64) -> String {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    enrolled.secret.code(now / 30 + steps_later)
}

#[tokio::test]
async fn a_code_is_asked_for_and_works_once_on_all_hubs_together() {
    let db = fresh_database().await;
    let keys = Keys::new();
    let account_id = account(&db.pool, "li", Role::Analyst).await;
    let here = sessions(&db.pool, &keys, []).await;
    let there = sessions(&db.pool, &keys, []).await;
    let enrolled = enrol(&db.pool, &keys, account_id).await;
    let unasked = sign_in(&here, "").await;
    assert!(matches!(unasked, Err(SignInError::CodeRequired)));

    let present = code(&enrolled, 0);
    let wrong = if present == "000000" {
        "000001"
    } else {
        "000000"
    };
    assert!(matches!(
        sign_in(&here, wrong).await,
        Err(SignInError::Refused)
    ));
    sign_in(&here, &present).await.unwrap();
    for hub in [&here, &there] {
        let replayed = sign_in(hub, &present).await;
        assert!(matches!(replayed, Err(SignInError::Refused)));
    }
    sign_in(&there, &code(&enrolled, 1)).await.unwrap();
    let earlier = sign_in(&here, &code(&enrolled, -1)).await;
    assert!(earlier.is_err(), "a code older than one used");
}

#[tokio::test]
async fn a_code_without_the_password_is_worth_nothing() {
    let db = fresh_database().await;
    let keys = Keys::new();
    let account_id = account(&db.pool, "li", Role::Analyst).await;
    let sessions = sessions(&db.pool, &keys, []).await;
    let enrolled = enrol(&db.pool, &keys, account_id).await;
    let present = code(&enrolled, 0);
    let guess = Credentials {
        login: "li",
        password: "incorrect horse",
        code: &present,
    };
    let refused = sessions.sign_in_with(guess, None).await;
    assert!(matches!(refused, Err(SignInError::Refused)));
    sign_in(&sessions, &present)
        .await
        .expect("the code is not used up");
}

#[tokio::test]
async fn guessing_codes_locks_the_account() {
    let db = fresh_database().await;
    let keys = Keys::new();
    let account_id = account(&db.pool, "li", Role::Analyst).await;
    let sessions = sessions(&db.pool, &keys, []).await;
    let enrolled = enrol(&db.pool, &keys, account_id).await;
    for _ in 0..account::FAILURES_TO_LOCK {
        sign_in(&sessions, "no such code at all").await.unwrap_err();
    }
    let locked = sign_in(&sessions, &code(&enrolled, 0)).await;
    assert!(matches!(locked, Err(SignInError::Refused)));
}

#[tokio::test]
async fn a_right_password_without_a_code_is_no_try_and_takes_none_back() {
    let db = fresh_database().await;
    let keys = Keys::new();
    let account_id = account(&db.pool, "li", Role::Analyst).await;
    let sessions = sessions(&db.pool, &keys, []).await;
    let enrolled = enrol(&db.pool, &keys, account_id).await;
    let unasked = async || {
        let unasked = sign_in(&sessions, "").await;
        assert!(
            matches!(unasked, Err(SignInError::CodeRequired)),
            "{unasked:?}"
        );
    };
    for _ in 1..account::FAILURES_TO_LOCK {
        sign_in(&sessions, "no such code").await.unwrap_err();
        unasked().await;
        unasked().await;
    }
    sign_in(&sessions, &code(&enrolled, 0)).await.unwrap();

    for _ in 1..account::FAILURES_TO_LOCK {
        sign_in(&sessions, "no such code").await.unwrap_err();
        unasked().await;
    }
    sign_in(&sessions, "no such code").await.unwrap_err();
    for code in ["", &enrolled.recovery_codes[0]] {
        let locked = sign_in(&sessions, code).await;
        assert!(matches!(locked, Err(SignInError::Refused)), "{locked:?}");
    }
}

#[tokio::test]
async fn a_recovery_code_works_once_and_a_reset_ends_them_all() {
    let db = fresh_database().await;
    let keys = Keys::new();
    let account_id = account(&db.pool, "li", Role::Analyst).await;
    let sessions = sessions(&db.pool, &keys, []).await;
    let first = enrol(&db.pool, &keys, account_id).await;
    sign_in(&sessions, &first.recovery_codes[0]).await.unwrap();
    sign_in(&sessions, &first.recovery_codes[0])
        .await
        .unwrap_err();
    sign_in(&sessions, &first.recovery_codes[1].to_uppercase())
        .await
        .unwrap();

    let second = enrol(&db.pool, &keys, account_id).await;
    sign_in(&sessions, &first.recovery_codes[2])
        .await
        .unwrap_err();
    sign_in(&sessions, &second.recovery_codes[0]).await.unwrap();
    second_factor::reset(&db.pool, account_id).await.unwrap();
    sign_in(&sessions, "").await.expect("no factor, no code");
}

#[tokio::test]
async fn a_role_that_needs_a_second_factor_cannot_sign_in_without_one() {
    let db = fresh_database().await;
    let keys = Keys::new();
    let operator = account(&db.pool, "li", Role::Operator).await;
    account(&db.pool, "zhao", Role::Analyst).await;
    let sessions = sessions(&db.pool, &keys, [RoleKind::Operator]).await;
    for code in ["", "123456", "", "123456", "", "123456"] {
        let without = sign_in(&sessions, code).await;
        assert!(
            matches!(without, Err(SignInError::SecondFactorUnset)),
            "no code helps, and none counts: {without:?}"
        );
    }
    sessions
        .sign_in("zhao", PASSWORD)
        .await
        .expect("not needed");
    let enrolled = enrol(&db.pool, &keys, operator).await;
    sign_in(&sessions, &code(&enrolled, 0)).await.unwrap();
}

#[tokio::test]
async fn the_database_alone_makes_no_codes() {
    let db = fresh_database().await;
    let keys = Keys::new();
    let account_id = account(&db.pool, "li", Role::Analyst).await;
    let enrolled = enrol(&db.pool, &keys, account_id).await;
    let secret = BASE32_NOPAD
        .decode(enrolled.secret.reveal().as_bytes())
        .unwrap();
    let stored: Vec<u8> = sqlx::query_scalar("SELECT totp_secret FROM account")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert!(!stored.windows(secret.len()).any(|window| window == secret));
    let elsewhere = sessions(&db.pool, &Keys::new(), []).await;
    let refused = sign_in(&elsewhere, &code(&enrolled, 0)).await;
    assert!(
        matches!(refused, Err(SignInError::Refused)),
        "another account.key"
    );
}
